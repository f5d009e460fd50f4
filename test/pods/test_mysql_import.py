"""MySQL into PostgreSQL: nothing is lost, nothing half-done, and nothing written to the old server."""

from __future__ import annotations

import os
import random
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import SCRATCH
from kubelet.container import Ended
from kubelet.kubernetes import Namespace
from mariadb import PASSWORD, PORT, MariaDb
from mlflow import MlflowClient
from object_comparison import differences, objects_of
from old_server import OLD_REVISION, fill_old_store
from postgres import PORT as POSTGRES_PORT
from postgres import Postgres
from sqlite_files import run, start

RUNS, POINTS = 60, 200
IMPORTED = r"import-mysql: imported: (\d+) rows in \d+ tables, digest [0-9a-f]{16}, in \d+\.\d s"


@pytest.fixture
def mysql(namespace: Namespace) -> Iterator[MariaDb]:
    """`old-mysql` for the pods, with an empty database."""
    address = namespace.new_server_address("old-mysql")
    server = MariaDb(SCRATCH / f"mariadb-{address}", address, "old-mysql")
    namespace.apply(
        [
            {
                "kind": "Secret",
                "metadata": {"name": "old-mysql"},
                "stringData": {"username": "reader", "password": PASSWORD},
            },
            {"kind": "ConfigMap", "metadata": {"name": "old-mysql-ca"}, "data": {"ca.crt": server.ca}},
        ]
    )
    yield server
    server.stop()


