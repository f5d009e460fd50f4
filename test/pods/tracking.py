"""What people do with a tracking server, through MLflow's own client."""

from __future__ import annotations

import http.client
from dataclasses import dataclass
from pathlib import Path

from kubelet.pod import Pod
from mlflow import MlflowClient
from mlflow.entities import Metric, Param, RunTag

_METRICS = [Metric("loss", 1 / step, timestamp=step, step=step) for step in range(1, 21)]
_TEXT = "Grüße, 世界\n"


@dataclass(frozen=True)
class Logged:
    """What was logged, by name, and is to be found again."""

    name: str
    experiment_id: str
    run_id: str


def url_of(pod: Pod) -> str:
    return f"http://{host_of(pod)}"


def host_of(pod: Pod) -> str:
    """Address and port, as in a URI and in a Host header."""
    return f"[{pod.address}]:5000" if ":" in pod.address else f"{pod.address}:5000"


def client_of(pod: Pod, prefix: str = "") -> MlflowClient:
    uri = url_of(pod) + prefix
    return MlflowClient(tracking_uri=uri, registry_uri=uri)


def log_everything(client: MlflowClient, name: str, folder: Path) -> Logged:
    """An experiment with a run with metrics, parameters, tags and an artifact, and a registered model."""
    experiment_id = client.create_experiment(name, tags={"team": "Größe"})
    run_id = client.create_run(experiment_id, run_name=f"{name}-run").info.run_id
    client.log_batch(
        run_id, _METRICS, [Param("optimizer", "adam"), Param("empty", "")], [RunTag("stage", "test")]
    )
    client.log_metric(run_id, "accuracy", 0.75, step=3)
    artifact = folder / f"{name}.txt"
    artifact.write_text(_TEXT, encoding="utf-8")
    client.log_artifact(run_id, str(artifact), "notes")
    client.set_terminated(run_id)
    client.create_registered_model(name, description="made by a test")
    client.create_model_version(name, f"runs:/{run_id}/notes", run_id)
    client.set_registered_model_alias(name, "champion", "1")
    return Logged(name, experiment_id, run_id)


def check_everything(client: MlflowClient, logged: Logged, folder: Path) -> None:
    name = logged.name
    experiment = client.get_experiment(logged.experiment_id)
    assert (experiment.name, experiment.tags["team"]) == (name, "Größe")
    assert experiment.artifact_location.startswith("mlflow-artifacts:/")
    [run] = client.search_runs([logged.experiment_id], "params.optimizer = 'adam' and metrics.accuracy > 0.5")
    assert (run.info.run_id, run.info.status) == (logged.run_id, "FINISHED")
    assert run.data.params == {"optimizer": "adam", "empty": ""}
    assert run.data.metrics == {"loss": 1 / 20, "accuracy": 0.75}
    assert run.data.tags["stage"] == "test"
    history = client.get_metric_history(run.info.run_id, "loss")
    assert [(each.step, each.value) for each in history] == [(each.step, each.value) for each in _METRICS]
    folder.mkdir()
    path = client.download_artifacts(run.info.run_id, f"notes/{name}.txt", str(folder))
    assert Path(path).read_text(encoding="utf-8") == _TEXT
    version = client.get_model_version_by_alias(name, "champion")
    assert (version.version, version.run_id, version.status) == ("1", logged.run_id, "READY")


@dataclass(frozen=True)
class Answer:
    status: int
    body: str


def request(
    pod: Pod, path: str, host: str | None = None, method: str = "GET", body: str | None = None, **headers: str
) -> Answer:
    """One HTTP request, with exactly this Host header."""
    connection = http.client.HTTPConnection(pod.address, 5000, timeout=60)
    try:
        connection.putrequest(method, path, skip_host=True)
        connection.putheader("Host", host or host_of(pod))
        for name, value in headers.items():
            connection.putheader(name, value)
        if body is not None:
            connection.putheader("Content-Type", "application/json")
            connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body.encode() if body is not None else None)
        response = connection.getresponse()
        return Answer(response.status, response.read().decode(errors="replace"))
    finally:
        connection.close()


DEFAULT_EXPERIMENT = "/api/2.0/mlflow/experiments/get?experiment_id=0"
