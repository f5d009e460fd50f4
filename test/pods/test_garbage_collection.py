"""What was deleted in MLflow long enough ago is gone for good, artifacts included, and nothing else is."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
import synthesis
from kubelet.container import Ended
from kubelet.kubernetes import Namespace
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
from object_store import CREDENTIALS, PORT, ObjectStore
from postgres import Postgres
from tracking import client_of

MONTH = 30 * 24 * 3600
DONE = r"collect-garbage: collected: (.*), deleted more than 30d ago, in \d+\.\d s"


@dataclass(frozen=True)
class Runs:
    """Runs, by what became of them; each has an artifact, but for the empty one."""

    live: str
    young: str
    old: str
    empty: str
    restored: str
    of_old_experiment: str
    old_experiment: str
    young_experiment: str

    @property
    def kept(self) -> list[str]:
        return [self.live, self.young, self.restored]

    @property
    def collected(self) -> list[str]:
        return [self.old, self.empty, self.of_old_experiment]


def fill(client: MlflowClient, postgres: Postgres, folder: Path) -> Runs:
    experiment, doomed, spared = (client.create_experiment(name) for name in ("kept", "doomed", "spared"))
    note = folder / "note.txt"
    note.write_text("x")

    def run(of: str = experiment, artifact: bool = True) -> str:
        run_id: str = client.create_run(of).info.run_id
        client.log_metric(run_id, "loss", 0.5)
        if artifact:
            client.log_artifact(run_id, str(note), "notes")
        return run_id

    runs = Runs(run(), run(), run(), run(artifact=False), run(), run(doomed), doomed, spared)
    for run_id in (runs.young, runs.old, runs.empty, runs.restored):
        client.delete_run(run_id)
    client.delete_experiment(doomed)
    client.delete_experiment(spared)
    # 31 days ago; restoring clears the time of the deletion.
    ago = "(extract(epoch FROM now() - interval '31 days') * 1000)::bigint"
    past = f"UPDATE runs SET deleted_time = {ago} WHERE run_uuid IN ('{{}}')"
    postgres.execute(past.format("','".join([*runs.collected, runs.restored])), "mlflow")
    postgres.execute(
        f"UPDATE experiments SET last_update_time = {ago} WHERE experiment_id = {doomed}", "mlflow"
    )
    client.restore_run(runs.restored)
    return runs


def collect(namespace: Namespace) -> Ended:
    [ended] = namespace.cron_job("mlflow-gc").wait_completed(180)
    return ended


def check(client: MlflowClient, runs: Runs, has_artifacts: Callable[[str], bool]) -> None:
    for run_id in runs.kept:
        assert client.get_run(run_id).data.metrics == {"loss": 0.5}
    assert [has_artifacts(each) for each in runs.kept] == [True] * 3
    for run_id in runs.collected:
        with pytest.raises(MlflowException, match="not found"):
            client.get_run(run_id)
    assert [has_artifacts(each) for each in runs.collected] == [False] * 3
    assert client.get_experiment(runs.young_experiment).lifecycle_stage == "deleted"
    with pytest.raises(MlflowException, match="No Experiment with id"):
        client.get_experiment(runs.old_experiment)


def test_on_a_volume(namespace: Namespace, postgres: Postgres, tmp_path: Path) -> None:
    namespace.apply(synthesis.server(collectOlderThan=MONTH))
    [pod] = namespace.deployment()
    client = client_of(pod.wait_ready())
    runs = fill(client, postgres, tmp_path)
    model_id = log_old_model(client, postgres, tmp_path)
    volume = tmp_path / "kubelet" / "claims" / "mlflow-artifacts"
    assert list(volume.rglob(f"*{model_id}*"))

    ended = collect(namespace)
    assert ended.code == 0, ended
    assert re.fullmatch(DONE, ended.log.splitlines()[-1])[1] == "3 runs, 1 logged model, 1 experiment"
    check(client, runs, lambda run_id: bool(list(volume.rglob(f"*{run_id}/artifacts/notes/note.txt"))))
    assert not list(volume.rglob(f"*{model_id}*/*"))
    assert "a-password" not in ended.log

    # Nothing is left to do.
    ended = collect(namespace)
    assert re.fullmatch(DONE, ended.log.splitlines()[-1])[1] == "0 runs, 0 logged models, 0 experiments"


def log_old_model(client: MlflowClient, postgres: Postgres, folder: Path) -> str:
    model = client.create_logged_model("0", "a-model")
    (folder / "model").mkdir()
    (folder / "model" / "weights").write_text("1")
    client.log_model_artifacts(model.model_id, str(folder / "model"))
    client.delete_logged_model(model.model_id)
    past = "last_updated_timestamp_ms - 31 * 86400000::bigint"
    postgres.execute(f"UPDATE logged_models SET last_updated_timestamp_ms = {past}", "mlflow")
    return str(model.model_id)


@pytest.mark.parametrize("direct", [False, True])
def test_in_a_bucket(
    direct: bool,
    namespace: Namespace,
    postgres: Postgres,
    store: ObjectStore,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The server is down, which `mlflow gc` by itself could not do without."""
    for name, value in {**CREDENTIALS, "MLFLOW_S3_ENDPOINT_URL": f"http://{store.address}:{PORT}"}.items():
        monkeypatch.setenv(name, value)
    s3 = {"endpoint": f"http://minio:{PORT}", "direct": direct}
    namespace.apply(synthesis.server(collectOlderThan=MONTH, s3=s3))
    [pod] = namespace.deployment()
    runs = fill(client_of(pod.wait_ready()), postgres, tmp_path)
    pod.delete()

    ended = collect(namespace)
    assert ended.code == 0, ended
    assert re.fullmatch(DONE, ended.log.splitlines()[-1])[1] == "3 runs, 0 logged models, 1 experiment"
    assert CREDENTIALS["AWS_SECRET_ACCESS_KEY"] not in ended.log
    [pod] = namespace.deployment()
    keys = store.keys("models")
    check(client_of(pod.wait_ready()), runs, lambda run_id: any(run_id in key for key in keys))


