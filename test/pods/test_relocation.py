"""Artifacts to another store: every file and every location, also after kills, and back again."""

from __future__ import annotations

import json
import os
import random
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import mlflow
import pytest
import synthesis
from kubelet.container import Ended
from kubelet.kubernetes import Namespace
from kubelet.pod import Pod
from mlflow import MlflowClient
from mlflow.data.dataset_source_registry import resolve_dataset_source
from mlflow.data.meta_dataset import MetaDataset
from mlflow.pyfunc import PythonModel
from object_store import CREDENTIALS, ObjectStore
from object_store import PORT as STORE_PORT
from postgres import PORT, Postgres
from repository import ROOT
from tracking import client_of, url_of
from waiting import eventually

pytestmark = pytest.mark.migrated

MOVED = (
    r"relocate-artifacts: moved: (\d+) files, (\d+) bytes, (\d+) of them there before, (\d+) locations, in "
)
ARCHIVE_CREDENTIALS = {"AWS_ACCESS_KEY_ID": "another-user", "AWS_SECRET_ACCESS_KEY": "another password"}
MODELS = {"bucket": "models", "endpoint": f"http://minio:{STORE_PORT}"}
ARCHIVE = {"bucket": "archive", "endpoint": f"http://archive:{STORE_PORT}", "secret": "archive"}
ODD = "Grüße, 世界 + 100%/ä b.txt"


class Doubles(PythonModel):
    def predict(self, context: Any, model_input: list[float], params: Any = None) -> list[float]:
        return [2 * each for each in model_input]


@pytest.fixture
def archive(namespace: Namespace, tmp_path: Path) -> Iterator[ObjectStore]:
    """Another store with another login."""
    store = ObjectStore(namespace.new_server_address("archive"), tmp_path / "archive.log")
    secret = {"kind": "Secret", "metadata": {"name": "archive"}, "stringData": ARCHIVE_CREDENTIALS}
    namespace.apply([secret])
    yield store.with_buckets("archive")
    store.stop()


def uri(postgres: Postgres) -> str:
    return f"postgresql+psycopg2://mlflow:a-password@{postgres.address}:{PORT}/mlflow"


@contextmanager
def tracking(tracking_uri: str, store: ObjectStore) -> Iterator[MlflowClient]:
    """A client of the server or the database, which reaches one store."""
    before = dict(os.environ)
    os.environ.update(
        CREDENTIALS,
        MLFLOW_S3_ENDPOINT_URL=f"http://{store.address}:{STORE_PORT}",
        MLFLOW_ENABLE_PROXY_MULTIPART_DOWNLOAD="false",
    )
    mlflow.set_tracking_uri(tracking_uri)
    mlflow.set_registry_uri(tracking_uri)
    try:
        yield MlflowClient(tracking_uri, tracking_uri)
    finally:
        os.environ.clear()
        os.environ.update(before)


def log_work(experiment: str) -> dict[str, str]:
    """A run with files, a registered model, a dataset that is one of the files, and a trace."""
    mlflow.set_experiment(experiment_id=experiment)
    with mlflow.start_run() as run:
        mlflow.log_text("of the run", ODD)
        mlflow.log_text("", "empty.txt")
        mlflow.log_text("a,b\n1,2\n", "data/rows.csv")
        if run.info.artifact_uri.startswith("s3:"):  # MLflow has no source mlflow-artifacts:/
            source = resolve_dataset_source(f"{run.info.artifact_uri}/data/rows.csv")
            mlflow.log_input(MetaDataset(source, "rows"))
        mlflow.pyfunc.log_model(
            name="m", python_model=Doubles(), pip_requirements=[], registered_model_name="m"
        )
    with mlflow.start_span("question") as span:
        span.set_inputs({"asked": "how much"})
    mlflow.flush_trace_async_logging()
    return {"run": run.info.run_id, "trace": span.trace_id}


def check_work(client: MlflowClient, work: dict[str, str], folder: Path) -> None:
    run = client.get_run(work["run"])
    text = Path(client.download_artifacts(work["run"], ODD, str(folder))).read_text(encoding="utf-8")
    assert text == "of the run"
    assert Path(client.download_artifacts(work["run"], "empty.txt", str(folder))).read_text() == ""
    assert mlflow.pyfunc.load_model("models:/m/1").predict([1.5]) == [3.0]
    for given in run.inputs.dataset_inputs:
        assert Path(mlflow.data.get_source(given.dataset).load()).read_text() == "a,b\n1,2\n"
    trace = client.get_trace(work["trace"])
    assert [span.inputs for span in trace.data.spans] == [{"asked": "how much"}]


def start(namespace: Namespace, **options: Any) -> Pod:
    documents = synthesis.relocation(**options)
    namespace.apply(documents)
    [name] = [each["metadata"]["name"] for each in documents if each["kind"] == "Job"]
    return namespace.job(name)


def run(namespace: Namespace, **options: Any) -> Ended:
    # The other one reads the source, and ends with it.
    ended, _ = start(namespace, **options).wait_completed(120)
    return ended


def moved(ended: Ended) -> list[int]:
    """Files, bytes, those of them that were there before, and locations."""
    assert ended.code == 0, ended
    match = re.match(MOVED, ended.log.splitlines()[-1])
    assert match, ended
    return [int(each) for each in match.groups()]


