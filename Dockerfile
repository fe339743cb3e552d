# pipeduck as a scheduler: docs/scheduling.md says how to run it.
#   docker build -t pipeduck .
FROM python:3.11-slim AS build
WORKDIR /src
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY pipelines pipelines
COPY sources sources
COPY transforms transforms
COPY warehouse warehouse
RUN python -m venv /opt/pipeduck \
    && /opt/pipeduck/bin/pip install --no-cache-dir -c constraints.txt ".[encryption]"

FROM python:3.11-slim
COPY --from=build /opt/pipeduck /opt/pipeduck
# nothing is written outside the volume and /tmp: the root file system may be read-only
ENV PATH=/opt/pipeduck/bin:$PATH \
    HOME=/tmp \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    PIPEDUCK_LOG_FORMAT=json \
    WAREHOUSE__PATH=/data/warehouse.duckdb \
    WAREHOUSE__PUBLISH=/data/pipedrive.duckdb
RUN install -d -o 10001 -g 10001 -m 0750 /data
USER 10001:10001
WORKDIR /data
VOLUME /data
# healthy: the scheduler is there, and its last run ended with 0, 3 or 75
HEALTHCHECK --interval=1m --timeout=20s --start-period=30s \
    CMD ["pipeduck", "schedule", "status"]
ENTRYPOINT ["pipeduck"]
CMD ["schedule", "run", "--every", "15m", "--jitter", "30s"]
