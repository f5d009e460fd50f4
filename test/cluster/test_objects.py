"""Objects of MLflow that an app declares: their Job, with its own rights, beside an isolated server."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import stand_in
from cluster import Failed, Namespace, new_namespace
from release import CLIENT, Release
from settings import MLFLOW_IMAGE
from test_operations import finished

from examples import BY_NAME

EXAMPLE = BY_NAME["objects"]
LABEL = {"mlflow-client": "true"}  # of those that an isolated server lets in
# The login of the pipeline may change its model, and only read the experiment of another.
PIPELINE = """
import mlflow
client = mlflow.MlflowClient()
print("tags:", client.get_experiment_by_name("churn").tags["team"])
client.set_registered_model_tag("churn-model", "by", "pipeline")
print("model:", client.get_registered_model("churn-model").tags)
try:
    client.set_experiment_tag(client.get_experiment_by_name("churn").experiment_id, "team", "other")
except mlflow.MlflowException as error:
    print("refused:", error.error_code)
"""


@pytest.fixture(scope="module")
def release(synthesized: Path) -> Iterator[Release]:
    with new_namespace("objects") as namespace:
        namespace.create_pod(CLIENT, MLFLOW_IMAGE, 1001, LABEL)
        stand_in.provide(namespace, EXAMPLE)
        release = Release(EXAMPLE, namespace, synthesized)
        named = r"(?m)((?:^|\s)namespace: |\bmlflow\.)mlflow\b"
        release.manifest = re.sub(named, rf"\g<1>{namespace.name}", for_this_cluster(release.manifest))
        release.start()
        yield release


def for_this_cluster(manifest: str) -> str:
    """With a receiver whose name resolves here: MLflow takes no other."""
    threads = r"( +)- name: SERVER_THREADS\n"
    allowed = r'\1- name: MLFLOW_WEBHOOK_ALLOW_PRIVATE_IPS\n\1  value: "true"\n\g<0>'
    return re.sub(threads, allowed, manifest).replace("https://ci.example.com/", f"https://{EXAMPLE.host}/")


def the_job(namespace: Namespace) -> str:
    [job] = namespace.kubectl("get", "jobs", "-o", "name").split()
    return job


def login(namespace: Namespace) -> dict[str, str]:
    data = namespace.get("secret", "pipeline-login")["data"]
    return {key: base64.b64decode(value).decode() for key, value in data.items()}


def test_one_apply_makes_all(release: Release) -> None:
    log = finished(release.namespace, the_job(release.namespace))
    print(log)
    assert log.splitlines()[-1] == "apply-objects: applied: 7 changes, 0 objects unchanged"


def test_the_login_that_was_made(release: Release) -> None:
    made = login(release.namespace)
    assert made["username"] == "pipeline"
    assert made["password"] not in release.manifest
    names = {"username": "USERNAME", "password": "PASSWORD"}
    environment = [f"MLFLOW_TRACKING_{names[key]}={value}" for key, value in made.items()]
    uri = "MLFLOW_TRACKING_URI=http://mlflow:5000"
    command = ["env", uri, *environment, "python", "-c", PIPELINE]
    said = release.namespace.kubectl("exec", CLIENT, "--", *command).splitlines()
    assert said == ["tags: retention", "model: {'by': 'pipeline'}", "refused: PERMISSION_DENIED"]


def test_drift_is_repaired_as_the_documentation_says(release: Release) -> None:
    namespace = release.namespace
    before, first = login(namespace), the_job(namespace)
    uid = namespace.get(first)["metadata"]["uid"]
    change = "import mlflow; client = mlflow.MlflowClient('http://mlflow:5000');"
    change += "client.update_registered_model('churn-model', 'Nobody')"
    namespace.kubectl("exec", CLIENT, "--", "env", *release.login(), "python", "-c", change)
    namespace.kubectl("delete", "job", "-l", "app.kubernetes.io/instance=mlflow-objects")
    release.apply()
    assert the_job(namespace) == first
    assert namespace.get(first)["metadata"]["uid"] != uid
    log = finished(namespace, first)
    print(log)
    changes = [line for line in log.splitlines() if not line.startswith(("unchanged ", "waiting: "))]
    assert len(changes) == 3, changes
    assert changes[0].startswith('update registered model "churn-model"')
    assert changes[1].startswith('set webhook "ci": secret')
    assert login(namespace) == before


def test_what_the_account_of_the_job_may_do(release: Release) -> None:
    """RBAC cannot limit `create` to names, so that it holds for any."""
    may = {
        f"{verb} {what}"
        for verb in ("get", "list", "create", "update", "delete")
        for what in ("secrets/pipeline-login", "secrets/mlflow-auth", "secrets", "pods", "configmaps")
        if allows(release.namespace, verb, what)
    }
    created = {f"create secrets{name}" for name in ("", "/pipeline-login", "/mlflow-auth")}
    assert may == {"get secrets/pipeline-login", *created}


def allows(namespace: Namespace, verb: str, what: str) -> bool:
    account = f"--as=system:serviceaccount:{namespace.name}:mlflow-objects"
    try:
        return namespace.kubectl("auth", "can-i", verb, what, account).strip() == "yes"
    except Failed:
        return False
