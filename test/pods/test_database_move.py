"""One PostgreSQL into another, which E2E_TARGET_POSTGRES makes a later version: all of it, or nothing."""

from __future__ import annotations

import random
import re
import time
from pathlib import Path

import psycopg2
import pytest
import synthesis
from conftest import MakePostgres, make_migrated
from kubelet.container import Ended
from kubelet.kubernetes import Namespace
from kubelet.pod import Pod
from mlflow import MlflowClient
from mlflow.entities import Metric, Param
from object_comparison import differences, objects_of
from postgres import PORT, Postgres

MOVED = r"verify-source: moved: mlflow of PostgreSQL [\d.]+, schema revision \w+; \d+ tables, (\d+) rows"
RELATIONS = "SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace"


@pytest.fixture
def source(make_postgres: MakePostgres, tmp_path: Path) -> Postgres:
    """The old server, with what people log, and a sequence that is ahead of its table."""
    server = make_postgres("old-database", template=make_migrated()).start()
    client = MlflowClient(uri(server), uri(server))
    experiment = client.create_experiment("moved", str(tmp_path), {"team": "Größe"})
    for number in range(3):
        run = client.create_run(experiment, run_name=f"run {number}").info.run_id
        client.log_batch(run, [Metric("loss", float("nan"), 1, 1)], [Param("text", "tab\t\\N 世界")], [])
        client.create_registered_model(f"model {number}")
        client.create_model_version(f"model {number}", f"runs:/{run}/model", run)
    server.execute(
        "INSERT INTO metrics (key, value, timestamp, run_uuid, step, is_nan)"
        " SELECT 'm', random(), n, (SELECT min(run_uuid) FROM runs), n, false FROM generate_series(1, 999) n",
        "mlflow",
    )
    server.execute("SELECT nextval('experiments_experiment_id_seq')", "mlflow")
    return server


def uri(server: Postgres) -> str:
    return f"postgresql+psycopg2://mlflow:a-password@{server.address}:{PORT}/mlflow"


def start(namespace: Namespace) -> Pod:
    documents = synthesis.database_move()
    namespace.apply(documents)
    [name] = [each["metadata"]["name"] for each in documents if each["kind"] == "Job"]
    return namespace.job(name)


def last(pod: Pod) -> Ended:
    return pod.wait_completed(180)[-1]


def test_every_object_arrives_also_after_kills(
    namespace: Namespace, source: Postgres, target: Postgres
) -> None:
    before = objects_of(uri(source))
    seed = time.time_ns()
    dice = random.Random(seed)
    rows = source.value("SELECT count(*) FROM metrics")
    lines = ["dump-database: dumping", "dump-database: dumped", "restore-database: restoring"]
    for line in dice.sample(lines, k=3):
        pod = start(namespace)
        pod.wait_for_line(line, 90)
        time.sleep(dice.uniform(0, 1))
        pod.kill()
        ours = "SELECT count(*) = 0 FROM pg_stat_activity WHERE application_name = 'database-move'"
        target.wait_for(ours, "postgres", 30)
        there = target.value(RELATIONS) and target.value("SELECT count(*) FROM metrics")
        assert there in (0, rows), (seed, line)
    ended = last(start(namespace))
    assert ended.code == 0 and re.fullmatch(MOVED, ended.log.splitlines()[-1]), (seed, ended)
    assert differences(before, objects_of(uri(target))) == []
    assert objects_of(uri(source)) == before
    sequences = (
        "SELECT string_agg(concat(sequencename, ' ', last_value), ', ' ORDER BY sequencename)"
        " FROM pg_sequences"
    )
    assert target.value(sequences) == source.value(sequences)
    client = MlflowClient(uri(target), uri(target))
    assert int(client.create_experiment("after the move", "file:///nowhere")) == 1 + source.value(
        "SELECT last_value FROM experiments_experiment_id_seq"
    )
    # What is there now is not what would be moved.
    ended = start(namespace).wait_init(180)[-1]
    assert ended.code == 3, ended
    assert ended.message.startswith("restore-database: not-empty: mlflow has "), ended


def test_writers_are_waited_for_and_seen(namespace: Namespace, source: Postgres, target: Postgres) -> None:
    login = {"host": source.address, "user": "mlflow", "password": "a-password", "dbname": "mlflow"}
    server = psycopg2.connect(**login, application_name="mlflow")
    pod = start(namespace)
    pod.wait_for_line("dump-database: waiting for MLflow's servers to stop: 1 connections", 60)
    assert target.value(RELATIONS) == 0
    server.close()
    # A server without the library's name, which writes after the dump.
    pod.wait_for_line("restore-database: restoring", 60)
    source.execute("UPDATE metrics SET value = 7 WHERE key = 'm' AND step = 77", "mlflow")
    ended = last(pod)
    assert ended.code == 4, ended
    assert ended.message.startswith("verify-source: source-changed: somebody has written"), ended
    assert target.value("SELECT count(*) FROM metrics WHERE key = 'm' AND value = 7") == 0
