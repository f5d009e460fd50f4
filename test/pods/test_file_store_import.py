"""A folder `mlruns` into PostgreSQL: nothing is lost, nothing half-done, the old volume stays the same."""

from __future__ import annotations

import math
import os
import random
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import mlflow
import pytest
from kubelet.container import Ended
from kubelet.kubernetes import Namespace
from mlflow import MlflowClient
from mlflow.entities import ViewType
from object_comparison import Objects, differences, pages, text
from postgres import PORT, Postgres
from sqlite_files import run, start

RUNS, POINTS = 60, 50
IMPORTED = r"import-file-store: imported: (\d+) rows in \d+ tables, digest [0-9a-f]{16}, in \d+\.\d s"
CLAIM = {"kind": "PersistentVolumeClaim", "metadata": {"name": "old-mlflow"}, "spec": {}}
FILE_STORE = {"from": "file-store"}


@pytest.fixture
def store(namespace: Namespace, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder on the claim, filled by clients that have no server."""
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    namespace.apply([CLAIM])
    folder = namespace.claim_folder("old-mlflow") / "mlruns"
    script = str(Path(__file__).with_name("store_data.py"))
    environment = {**os.environ, "MLFLOW_ENABLE_ASYNC_TRACE_LOGGING": "false"}
    # Not in the folder: MLflow takes a folder with a number for an experiment, in the order of the directory.
    artifacts = folder.with_name("artifacts")
    command = [sys.executable, script, str(folder), str(artifacts), str(RUNS), str(POINTS)]
    process = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert process.returncode == 0, process.stderr
    subprocess.run(["chmod", "-R", "a+rX", str(folder)], check=True)
    return folder


def uri(postgres: Postgres) -> str:
    return f"postgresql+psycopg2://mlflow:a-password@{postgres.address}:{PORT}/mlflow"


def last_line(ended: Ended) -> str:
    return ended.log.splitlines()[-1]


def check_imported(ended: Ended) -> int:
    match = re.fullmatch(IMPORTED, last_line(ended))
    assert ended.code == 0 and match, ended
    return int(match[1])


def check_refused(ended: Ended, text: str) -> None:
    assert (ended.code, ended.message.rstrip("\n")) == (6, last_line(ended)), ended
    assert re.match(rf"import-file-store: {text}", last_line(ended)), last_line(ended)


def content(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def rows(postgres: Postgres) -> int:
    there = postgres.value("SELECT to_regclass('runs') IS NOT NULL")
    return (
        postgres.value("SELECT (SELECT count(*) FROM runs) + (SELECT count(*) FROM metrics)") if there else 0
    )


def as_sql_keeps(value: float) -> str:
    """No infinity, and no sign of zero."""
    return repr(
        value if math.isnan(value) else max(-sys.float_info.max, min(sys.float_info.max, value)) + 0.0
    )


def seen_by_a_client(uri: str) -> Objects:
    """All by names, since experiments get new ids."""
    # Versions of models in a file store ask the store of the process.
    mlflow.set_tracking_uri(uri)
    client, found, ids = MlflowClient(uri, uri), {}, {}
    for experiment in pages(client.search_experiments, view_type=ViewType.ALL):
        number, name = experiment.experiment_id, experiment.name
        ids[number] = name
        found[f"experiment {name}"] = text(
            [experiment.artifact_location, experiment.tags, experiment.lifecycle_stage]
        )
        for each_run in pages(client.search_runs, [number], run_view_type=ViewType.ALL):
            data, info = each_run.data, each_run.info
            found[f"run {info.run_id}"] = text([info.run_name, info.status, info.start_time, info.end_time])
            found[f"run {info.run_id} data"] = text(
                [ids[info.experiment_id], data.params, data.tags, info.artifact_uri]
            )
            found[f"run {info.run_id} data sets"] = text(
                [[each.dataset, each.tags] for each in each_run.inputs.dataset_inputs]
            )
            for key in data.metrics:
                points = client.get_metric_history(info.run_id, key)
                found[f"history {info.run_id} {key}"] = text(
                    [f"{as_sql_keeps(each.value)} {each.timestamp} {each.step}" for each in points]
                )
        found_traces = pages(client.search_traces, locations=[number], include_spans=False, max_results=100)
        for trace in found_traces:
            full = client.get_trace(trace.info.trace_id)
            assessments = [
                {**each.to_dictionary(), "valid": each.valid is not False} for each in full.info.assessments
            ]
            spans = [each.to_dict() for each in full.data.spans]
            assert spans
            found[f"trace {full.info.trace_id}"] = text(
                [full.info.tags, full.info.request_time, assessments, spans]
            )
        for model in pages(client.search_logged_models, [number]):
            metrics = [f"{each.key} {as_sql_keeps(each.value)} {each.step}" for each in model.metrics or []]
            found[f"logged model {model.model_id}"] = text([model.name, model.params, model.tags, metrics])
    for model in pages(client.search_registered_models):
        found[f"registered model {model.name}"] = text([model.tags, model.description])
        for version in pages(client.search_model_versions, f"name = '{model.name}'"):
            seen = [version.source, version.run_id, version.tags, version.description, version.status]
            found[f"version {model.name} {version.version}"] = text(seen)
        for alias in model.aliases:
            version = client.get_model_version_by_alias(model.name, alias).version
            found[f"alias {model.name} {alias}"] = str(version)
    # The value of a span that tells its experiment.
    for number, name in ids.items():
        found = {
            key: re.sub(rf"(experiment_?[iI]d\D{{1,8}}){number}\b", rf"\g<1>{name}", each)
            for key, each in found.items()
        }
    return found


def test_every_object_arrives(store: Path, namespace: Namespace, postgres: Postgres) -> None:
    client = MlflowClient(str(store), str(store))
    experiment = next(
        each for each in client.search_experiments() if client.search_logged_models([each.experiment_id])
    )
    deleted = client.search_logged_models([experiment.experiment_id])[0]
    client.delete_logged_model(deleted.model_id)
    subprocess.run(["chmod", "-R", "a+rX", str(store)], check=True)
    before = content(store)
    ended = run(namespace, **FILE_STORE)
    assert check_imported(ended) > RUNS * POINTS
    assert content(store) == before
    assert "deleted-logged-model 1" in ended.log
    kept = "SELECT lifecycle_stage, name FROM logged_models WHERE model_id = %s"
    with postgres.connect("mlflow") as connection, connection.cursor() as cursor:
        cursor.execute(kept, [deleted.model_id])
        assert cursor.fetchall() == [("deleted", deleted.name)]
    assert "import-file-store: source: MLflow reads the same of the file store and of its copy" in ended.log

    expected, found = seen_by_a_client(str(store)), seen_by_a_client(uri(postgres))
    kinds = [name.partition(" ")[0] for name in expected]
    counts = {kind: kinds.count(kind) for kind in set(kinds)}
    assert counts["run"] == 3 * RUNS and counts["history"] >= 5 * RUNS, counts
    assert {"trace", "experiment", "registered", "version", "alias", "logged"} <= counts.keys()
    assert differences(expected, found) == []

    again = run(namespace, **FILE_STORE)
    assert (again.code, last_line(again).split(": ")[1]) == (0, "already-imported"), again


def test_killed_at_any_point(store: Path, namespace: Namespace, postgres: Postgres) -> None:
    seed = time.time_ns()
    dice, before = random.Random(seed), content(store)
    seen = set()
    for line in dice.choices(
        ["copied /source", "source: experiment", "database: ", "runs: ", "metrics: "], k=5
    ):
        pod = start(namespace, **FILE_STORE)
        pod.wait_for_line(f"import-file-store: {line}", 120)
        time.sleep(dice.uniform(0, 1.5))
        pod.kill()
        ours = "SELECT count(*) = 0 FROM pg_stat_activity WHERE application_name = 'file-store-import'"
        postgres.wait_for(ours, "postgres", 30)
        seen.add(rows(postgres))
        if rows(postgres):  # killed after its last line but one
            break
    ended = run(namespace, **FILE_STORE)
    assert ended.code == 0, ended
    assert seen <= {0, rows(postgres)}, (seed, seen)
    assert content(store) == before


def test_what_mlflow_would_lose_in_silence(store: Path, namespace: Namespace, postgres: Postgres) -> None:
    """Files of a full disk, and points that were logged twice."""
    [metric, *_] = sorted(store.glob("*/*/metrics/metric 1"))
    lines = metric.read_text()
    metric.write_text(lines + lines.splitlines()[0] + "\n")
    [run_folder, *_] = sorted(path for path in store.glob("[1-9]*/*/meta.yaml"))
    whole = run_folder.read_bytes()
    run_folder.write_bytes(b"")
    check_refused(
        run(namespace, **FILE_STORE),
        r"incomplete: 1 folders have no meta\.yaml, or an empty one, .* \d+/\w{32}\. Restore the ",
    )
    run_folder.write_bytes(b"{: not yaml")
    check_refused(run(namespace, **FILE_STORE), r"unreadable: .*meta\.yaml")
    assert rows(postgres) == 0
    run_folder.write_bytes(whole)
    ended = run(namespace, **FILE_STORE)
    check_imported(ended)
    assert "1 points of metrics that were logged twice, with all that they say, are kept once" in ended.log


def test_who_writes_meanwhile_is_noticed(store: Path, namespace: Namespace, postgres: Postgres) -> None:
    pod = start(namespace, **FILE_STORE)
    pod.wait_for_line("import-file-store: source: experiment", 120)
    MlflowClient(str(store), str(store)).create_run("0")
    [ended] = pod.wait_completed(300)
    check_refused(ended, r"source-in-use: .* changed while it was imported\. Stop whoever writes to it")
    assert rows(postgres) == 0
    shutil.rmtree(store)
    check_refused(
        run(namespace, **FILE_STORE), r"no-source: there is no folder /source/mlruns; beside it: artifacts\. "
    )
