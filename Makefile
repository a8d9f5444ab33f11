# What people and CI do with this checkout. `make` alone lists it. Needs Python 3.11 or newer and nothing else.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
PYTEST := $(BIN)/pytest
T ?= tests
W ?= 2

.DEFAULT_GOAL := help
.PHONY: help run connector demo bench test test-system sure lint types docs lock clean

help: ## List what there is
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

run: $(STAMP) ## Start everything on this machine; Ctrl-C stops it
	@exec $(BIN)/leadhub up

demo: $(STAMP) ## Play a day of traffic through a hub that is running
	@exec $(BIN)/leadhub demo

bench: $(STAMP) ## Measure, the baselines in the same run (PEERS=1 for node-red as well, from npm)
	@exec $(BIN)/python -m bench $(if $(PEERS),--peers)

test: $(STAMP) test-system ## The whole suite (T=path for a part of it, W=processes)
	$(PYTEST) -n $(W) --dist worksteal -m "not serial" $(T)
	$(PYTEST) -m serial $(T) || [ $$? -eq 5 ]

test-system:
	@.ci/system-packages

sure: $(STAMP) lint types ## Everything that CI checks, except the tests
	$(BIN)/lint-imports
	$(BIN)/python .ci/check-lock
	$(BIN)/python -m leadhub.docs --check
	$(BIN)/python -m connectors.kit.catalogue --check

lint: $(STAMP) ## ruff
	$(BIN)/ruff check .

types: $(STAMP) ## mypy --strict
	$(BIN)/mypy

connector: $(STAMP) ## A new connector's folder (NAME=my_pbx FAMILY=forms|telephony)
	$(BIN)/python -m connectors.kit.new $(NAME) $(FAMILY)

docs: $(STAMP) ## Write the generated pages anew
	$(BIN)/python -m leadhub.docs
	$(BIN)/python -m connectors.kit.catalogue

lock: ## Resolve the dependencies anew (needs uv)
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --extra embedded --extra dev pyproject.toml -o requirements.lock

clean: ## Remove the environment; data in ./var stays
	rm -rf $(VENV)

# The environment is made anew only when the lock or the package's description changed.
$(STAMP): requirements.lock pyproject.toml
	@PYTHON="$(PYTHON)" .ci/environment $(VENV)
