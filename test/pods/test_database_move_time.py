"""How long a DatabaseMove of E2E_MOVE_GIGABYTES (1) takes, by container, for docs/measurements.md."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import synthesis
from conftest import MakePostgres, make_migrated
from kubelet.kubernetes import Namespace
from postgres import Postgres

# PostgreSQL's defaults, where the servers of the other cases only have to be fast.
DEFAULTS = "\nfsync = on\nfull_page_writes = on\nshared_buffers = 128MB\n"
RUNS = 50
# What a training logs: 10 metrics at 1,000 steps, 20 params and 10 tags.
RANGE = "generate_series(%(first)s, %(last)s) n"
LOGGED = [
    "INSERT INTO runs (run_uuid, name, source_type, status, lifecycle_stage, start_time,"
    " artifact_uri, experiment_id)"
    " SELECT md5(n::text), 'run ' || n, 'LOCAL', 'FINISHED', 'active', 1700000000000 + n,"
    f" 'mlflow-artifacts:/0/' || md5(n::text), 0 FROM {RANGE}",
    "INSERT INTO params (key, value, run_uuid)"
    f" SELECT 'param_' || k, random()::text, md5(n::text) FROM {RANGE}, generate_series(1, 20) k",
    "INSERT INTO tags (key, value, run_uuid)"
    f" SELECT 'mlflow.tag_' || k, random()::text, md5(n::text) FROM {RANGE}, generate_series(1, 10) k",
    "INSERT INTO metrics (key, value, timestamp, run_uuid, step, is_nan)"
    " SELECT 'val/metric_' || k, random(), 1700000000000 + n::bigint * 1000000 + s * 1000, md5(n::text),"
    f" s, false FROM {RANGE}, generate_series(1, 1000) s, generate_series(1, 10) k",
    "INSERT INTO latest_metrics (key, value, timestamp, run_uuid, step, is_nan)"
    " SELECT 'val/metric_' || k, random(), 1700000000000 + n::bigint * 1000000, md5(n::text), 1000, false"
    f" FROM {RANGE}, generate_series(1, 10) k",
]


def start(make_postgres: MakePostgres, name: str, **options: Path) -> Postgres:
    server = make_postgres(name, **options)
    with (server.folder / "postgresql.conf").open("a") as settings:
        settings.write(DEFAULTS)
    return server.start()


@pytest.mark.slow
def test_how_long_a_move_takes(namespace: Namespace, make_postgres: MakePostgres) -> None:
    wanted = float(os.environ.get("E2E_MOVE_GIGABYTES", "1")) * 10**9
    source = start(make_postgres, "old-database", template=make_migrated())
    start(make_postgres, "database").owned_database()
    first = 1
    while source.value("SELECT pg_database_size('mlflow')") < wanted:
        with source.connect("mlflow") as connection, connection.cursor() as cursor:
            for statement in LOGGED:
                cursor.execute(statement, {"first": first, "last": first + RUNS - 1})
        first += RUNS
    source.execute("CHECKPOINT")
    size = source.value("SELECT pg_database_size('mlflow')")
    rows = source.value("SELECT count(*) FROM metrics")

    documents = synthesis.database_move()
    namespace.apply(documents)
    [name] = [each["metadata"]["name"] for each in documents if each["kind"] == "Job"]
    pod = namespace.job(name)
    ended = [*pod.wait_init(3600), *pod.wait_completed(3600)]

    version = source.value("SHOW server_version")
    print(f"\n{size / 10**9:.2f} GB, {rows} rows of metrics, PostgreSQL {version}")
    for each in ended:
        print(f"{each.name}: {each.seconds:.1f} s, {each.log.strip().splitlines()[-1]}")
    print(f"in all: {sum(each.seconds for each in ended):.0f} s")
    assert [each.code for each in ended] == [0] * len(ended)