@pytest.fixture
def filled(mysql: MariaDb, tmp_path: Path) -> MariaDb:
    script = str(Path(__file__).with_name("store_data.py"))
    environment = {**os.environ, "MLFLOW_ENABLE_ASYNC_TRACE_LOGGING": "false"}
    command = [sys.executable, script, old_uri(mysql), "/mlruns", str(RUNS), str(POINTS)]
    process = subprocess.run(
        command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert process.returncode == 0, process.stderr
    return mysql


def old_uri(server: MariaDb, database: str = "mlflow") -> str:
    return f"mysql+pymysql://mlflow:a-password@{server.address}:{PORT}/{database}"


def uri(postgres: Postgres) -> str:
    return f"postgresql+psycopg2://mlflow:a-password@{postgres.address}:{POSTGRES_PORT}/mlflow"


def last_line(ended: Ended) -> str:
    return ended.log.splitlines()[-1]


def check_imported(ended: Ended) -> int:
    match = re.fullmatch(IMPORTED, last_line(ended))
    assert ended.code == 0 and match, ended
    return int(match[1])


def check_refused(ended: Ended, code: int, text: str) -> None:
    assert (ended.code, ended.message.rstrip("\n")) == (code, last_line(ended)), ended
    assert re.match(rf"import-mysql: {text}", last_line(ended)), last_line(ended)


def rows(postgres: Postgres) -> int:
    there = postgres.value("SELECT to_regclass('runs') IS NOT NULL")
    return (
        postgres.value("SELECT (SELECT count(*) FROM runs) + (SELECT count(*) FROM metrics)") if there else 0
    )


def test_every_object_arrives(filled: MariaDb, namespace: Namespace, postgres: Postgres) -> None:
    before = filled.checksums()
    assert check_imported(run(namespace, **{"from": "mysql"})) > RUNS * POINTS
    assert filled.checksums() == before

    expected, found = objects_of(old_uri(filled)), objects_of(uri(postgres))
    kinds = [name.partition(" ")[0] for name in expected]
    counts = {kind: kinds.count(kind) for kind in set(kinds)}
    assert counts["run"] == RUNS and counts["point"] >= RUNS * POINTS, counts
    assert {"trace", "experiment", "registered", "version", "alias", "logged"} <= counts.keys()
    assert differences(expected, found) == []

    again = run(namespace, **{"from": "mysql"})
    assert (again.code, last_line(again).split(": ")[1]) == (0, "already-imported"), again
    client = MlflowClient(uri(postgres), uri(postgres))
    number = int(client.create_experiment("after the import"))
    assert number == 1 + max(int(name.split()[1]) for name in expected if name.startswith("experiment "))
    check_refused(run(namespace, **{"from": "mysql"}), 5, r"not-empty: the database has data of its own, ")


def test_killed_at_any_point(filled: MariaDb, namespace: Namespace, postgres: Postgres) -> None:
    [(whole,)] = filled.execute(
        "SELECT (SELECT count(*) FROM runs) + (SELECT count(*) FROM metrics)", database="mlflow"
    )
    seed = time.time_ns()
    dice = random.Random(seed)
    for line in dice.choices(["source: metrics", "copied mlflow", "database: ", "runs: ", "metrics: "], k=5):
        pod = start(namespace, **{"from": "mysql"})
        pod.wait_for_line(f"import-mysql: {line}", 120)
        time.sleep(dice.uniform(0, 1.5))
        pod.kill()
        ours = "SELECT count(*) = 0 FROM pg_stat_activity WHERE application_name = 'mysql-import'"
        postgres.wait_for(ours, "postgres", 30)
        assert rows(postgres) in (0, whole), (seed, line)
        if rows(postgres) == whole:  # killed after its last line but one
            break
    ended = run(namespace, **{"from": "mysql"})
    assert ended.code == 0, ended
    assert rows(postgres) == whole


def test_who_writes_meanwhile_is_noticed(filled: MariaDb, namespace: Namespace, postgres: Postgres) -> None:
    pod = start(namespace, **{"from": "mysql"})
    pod.wait_for_line("import-mysql: copied mlflow", 120)
    filled.execute("UPDATE params SET value = 'later' WHERE `key` = 'number' LIMIT 1", database="mlflow")
    [ended] = pod.wait_completed(300)
    check_refused(
        ended, 6, "source-in-use: params changed while it was imported. Stop the server that writes to it"
    )
    assert rows(postgres) == 0


def test_an_old_schema_and_names_in_another_case(
    mysql: MariaDb, namespace: Namespace, postgres: Postgres
) -> None:
    """MLflow 2.14 on MySQL finds a model by a name in another case, and writes that one."""
    fill_old_store(old_uri(mysql))
    mysql.execute("UPDATE model_versions SET name = 'OLD-Model'", database="mlflow")
    mysql.execute("INSERT INTO model_version_tags VALUES ('k', 'v', 'Old-model', 1)", database="mlflow")
    nul = ("UPDATE runs SET name = 'a\\0b' WHERE name = 'run-19'",)
    mysql.execute(*nul, database="mlflow")
    refused = run(namespace, **{"from": "mysql"})
    check_refused(
        refused, 6, "misfits: PostgreSQL cannot store 1 in runs.name with NUL characters, which replace-nul"
    )
    moved = {"oldPrefix": "s3://bucket/old", "newPrefix": "s3://new/place/"}
    ended = run(namespace, **{"from": "mysql"}, repairs=["replace-nul"], artifactLocations=[moved])
    check_imported(ended)
    assert f"import-mysql: source: revision {OLD_REVISION} -> " in ended.log
    assert "spelled as in registered_models: 1 rows of model_versions.name" in ended.log
    client = MlflowClient(uri(postgres), uri(postgres))
    version = client.get_model_version("old-model", "1")
    assert (version.tags, version.source) == ({"k": "v"}, "s3://new/place/model")
    names = {
        each.info.run_name
        for each in client.search_runs([client.get_experiment_by_name("old").experiment_id])
    }
    assert "a\ufffdb" in names and len(names) == 20
    assert mysql.execute("SELECT name FROM model_versions", database="mlflow") == [("OLD-Model",)]


def test_what_keeps_it_from_reading(mysql: MariaDb, namespace: Namespace, postgres: Postgres) -> None:
    def refused(code: int, text: str, **mysql: str) -> None:
        check_refused(run(namespace, **{"from": "mysql"}, deadline=2, mysql=mysql), code, text)

    refused(6, r"not-mlflow: the MySQL database has no tables experiments and alembic_version\. ")
    refused(6, r"mysql-privilege: 1044: Access denied .* GRANT SELECT ON the database", database="other")
    namespace.hosts["elsewhere"] = mysql.address
    refused(6, r"mysql-untrusted: .*Hostname mismatch.* Give `tls` the CA ", host="elsewhere")
    refused(2, r"mysql-unreachable: .* after 2 s\. Check host and port", host="nowhere")
    mysql.execute("SET PASSWORD FOR reader@'%' = PASSWORD('another')")
    refused(6, r"mysql-login: 1045: Access denied for user 'reader'", tls="require")
    assert rows(postgres) == 0