def test_from_a_volume_to_a_bucket_behind_the_server(
    namespace: Namespace, postgres: Postgres, store: ObjectStore, tmp_path: Path
) -> None:
    documents = synthesis.server()
    namespace.apply(documents)
    [server] = namespace.deployment()
    with tracking(url_of(server), store) as client:
        server.wait_ready()
        work = log_work(client.create_experiment("moved"))
    options = {"source": {"claim": "mlflow-artifacts"}, "target": MODELS}
    assert "server-runs" in run(namespace, **options, deadline=1).message
    server.delete()
    folder = namespace.folder_of_claim("mlflow-artifacts")
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    files, size, there, locations = moved(run(namespace, **options))
    assert (files, size, there, locations) == (len(before), sum(map(len, before.values())), 0, 0)
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before
    namespace.apply(synthesis.server(s3={"endpoint": f"http://minio:{STORE_PORT}"}))
    [server] = namespace.deployment()
    server.wait_ready()
    with tracking(url_of(server), store):
        check_work(client_of(server), work, tmp_path)


def test_from_bucket_to_bucket_killed_at_any_point_and_back(
    namespace: Namespace, postgres: Postgres, store: ObjectStore, archive: ObjectStore, tmp_path: Path
) -> None:
    """With locations that clients use themselves, and with two logins at two addresses."""
    with tracking(uri(postgres), store) as client:
        experiment = client.create_experiment("moved", "s3://models/team/1")
        work = log_work(experiment)
    archive_trace(postgres, store, work["trace"], tmp_path)
    before = locations_of(postgres)
    assert all(each.startswith("s3://models/team/") for each in before.values())
    for number in range(60):
        store.client.put_object(Bucket="models", Key=f"team/1/many/{number}/file", Body=os.urandom(20_000))
    there = store.contents("models")

    options = {"source": {**MODELS, "direct": True}, "target": {**ARCHIVE, "direct": True}}
    counted = run(namespace, **options, dryRun=True)
    assert f"dry-run, nothing was changed: {len(there)} files, " in counted.log, counted
    assert locations_of(postgres) == before and archive.keys("archive") == []

    seed = time.time_ns()
    dice = random.Random(seed)
    # While files are copied, and about when the locations change.
    for copied in (dice.randint(1, len(there) // 2), dice.randint(len(there) // 2, len(there) - 1), None):
        pod = start(namespace, **options)
        if copied is None:
            pod.wait_for_line("relocate-artifacts: copied", 120)
            time.sleep(dice.uniform(0, 1))
        else:
            eventually(lambda: len(archive.keys("archive")) >= copied, "files are copied", 120, 0.05)  # noqa: B023
        pod.kill()
        states = {each.split("/")[2] for each in locations_of(postgres).values()}
        assert states in ({"models"}, {"archive"}), seed
    files, _, found, locations = moved(run(namespace, **options))
    assert files == len(there) and (locations == len(before) or found == files), (seed, locations)
    assert archive.contents("archive") == there
    new = {name: each.replace("s3://models/", "s3://archive/") for name, each in before.items()}
    assert locations_of(postgres) == new
    with tracking(uri(postgres), archive) as client:
        check_work(client, work, tmp_path)

    # Back: nothing is copied that is there still.
    back = run(namespace, source=options["target"], target=options["source"])
    assert moved(back)[2:] == [files, len(before)]
    assert locations_of(postgres) == before


def test_what_is_refused(
    namespace: Namespace, postgres: Postgres, store: ObjectStore, archive: ObjectStore
) -> None:
    options = {"source": MODELS, "target": ARCHIVE}
    assert "no-files: there is no file" in run(namespace, **options).message
    store.client.put_object(Bucket="models", Key="team/1/a", Body=b"old")
    archive.client.put_object(Bucket="archive", Key="team/1/a", Body=b"new")
    ended = run(namespace, **options)
    assert (ended.code, "other-content: the target has 1/a" in ended.message) == (5, True), ended
    assert moved(run(namespace, **options, existingFiles="replace"))[:3] == [1, 3, 0]
    # The first part of a file is what a killed upload leaves.
    archive.client.put_object(Bucket="archive", Key="team/1/a", Body=b"ol")
    assert moved(run(namespace, **options))[:3] == [1, 3, 0]


PLACES = """
SELECT 'experiment', artifact_location FROM experiments WHERE name = 'moved'
UNION ALL SELECT 'run', artifact_uri FROM runs
UNION ALL SELECT 'model', artifact_location FROM logged_models
UNION ALL SELECT 'version', storage_location FROM model_versions
UNION ALL SELECT 'dataset', dataset_source::json ->> 'uri' FROM datasets
UNION ALL SELECT key, value FROM trace_tags
WHERE key IN ('mlflow.artifactLocation', 'mlflow.trace.archiveLocation')
"""


def locations_of(postgres: Postgres) -> dict[str, str]:
    return dict(postgres.execute(PLACES, "mlflow"))


def archive_trace(postgres: Postgres, store: ObjectStore, trace: str, folder: Path) -> None:
    """As MlflowTraceArchival does."""
    postgres.execute(f"UPDATE trace_info SET timestamp_ms = 1 WHERE request_id = '{trace}'", "mlflow")
    config = folder / "archival.yaml"
    settings = {"enabled": True, "location": "s3://models/team", "retention": "1m"}
    config.write_text(json.dumps({"trace_archival": settings}))
    scripts = ROOT / "lib" / "scripts"
    environment = {
        **os.environ,
        **CREDENTIALS,
        "MLFLOW_S3_ENDPOINT_URL": f"http://{store.address}:{STORE_PORT}",
        "MLFLOW_BACKEND_STORE_URI": uri(postgres),
        "MLFLOW_TRACE_ARCHIVAL_CONFIG": str(config),
        "PYTHONPATH": str(scripts / "shared"),
    }
    command = [sys.executable, str(scripts / "trace_archival" / "archive_traces.py")]
    process = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert "moved: 1 traces" in process.stdout, process
