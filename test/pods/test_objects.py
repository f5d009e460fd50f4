"""MlflowObjects: what is declared is made, once, and repaired; nothing else is touched."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import synthesis
from api_server import ApiServer
from conftest import CERTIFICATES
from kubelet.container import Ended
from kubelet.kubernetes import Document, Namespace
from kubelet.pod import Pod
from mlflow import MlflowClient, MlflowException
from test_auth import PASSWORD, log_in, secret, users_of
from test_server_certificate import server_certificate
from tracking import client_of

pytestmark = pytest.mark.migrated

MEMBER = {"username": "member"}
CHURN = {
    "experimentName": "churn/v2",
    "description": "Who leaves?",
    "tags": {"team": "Größe", "cost center": "7"},
}
MODEL = {"modelName": "churn", "description": "Kündigung", "tags": {"team": "a"}}
MAY_EDIT = {"on": "experiment", "of": "churn/v2", "username": "member", "level": "EDIT"}
OBJECTS = {
    "experiments": [CHURN, {"experimentName": "elsewhere", "artifactLocation": "mlflow-artifacts:/other/"}],
    "models": [MODEL],
    "users": [MEMBER],
    "permissions": [
        MAY_EDIT,
        {"on": "registeredModel", "of": "churn", "username": "ci", "level": "MANAGE"},
    ],
    "serviceUsers": [{"username": "ci", "secretName": "ci-login"}],
}


def users(**passwords: str) -> Document:
    return {"kind": "Secret", "metadata": {"name": "users"}, "stringData": passwords}


@pytest.fixture
def api_server(namespace: Namespace, tmp_path: Path) -> Iterator[ApiServer]:
    namespace.api_server, namespace.account_token = namespace.new_server_address(), "token-of-objects"
    folder = tmp_path / "api-server"
    shutil.copytree(CERTIFICATES, folder)
    server = ApiServer(namespace.api_server, folder, namespace.account_token)
    ca = {"ca.crt": (folder / "ca.crt").read_text()}
    namespace.apply([{"kind": "ConfigMap", "metadata": {"name": "kube-root-ca.crt"}, "data": ca}])
    yield server
    server.stop()


def apply(namespace: Namespace, objects: dict[str, Any], **options: Any) -> str:
    """Applies a server with basic auth and its objects, and returns the name of the Job."""
    documents = synthesis.server(basicAuth={"defaultPermission": "READ"}, objects=objects, **options)
    namespace.apply([secret(), users(member=PASSWORD), *documents])
    [name] = [each["metadata"]["name"] for each in documents if each["kind"] == "Job"]
    return str(name)


def start(namespace: Namespace) -> Pod:
    [pod] = namespace.deployment()
    namespace.hosts["mlflow"] = pod.address
    return pod


def run(namespace: Namespace, name: str, code: int = 0) -> Ended:
    [ended] = namespace.job(name).wait_completed(560)
    assert ended.code == code, ended
    return ended


def lines(ended: Ended) -> list[str]:
    """The log, without what it says while it waits for the server."""
    return [line for line in ended.log.splitlines() if not line.startswith("waiting: ")]


@pytest.mark.usefixtures("postgres")
def test_made_once_and_repaired(
    namespace: Namespace, api_server: ApiServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = apply(namespace, OBJECTS)
    server = start(namespace)
    # The Job starts with the server, and waits for it.
    assert lines(run(namespace, job)) == [
        'create experiment "churn/v2"',
        'create experiment "elsewhere"',
        'create registered model "churn"',
        'create user "member"',
        'create Secret "ci-login" with a new password of service user "ci"',
        'grant permission "ci on registered model churn": MANAGE',
        'grant permission "member on experiment churn/v2": EDIT',
        "apply-objects: applied: 7 changes, 0 objects unchanged",
    ]
    log_in(monkeypatch, "admin")
    client = client_of(server)
    check_made(client)
    again = lines(run(namespace, job))
    assert again[-1] == "apply-objects: applied: 0 changes, 7 objects unchanged"
    assert {line.split()[0] for line in again[:-1]} == {"unchanged"}
    check_permissions(server, monkeypatch, api_server)
    check_drift(namespace, client, job, monkeypatch)
    check_rotation(namespace, server, job, api_server, monkeypatch)
    check_takeover(namespace, server, api_server, monkeypatch)


def check_made(client: MlflowClient) -> None:
    churn = client.get_experiment_by_name("churn/v2")
    assert (
        churn.tags.items()
        >= {"team": "Größe", "cost center": "7", "mlflow.note.content": "Who leaves?"}.items()
    )
    assert (
        client.get_experiment_by_name("elsewhere").artifact_location.rstrip("/") == "mlflow-artifacts:/other"
    )
    model = client.get_registered_model("churn")
    assert (model.description, model.tags) == ("Kündigung", {"team": "a"})


def check_permissions(server: Pod, monkeypatch: pytest.MonkeyPatch, api_server: ApiServer) -> None:
    client = client_of(server)
    ids = {name: client.get_experiment_by_name(name).experiment_id for name in ("churn/v2", "elsewhere")}
    log_in(monkeypatch, "member")
    client.create_run(ids["churn/v2"])
    with pytest.raises(MlflowException, match=r"403|Permission denied"):
        client.create_run(ids["elsewhere"])
    log_in(monkeypatch, "ci", api_server.texts("ci-login")["password"])
    client.update_registered_model("churn", "by a pipeline")
    with pytest.raises(MlflowException, match=r"403|Permission denied"):
        client.create_run(ids["churn/v2"])
    log_in(monkeypatch, "admin")


def check_drift(
    namespace: Namespace, client: MlflowClient, job: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By hand: a description, a tag, a password and a permission are changed, another tag is added."""
    churn = client.get_experiment_by_name("churn/v2").experiment_id
    client.set_experiment_tag(churn, "team", "other")
    client.set_experiment_tag(churn, "mine", "stays")
    server = namespace.pods[0]
    users_of(server).update_user_password("member", "another password")
    users_of(server).revoke_user_permission("ci", "registered_model", "churn")
    users_of(server).grant_user_permission("ci", "registered_model", "churn", "READ")
    changes = [
        'update experiment "churn/v2": tag "team"',
        'update registered model "churn": description',
        'update user "member": password',
        'update permission "ci on registered model churn": MANAGE instead of READ',
    ]
    dry = run(namespace, apply(namespace, {**OBJECTS, "dryRun": True}), 7)
    assert [line for line in lines(dry) if line.startswith("update ")] == changes
    would = "apply-objects: would-change: 4 changes would be made. Apply them without dryRun"
    assert would in dry.message
    assert client.get_experiment(churn).tags["team"] == "other"

    applied = lines(run(namespace, job))
    assert [line for line in applied if line.startswith("update ")] == changes
    assert applied[-1] == "apply-objects: applied: 4 changes, 3 objects unchanged"
    check_made(client)
    assert client.get_experiment(churn).tags["mine"] == "stays"
    log_in(monkeypatch, "member")
    client.create_run(churn)
    log_in(monkeypatch, "admin")
    dry = run(namespace, apply(namespace, {**OBJECTS, "dryRun": True}))
    assert lines(dry)[-1] == "apply-objects: unchanged: the server has all 7 objects as declared"


