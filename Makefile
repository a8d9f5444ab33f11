# What people and CI do with this checkout. `make` alone lists it. Needs Python 3.11 or newer and nothing else.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
PYTEST := $(BIN)/pytest
T ?= tests
# One more than the processors of the smallest machine: a third of the tests wait for servers most of the time.
W ?= 3

.DEFAULT_GOAL := help
.PHONY: help run connector demo bench test coverage test-system sure lint format types docs lock clean

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

# Python 3.11 can only be traced, which doubles what it costs: 53 s of CPU became 99 s for tests/unit without connectors. So it is a
# run of its own, over what runs in one process, without what repeats itself or looks at growth.
UNCOVERED := tests/unit/webhooks/test_door_growth.py tests/unit/connectors/forms/test_forms_growth.py \
  tests/unit/crm_core/access/test_access_throttle.py tests/integration/test_call_backs_in_any_order.py \
  tests/integration/test_long_random_history.py tests/integration/test_mailbox_kills.py tests/integration/test_mailbox_faults.py \
  tests/integration/test_backup.py tests/integration/console/test_console_own_forms.py tests/integration/test_embedded_postgres.py

coverage: $(STAMP) ## Branch coverage, shown room by room; fails below its floor
	$(PYTEST) -q -n $(W) --dist worksteal -m "not serial" --cov --cov-report= $(addprefix --ignore=,$(UNCOVERED)) \
	  tests/unit tests/conformance tests/docs tests/integration
	@for room in leadhub webhooks workers ingest connectors crm_core; do \
	  printf '%-12s %s %%\n' $$room $$($(BIN)/coverage report --fail-under=0 --format=total --include="$$room/*"); done
	@printf '%-12s %s %%\n' all $$($(BIN)/coverage report --fail-under=0 --format=total)
	@$(BIN)/coverage report > /dev/null || { echo 'Below the floor in pyproject.toml.'; exit 2; }

test-system:
	@.ci/system-packages

sure: $(STAMP) lint types ## Everything that CI checks, except the tests
	$(BIN)/lint-imports
	$(BIN)/python .ci/check-lock
	$(BIN)/python -m leadhub.docs --check
	$(BIN)/python -m connectors.kit.tools.catalogue --check

lint: $(STAMP) ## ruff: rules and layout
	$(BIN)/ruff check .
	$(BIN)/ruff format --check --quiet . || { echo 'Not laid out: make format'; exit 1; }

format: $(STAMP) ## Lay out the code
	$(BIN)/ruff check --quiet --select I --fix .
	$(BIN)/ruff format .

types: $(STAMP) ## mypy --strict
	$(BIN)/mypy

connector: $(STAMP) ## A new connector's folder (NAME=my_pbx FAMILY=forms|telephony)
	$(BIN)/python -m connectors.kit.tools.new $(NAME) $(FAMILY)

docs: $(STAMP) ## Write the generated pages anew
	$(BIN)/python -m leadhub.docs
	$(BIN)/python -m connectors.kit.tools.catalogue

lock: ## Resolve the dependencies anew (needs uv)
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --extra embedded --extra dev pyproject.toml -o requirements.lock

clean: ## Remove the environment; data in ./var stays
	rm -rf $(VENV)

# The environment is made anew only when the lock or the package's description changed.
$(STAMP): requirements.lock pyproject.toml
	@PYTHON="$(PYTHON)" .ci/environment $(VENV)
