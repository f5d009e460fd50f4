"""MlflowWebhook: made once, repaired, and its events arrive with the signature of its secret."""

from __future__ import annotations

import base64
import json
import queue
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import requests
from kubelet.kubernetes import Document, Namespace
from kubelet.pod import Pod
from repository import ROOT
from test_auth import PASSWORD, log_in, secret
from test_objects import apply, lines, run, start, users
from tracking import client_of, url_of

pytestmark = pytest.mark.migrated

EVENTS = ["registered_model.created", "model_version.created"]
# Neither HTTPS nor a public address.
LETS = {
    "MLFLOW_WEBHOOK_ALLOWED_SCHEMES": "https,http",
    "MLFLOW_WEBHOOK_ALLOW_PRIVATE_IPS": "true",
    "MLFLOW_WEBHOOK_CACHE_TTL": "0",
}


def shown_in_docs() -> Any:
    """The function of docs/objects.md by which a receiver verifies an event."""
    [code] = re.findall(r"```python\n(.*?)```", (ROOT / "docs/objects.md").read_text(), re.DOTALL)
    names: dict[str, Any] = {}
    exec(code, names)
    return names["is_from_mlflow"]


is_from_mlflow = shown_in_docs()


class Receiver:
    """Keeps what arrives: path, headers and body."""

    def __init__(self, address: str) -> None:
        arrived: queue.Queue[tuple[str, Any, bytes]] = queue.Queue()

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()
                arrived.put((self.path, self.headers, body))

            def log_message(self, *_: object) -> None:
                pass

        self.arrived, self.url = arrived, f"http://{address}:8080"
        self._server = ThreadingHTTPServer((address, 8080), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def take(self, secret: str | None) -> tuple[str, Any]:
        """Path and payload of the next event, whose signature is the right one."""
        path, headers, body = self.arrived.get(timeout=60)
        if secret is None:
            assert "X-MLflow-Signature" not in headers
        else:
            assert is_from_mlflow(secret, headers, body)
            assert not is_from_mlflow("another secret", headers, body)
        return path, json.loads(body)

    def assert_quiet(self) -> None:
        with pytest.raises(queue.Empty):
            self.arrived.get(timeout=3)

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def receiver(namespace: Namespace) -> Iterator[Receiver]:
    receiver = Receiver(namespace.new_server_address())
    yield receiver
    receiver.stop()


def keys(webhook_key: bytes = b"k" * 32) -> Document:
    document = secret()
    document["stringData"]["webhook-key"] = base64.urlsafe_b64encode(webhook_key).decode()
    return document


def declare(namespace: Namespace, signed_by: str, webhooks: list[dict[str, Any]], **options: Any) -> str:
    job = apply(
        namespace,
        {"webhooks": webhooks, **options},
        webhookKey=True,
        workers=2,
        extraEnvVars=LETS,
    )
    namespace.apply([keys(), users(ci=signed_by)])
    return job


def api(server: Pod, method: str, path: str = "", body: Any = None) -> Any:
    url = f"{url_of(server)}/api/2.0/mlflow/webhooks{path}"
    answer = requests.request(method, url, json=body, auth=("admin", PASSWORD), timeout=60)
    assert answer.ok, answer.text
    return answer.json()


def found(server: Pod) -> dict[str, Any]:
    return {each["name"]: each for each in api(server, "GET").get("webhooks", [])}


@pytest.mark.usefixtures("postgres")
def test_signed_events_arrive(
    namespace: Namespace, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    ci = {
        "webhookName": "ci",
        "url": f"{receiver.url}/ci",
        "events": EVENTS,
        "description": "Bereitstellung für alle",
        "signs": True,
    }
    plain = {"webhookName": "plain", "url": f"{receiver.url}/plain", "events": [EVENTS[1]], "isActive": False}
    job = declare(namespace, "first secret", [ci, plain])
    server = start(namespace)
    assert lines(run(namespace, job)) == [
        'create webhook "ci"',
        'create webhook "plain"',
        "apply-objects: applied: 2 changes, 0 objects unchanged",
    ]
    log_in(monkeypatch, "admin")
    client = client_of(server)
    client.create_registered_model("churn")
    path, payload = receiver.take("first secret")
    assert (path, payload["entity"], payload["action"]) == ("/ci", "registered_model", "created")
    assert payload["data"]["name"] == "churn"
    again = [
        'set webhook "ci": secret, which cannot be compared',
        'unchanged webhook "plain"',
        "apply-objects: applied: 0 changes, 2 objects unchanged",
    ]
    assert lines(run(namespace, job)) == again
    check_new_secret(namespace, server, receiver, job)
    check_repair(namespace, server, receiver, [ci, plain])
    check_what_is_not_its_own(namespace, server, receiver, [ci, plain])
    server.delete()
    namespace.apply([keys(b"x" * 32)])
    start(namespace)
    message = run(namespace, job, 1).message
    assert "the server cannot list its webhooks. If they have secrets, give it the encryption" in message


def check_new_secret(namespace: Namespace, server: Pod, receiver: Receiver, job: str) -> None:
    """The Job once more, which needs no other manifest. A dry run cannot see it."""
    namespace.apply([users(ci="second secret")])
    run(namespace, job)
    client_of(server).create_registered_model("second")
    assert receiver.take("second secret")[1]["data"]["name"] == "second"


def check_repair(
    namespace: Namespace, server: Pod, receiver: Receiver, declared: list[dict[str, Any]]
) -> None:
    before = found(server)
    event = {"entity": "PROMPT", "action": "CREATED"}
    other = {"url": f"{receiver.url}/other", "events": [event], "status": "DISABLED", "description": ""}
    api(server, "PATCH", f"/{before['ci']['webhook_id']}", {**other, "secret": "somebody else's"})
    api(server, "PATCH", f"/{before['plain']['webhook_id']}", {"status": "ACTIVE", "description": "stays"})
    changes = [
        'update webhook "ci": url, events, description, secret',
        'update webhook "plain": isActive',
    ]
    dry = declare(namespace, "second secret", declared, dryRun=True)
    ended = run(namespace, dry, 7)
    assert lines(ended)[:2] == changes
    assert found(server)["ci"]["url"] == other["url"]
    job = declare(namespace, "second secret", declared)
    applied = lines(run(namespace, job))
    assert applied == [*changes, "apply-objects: applied: 2 changes, 0 objects unchanged"]
    after = found(server)
    assert {name: each["webhook_id"] for name, each in after.items()} == {
        name: each["webhook_id"] for name, each in before.items()
    }
    # What is not declared stays: whether it is active, and the other's description.
    assert (after["ci"]["status"], after["plain"]["status"]) == ("DISABLED", "DISABLED")
    assert (after["ci"]["description"], after["plain"]["description"]) == ("Bereitstellung für alle", "stays")
    api(server, "PATCH", f"/{after['ci']['webhook_id']}", {"status": "ACTIVE"})
    client_of(server).create_registered_model("third")
    assert receiver.take("second secret")[0] == "/ci"
    receiver.assert_quiet()
    assert lines(run(namespace, declare(namespace, "second secret", declared, dryRun=True)))[-1] == (
        "apply-objects: unchanged: the server has all 2 objects as declared"
    )


def check_what_is_not_its_own(
    namespace: Namespace, server: Pod, receiver: Receiver, declared: list[dict[str, Any]]
) -> None:
    """Another webhook stays, and of two with one name nobody knows which is meant."""
    url = f"{receiver.url}/mine"
    mine = {"name": "mine", "url": url, "events": [{"entity": "PROMPT", "action": "CREATED"}]}
    ids = [api(server, "POST", "", mine)["webhook"]["webhook_id"] for _ in range(2)]
    run(namespace, declare(namespace, "second secret", declared))
    assert {"ci", "plain", "mine"} == set(found(server))
    both = [{**declared[0], "signs": False}, {"webhookName": "mine", "url": url, "events": EVENTS}]
    message = run(namespace, declare(namespace, "second secret", both), 1).message
    assert message.strip() == (
        'apply-objects: impossible: webhook "mine": there are 2 webhooks of this name:'
        f" {', '.join(sorted(ids))}. Delete or rename all but one of them"
    )
    assert len(api(server, "GET")["webhooks"]) == 4


@pytest.mark.usefixtures("postgres")
def test_two_jobs_at_once_make_one(namespace: Namespace, receiver: Receiver) -> None:
    names = [f"ci-{number}" for number in range(4)]
    webhooks = [{"webhookName": name, "url": receiver.url, "events": EVENTS} for name in names]
    job = declare(namespace, "a secret", webhooks)
    server = start(namespace)
    server.wait_ready(500)
    both = [namespace.job(job) for _ in range(2)]
    ended = [each for pod in both for each in pod.wait_completed(560)]
    assert [each.code for each in ended] == [0, 0], ended
    assert sorted(each["name"] for each in api(server, "GET")["webhooks"]) == names


@pytest.mark.usefixtures("postgres")
def test_events_stay_in_their_workspace(namespace: Namespace, receiver: Receiver) -> None:
    """MLflow keeps a list of webhooks for each event, whichever workspace it was of."""
    teams = ("team-a", "team-b")
    objects = {
        "workspaces": [{"workspaceName": team} for team in teams],
        "webhooks": [
            {"webhookName": "ci", "url": f"{receiver.url}/{team}", "events": EVENTS, "workspace": team}
            for team in teams
        ],
    }
    lets = {name: value for name, value in LETS.items() if not name.endswith("TTL")}
    job = apply(namespace, objects, workspaces=True, webhookKey=True, extraEnvVars=lets)
    namespace.apply([keys()])
    server = start(namespace)
    run(namespace, job)
    for team in teams:
        requests.post(
            f"{url_of(server)}/api/2.0/mlflow/registered-models/create",
            json={"name": "churn"},
            auth=("admin", PASSWORD),
            headers={"X-MLFLOW-WORKSPACE": team},
            timeout=60,
        ).raise_for_status()
        path, payload = receiver.take(None)
        assert (path, payload["workspace"]) == (f"/{team}", team)