def check_rotation(
    namespace: Namespace, server: Pod, job: str, api_server: ApiServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without its Secret, a service user gets a new password. Then there is a Secret, and no user."""
    old = api_server.texts("ci-login")
    assert (old["username"], len(old["password"])) == ("ci", 43)
    del api_server.secrets["ci-login"]
    run(namespace, job)
    new = api_server.texts("ci-login")
    assert new["password"] != old["password"]
    log_in(monkeypatch, "ci", new["password"])
    client_of(server).get_experiment("0")
    log_in(monkeypatch, "ci", old["password"])
    with pytest.raises(MlflowException, match="401"):
        client_of(server).get_experiment("0")

    log_in(monkeypatch, "admin")
    users_of(server).delete_user("ci")
    applied = lines(run(namespace, job))
    assert [line for line in applied if not line.startswith("unchanged ")] == [
        'create service user "ci"',
        'grant permission "ci on registered model churn": MANAGE',
        "apply-objects: applied: 2 changes, 5 objects unchanged",
    ]
    assert api_server.texts("ci-login") == new
    log_in(monkeypatch, "ci", new["password"])
    client_of(server).get_experiment("0")
    assert {method for method, _ in api_server.requests} == {"GET", "POST"}
    log_in(monkeypatch, "admin")


def check_takeover(
    namespace: Namespace, server: Pod, api_server: ApiServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What people have made: taken over where it can be, and said, all at once, where it cannot."""
    client = client_of(server)
    theirs = client.create_experiment("theirs", tags={"a": "1"})
    job = apply(namespace, {"experiments": [{"experimentName": "theirs", "tags": {"b": "2"}}]})
    assert lines(run(namespace, job))[0] == 'update experiment "theirs": tag "b"'
    assert client.get_experiment(theirs).tags == {"a": "1", "b": "2"}

    client.delete_experiment(theirs)
    client.register_prompt("prompt", "Hi {{name}}")
    api_server.secrets["other-login"] = {"data": {}}
    impossible = {
        "experiments": [
            {"experimentName": "theirs"},
            {"experimentName": "churn/v2", "artifactLocation": "s3://models/churn"},
            {"experimentName": "new"},
        ],
        "models": [{"modelName": "prompt"}],
        "users": [{"username": "short"}],
        "serviceUsers": [{"username": "robot", "secretName": "other-login"}],
        "permissions": [{**MAY_EDIT, "of": "no such"}, {**MAY_EDIT, "username": "nobody"}],
    }
    name = apply(namespace, impossible)
    namespace.apply([users(short="elf zeichen")])
    message = run(namespace, name, 1).message
    assert [
        line.split(": ", 2)[2] for line in message.splitlines() if line.startswith("apply-objects: ")
    ] == [
        'experiment "churn/v2": its artifacts are in mlflow-artifacts:/1, not in s3://models/churn,'
        " and MLflow cannot change that. Declare that location or none, or another name",
        f'experiment "theirs": it was deleted. Restore it by `mlflow experiments restore -x {theirs}`,'
        " or declare another name",
        'registered model "prompt": a prompt has this name. Declare another name',
        'user "short": its password has fewer than 12 characters, which MLflow requires',
        'service user "robot": the Secret "other-login" is not the login of this user.'
        " Declare another secretName, or delete the Secret",
        'permission "member on experiment no such": there is no experiment "no such".'
        " Declare it, or wait until somebody has made it",
        'permission "nobody on experiment churn/v2": there is no user "nobody".'
        " Declare an MlflowUser or an MlflowServiceUser",
    ]
    assert client.get_experiment_by_name("new") is None


@pytest.mark.usefixtures("postgres")
def test_two_jobs_at_once(namespace: Namespace, api_server: ApiServer) -> None:
    job = apply(namespace, OBJECTS)
    start(namespace).wait_ready(500)
    both = [namespace.job(job) for _ in range(2)]
    ended = [each for pod in both for each in pod.wait_completed(560)]
    assert [each.code for each in ended] == [0, 0], ended
    made = [line for each in ended for line in lines(each) if line.startswith(("create exp", "create reg"))]
    assert len(made) == len(set(made)) == 3
    again = run(namespace, job)
    assert lines(again)[-1] == "apply-objects: applied: 0 changes, 7 objects unchanged"


@pytest.mark.usefixtures("postgres")
def test_workspaces_behind_a_prefix_and_a_certificate(namespace: Namespace) -> None:
    """Each workspace has experiments and models of its own, also of the same names."""
    objects = {
        "ca": "ca.crt",
        "workspaces": [{"workspaceName": "team-a", "description": "A"}, {"workspaceName": "team-b"}],
        "experiments": [{"experimentName": "churn", "workspace": f"team-{x}"} for x in "ab"],
        "models": [{"modelName": "churn", "workspace": "team-b", "tags": {"x": "y"}}],
        "users": [MEMBER],
        "permissions": [
            {"on": "workspace", "of": "team-b", "username": "member", "level": "USE"},
            {"on": "experiment", "of": "churn", "workspace": "team-a", "username": "member", "level": "EDIT"},
        ],
    }
    tls = server_certificate()
    tls["stringData"]["ca.crt"] = (CERTIFICATES / "ca.crt").read_text()
    namespace.apply([tls])
    job = apply(namespace, objects, workspaces=True, staticPrefix="/ml/flow", certificate="mlflow-tls")
    address = start(namespace).address
    assert lines(run(namespace, job))[-1] == "apply-objects: applied: 8 changes, 0 objects unchanged"
    again = run(namespace, job)
    assert lines(again)[-1] == "apply-objects: applied: 0 changes, 8 objects unchanged"

    def ask(user: str, workspace: str, path: str) -> tuple[int, Any]:
        answer = requests.get(
            f"https://{address}:5000/ml/flow/api/2.0/mlflow/{path}",
            auth=(user, PASSWORD),
            headers={"X-MLFLOW-WORKSPACE": workspace},
            verify=False,
            timeout=60,
        )
        return answer.status_code, answer.json() if answer.ok else None

    churn = "experiments/get-by-name?experiment_name=churn"
    ids = {ask("admin", f"team-{x}", churn)[1]["experiment"]["experiment_id"] for x in "ab"}
    assert len(ids) == 2
    model = "registered-models/get?name=churn"
    seen = {(x, path): ask("member", f"team-{x}", path)[0] for x in "ab" for path in (churn, model)}
    # A member may make what is missing, and sees nothing of others without a permission.
    assert seen == {("a", churn): 200, ("a", model): 403, ("b", churn): 403, ("b", model): 403}
    default = "experiments/get?experiment_id=0"
    assert [ask(user, "default", default)[0] for user in ("admin", "member")] == [200, 403]

    wrong = apply(
        namespace,
        {"ca": "ca.crt", "experiments": [{"experimentName": "x", "workspace": "team-c"}]},
        workspaces=True,
        staticPrefix="/ml/flow",
        certificate="mlflow-tls",
    )
    assert 'there is no workspace "team-c". Declare an MlflowWorkspace' in run(namespace, wrong, 1).message
    namespace.apply([secret("another password")])
    message = run(namespace, job, 1).message
    assert message.startswith("apply-objects: wrong-login: the server answered 401"), message
