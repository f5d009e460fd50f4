"""Webhooks against a server of a few lines; test/pods/test_object_webhooks.py has the real one."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import object_webhooks
import pytest
from declared_objects import Change, Impossible, Taken
from mlflow_api import ApiError
from object_webhooks import changes_of_webhook

CREATED = {"entity": "REGISTERED_MODEL", "action": "CREATED"}
ALIAS = {"entity": "MODEL_VERSION_ALIAS", "action": "CREATED"}
CI = {
    "kind": "webhook",
    "name": "ci",
    "url": "https://ci.example.com/",
    "events": ["model_version_alias.created", "registered_model.created"],
}
SIGNED = {**CI, "variable": "OBJECT_0_PASSWORD"}
EVENTS_IN_TYPESCRIPT = Path(__file__).parents[2] / "lib/objects/webhook-event.ts"


class Api:
    """Webhooks in memory, two on each page. `meanwhile` runs after a webhook is made, and at each pause."""

    def __init__(self) -> None:
        self.webhooks: list[dict[str, Any]] = []
        self.sent: list[tuple[str, Any]] = []
        self.meanwhile: list[Any] = []
        self.error: ApiError | None = None

    def find(self, path: str, in_workspace: str | None = None, page_token: str = "0") -> Any:
        if self.error:
            raise self.error
        assert (path, in_workspace) == ("/api/2.0/mlflow/webhooks", None)
        end = int(page_token) + 2
        answer: dict[str, Any] = {"webhooks": self.webhooks[end - 2 : end]}
        return {**answer, "next_page_token": str(end)} if end < len(self.webhooks) else answer

    def send(self, method: str, path: str, body: Any, workspace: str | None = None) -> Any:
        self.sent.append((f"{method} {path.partition('webhooks')[2]}", body))
        if method == "POST":
            made = self.make(body["name"], "own", 5)
            self.next()
            return {"webhook": made}
        if method == "DELETE":
            self.remove(path.rpartition("/")[2])
        return {}

    def make(self, name: str, identifier: str, created: int, **fields: Any) -> dict[str, Any]:
        webhook = {
            "webhook_id": identifier,
            "name": name,
            "url": CI["url"],
            "events": [CREATED, ALIAS],
            "status": "ACTIVE",
            "creation_timestamp": str(created),
            **fields,
        }
        self.webhooks.append(webhook)
        return webhook

    def remove(self, identifier: str) -> None:
        self.webhooks = [each for each in self.webhooks if each["webhook_id"] != identifier]

    def next(self) -> None:
        if self.meanwhile:
            self.meanwhile.pop(0)()


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Api:
    api = Api()
    monkeypatch.setattr(object_webhooks.time, "sleep", lambda _: api.next())
    monkeypatch.setenv("OBJECT_0_PASSWORD", "s3cret")
    return api


def changes(api: Api, declared: dict[str, Any]) -> list[Change]:
    return changes_of_webhook(api, declared)  # type: ignore[arg-type]


def test_events_are_those_of_mlflow() -> None:
    actions_of = pytest.importorskip("mlflow.entities.webhook").VALID_ENTITY_ACTIONS
    named = re.findall(r"^  (\w+) = '([\w.]+)',$", EVENTS_IN_TYPESCRIPT.read_text(), re.MULTILINE)
    assert {event: name for name, event in named} == {
        f"{entity}.{action}": f"{entity}.{action}".replace(".", "_").upper()
        for entity, actions in actions_of.items()
        for action in actions
    }


def test_a_webhook_is_made(api: Api) -> None:
    [change] = changes(api, {**SIGNED, "description": "d", "is_active": False})
    assert change.line == 'create webhook "ci"'
    change.make()
    body = {
        "name": "ci",
        "url": CI["url"],
        "events": [ALIAS, CREATED],
        "description": "d",
        "status": "DISABLED",
        "secret": "s3cret",
    }
    assert api.sent == [("POST ", body)]


def test_what_differs_is_changed(api: Api) -> None:
    for number in range(3):
        api.make(f"other-{number}", f"{number}", 1)
    api.make("ci", "a", 1, description="somebody's")
    assert changes(api, CI) == []
    [change] = changes(api, {**CI, "events": ["registered_model.created"], "is_active": False})
    assert change.line == 'update webhook "ci": events, isActive'
    change.make()
    assert api.sent == [("PATCH /a", {"events": [CREATED], "status": "DISABLED"})]
    [change] = changes(api, {**CI, "description": ""})
    assert (change.line, change.is_known) == ('update webhook "ci": description', True)


def test_a_secret_is_set_each_time(api: Api) -> None:
    api.make("ci", "a", 1)
    [change] = changes(api, SIGNED)
    assert (change.line, change.is_known) == ('set webhook "ci": secret, which cannot be compared', False)
    change.make()
    assert api.sent == [("PATCH /a", {"secret": "s3cret"})]
    [change] = changes(api, {**SIGNED, "url": "https://other.example.com/"})
    assert (change.line, change.is_known) == ('update webhook "ci": url, secret', True)


@pytest.mark.parametrize(("secret", "count"), [("", 0), ("ä" * 344, 688)])
def test_secrets_that_mlflow_cannot_keep(
    api: Api, monkeypatch: pytest.MonkeyPatch, secret: str, count: int
) -> None:
    monkeypatch.setenv("OBJECT_0_PASSWORD", secret)
    with pytest.raises(Impossible, match=f"its secret must have 1 to 687 bytes, got {count}"):
        changes(api, SIGNED)


def test_of_two_none_is_touched(api: Api) -> None:
    api.make("ci", "b", 1)
    api.make("ci", "a", 2)
    with pytest.raises(
        Impossible, match=r"there are 2 webhooks of this name: a, b\. Delete or rename all but one"
    ):
        changes(api, CI)


def make(api: Api) -> None:
    [change] = changes(api, CI)
    change.make()


def test_an_older_one_of_somebody_else_stays(api: Api) -> None:
    api.meanwhile = [lambda: api.make("ci", "theirs", 4)]
    with pytest.raises(Taken):
        make(api)
    assert [each["webhook_id"] for each in api.webhooks] == ["theirs"]
    assert changes(api, CI) == []


def test_a_newer_one_is_taken_away_by_whoever_made_it(api: Api) -> None:
    api.meanwhile = [lambda: api.make("ci", "theirs", 6), lambda: api.remove("theirs")]
    make(api)
    assert [each["webhook_id"] for each in api.webhooks] == ["own"]


def test_a_newer_one_that_nobody_takes_away_stays(api: Api) -> None:
    api.meanwhile = [lambda: api.make("ci", "theirs", 6)]
    with pytest.raises(Taken):
        make(api)
    assert [each["webhook_id"] for each in api.webhooks] == ["theirs"]


def test_a_replica_that_is_behind(api: Api) -> None:
    hidden: list[Any] = []
    api.meanwhile = [lambda: hidden.append(api.webhooks.pop()), lambda: api.webhooks.extend(hidden)]
    make(api)
    assert [method for method, _ in api.sent] == ["POST "]


@pytest.mark.parametrize(
    ("status", "text"),
    [
        (404, r"the server has no webhooks\. It needs MLflow 3\.15 or later"),
        (
            500,
            r"the server cannot list its webhooks\. If they have secrets, give it the encryption\.webhookKey",
        ),
    ],
)
def test_servers_without_webhooks(api: Api, status: int, text: str) -> None:
    api.error = ApiError("GET", "/x", status, "no")
    with pytest.raises(Impossible, match=text):
        changes(api, CI)