def test_what_cannot_be_deleted_is_not_forgotten(
    namespace: Namespace, postgres: Postgres, store: ObjectStore, tmp_path: Path
) -> None:
    s3 = {"endpoint": f"http://minio:{PORT}"}
    namespace.apply(synthesis.server(collectOlderThan=MONTH, s3=s3))
    [pod] = namespace.deployment()
    client = client_of(pod.wait_ready())
    runs = fill(client, postgres, tmp_path)
    store.stop()
    ended = collect(namespace)
    assert ended.code == 1
    assert ended.message.startswith("collect-garbage: artifacts: cannot delete ")
    assert client.get_run(runs.old).info.lifecycle_stage == "deleted"


def test_the_default_experiment_is_made_anew_with_its_own_root(
    namespace: Namespace, postgres: Postgres
) -> None:
    """MLflow's store makes it wherever it is missing, and not only in a server."""
    namespace.apply(synthesis.server(collectOlderThan=1))
    [pod] = namespace.deployment()
    client = client_of(pod.wait_ready())
    client.create_experiment("another")
    client.delete_experiment("0")
    postgres.execute("UPDATE experiments SET last_update_time = 1 WHERE experiment_id = 0", "mlflow")
    assert "1 experiment," in collect(namespace).log.splitlines()[-1]
    assert collect(namespace).code == 0
    assert client.get_experiment("0").artifact_location == "mlflow-artifacts:/0"


def test_touches_no_other_schema(namespace: Namespace, postgres: Postgres) -> None:
    namespace.apply(synthesis.server(collectOlderThan=MONTH))
    ended = collect(namespace)
    assert ended.code == 4
    assert re.fullmatch(
        r"collect-garbage: older-schema: the database is at revision none, this image needs \w+\."
        r" Let a server of this image start first\. Nothing was touched\n",
        ended.message,
    )
    assert postgres.value("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == 0


def test_two_at_once(namespace: Namespace, postgres: Postgres) -> None:
    namespace.apply(synthesis.server(collectOlderThan=MONTH))
    [pod] = namespace.deployment()
    pod.wait_ready()
    with postgres.connect("mlflow") as connection, connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(x'6d6c67635f31'::bigint)")
        ended = collect(namespace)
    assert (ended.code, ended.message) == (
        1,
        "collect-garbage: busy: another collection is running on this database. Wait for it\n",
    )
