"""Endpoints of the AI Gateway against a few lines; test/pods/test_object_gateway.py has the real server."""

from __future__ import annotations

from typing import Any

import pytest
from declared_objects import Change, Impossible, Taken
from mlflow_api import ApiError
from object_gateway import changes_of_gateway_endpoint

BASE = {"api_base": "http://vllm:8000/v1"}
LARGE = {"provider": "openai", "model_name": "large", "auth_config": BASE}
SMALL = {"provider": "mistral", "model_name": "small", "auth_config": {}}
CHAT = {
    "kind": "gateway endpoint",
    "name": "chat",
    "models": [LARGE, SMALL],
    "variables": ["OBJECT_0_1_PASSWORD", "OBJECT_0_2_PASSWORD"],
}
ONE = {**CHAT, "models": [LARGE]}
TAKEN = 'duplicate key value violates unique constraint "uq_endpoints_workspace_name"'


class Killed(Exception):
    pass


class Api:
    """A gateway in memory. It ends with an error before request number `kill_before`."""

    def __init__(self) -> None:
        self.secrets: dict[str, Any] = {}
        self.definitions: dict[str, Any] = {}
        self.endpoints: dict[str, Any] = {}
        self.keys: dict[str, str] = {}
        self.sent: list[str] = []
        self.bodies: list[Any] = []
        self.error: ApiError | None = None
        self.kill_before = 99

    def find(self, path: str, in_workspace: str | None = None, name: str = "") -> Any:
        if self.error:
            raise self.error
        assert in_workspace is None
        rows = {
            "secrets/list": {"secrets": list(self.secrets.values())},
            "model-definitions/list": {"model_definitions": list(self.definitions.values())},
        }
        if path.endswith("endpoints/get"):
            [found] = [each for each in self.endpoints.values() if each["name"] == name] or [None]
            return found and {"endpoint": self.linked(found)}
        return rows[path.partition("gateway/")[2]]

    def linked(self, endpoint: dict[str, Any]) -> dict[str, Any]:
        mappings = [
            {**each, "model_definition": self.definitions[each["model_definition_id"]]}
            for each in reversed(endpoint["model_configs"])
        ]
        return {**endpoint, "model_mappings": mappings}

    def send(self, method: str, path: str, body: Any, workspace: str | None = None) -> Any:
        if len(self.sent) == self.kill_before:
            raise Killed
        what, _, verb = path.partition("gateway/")[2].partition("/")
        self.sent.append(f"{what} {verb}")
        self.bodies.append(body)
        return {"secrets": self.secret, "model-definitions": self.definition, "endpoints": self.endpoint}[
            what
        ](dict(body))

    def secret(self, body: dict[str, Any]) -> Any:
        identifier = body.setdefault("secret_id", f"s-{len(self.secrets)}")
        self.keys[identifier] = body.pop("secret_value")["api_key"]
        config = body.pop("auth_config", {})
        row = self.secrets.setdefault(identifier, {"auth_config": {}})
        row |= body
        # As MLflow does: an empty one changes nothing, and an empty address is none.
        if config:
            row["auth_config"] = {name: text for name, text in config.items() if text}
        return {"secret": row}

    def definition(self, body: dict[str, Any]) -> Any:
        identifier = body.setdefault("model_definition_id", f"d-{len(self.definitions)}")
        row = self.definitions.setdefault(identifier, {})
        row |= body
        return {"model_definition": row}

    def endpoint(self, body: dict[str, Any]) -> Any:
        identifier = body.setdefault("endpoint_id", f"e-{len(self.endpoints)}")
        self.endpoints.setdefault(identifier, {"usage_tracking": True}).update(body)
        return {}


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Api:
    monkeypatch.setenv("OBJECT_0_1_PASSWORD", "sk-1")
    monkeypatch.setenv("OBJECT_0_2_PASSWORD", "sk-2")
    return Api()


def changes(api: Api, declared: dict[str, Any]) -> list[Change]:
    return changes_of_gateway_endpoint(api, declared)  # type: ignore[arg-type]


def make(api: Api, declared: dict[str, Any]) -> str:
    """Carries out the one change, and returns its line."""
    [change] = changes(api, declared)
    api.sent.clear()
    api.bodies.clear()
    change.make()
    return change.line


def test_an_endpoint_is_made(api: Api) -> None:
    assert make(api, {**CHAT, "usage_tracking": False}) == 'create gateway endpoint "chat"'
    key = {"secret_name": "chat/1/openai", "provider": "openai", "auth_config": BASE}
    assert api.bodies[:2] == [
        {"secret_value": {"api_key": "sk-1"}, **key},
        {"name": "chat/1", "provider": "openai", "model_name": "large", "secret_id": "s-0"},
    ]
    links = [
        {"model_definition_id": "d-0", "linkage_type": "PRIMARY"},
        {"model_definition_id": "d-1", "linkage_type": "FALLBACK", "fallback_order": 0},
    ]
    assert api.bodies[-1] == {"name": "chat", "model_configs": links, "usage_tracking": False}
    kinds = ["secrets create", "model-definitions create"]
    assert api.sent == [*kinds, *kinds, "endpoints create"]


def test_keys_are_set_each_time(api: Api) -> None:
    make(api, CHAT)
    [change] = changes(api, CHAT)
    assert change.line == 'set gateway endpoint "chat": API keys, which cannot be compared'
    assert not change.is_known
    make(api, CHAT)
    assert api.bodies == [
        {"secret_id": "s-0", "secret_value": {"api_key": "sk-1"}, "auth_config": BASE},
        {"secret_id": "s-1", "secret_value": {"api_key": "sk-2"}, "auth_config": {"api_base": ""}},
    ]


@pytest.mark.parametrize("before", range(5))
def test_whatever_a_killed_run_has_left_is_completed(api: Api, before: int) -> None:
    api.kill_before = before
    [change] = changes(api, CHAT)
    with pytest.raises(Killed):
        change.make()
    api.kill_before = 99
    assert make(api, CHAT) == 'create gateway endpoint "chat"'
    assert (len(api.secrets), len(api.definitions), len(api.endpoints)) == (2, 2, 1)
    [change] = changes(api, CHAT)
    assert not change.is_known


def test_what_differs_is_changed(api: Api) -> None:
    make(api, CHAT)
    api.definitions["d-0"]["model_name"] = "other"
    api.secrets["s-1"]["auth_config"] = {"api_base": "http://10.0.0.1/"}
    api.endpoints["e-0"]["fallback_config"] = {"max_attempts": 1}
    api.endpoints["e-0"]["model_configs"] = [{"model_definition_id": "d-1", "linkage_type": "PRIMARY"}]
    assert make(api, {**CHAT, "usage_tracking": False}) == (
        'update gateway endpoint "chat": model 1, model 2, list of models, usageTracking'
    )
    assert api.sent == ["secrets update", "model-definitions update", "secrets update", "endpoints update"]
    # The key and the address at once.
    assert api.bodies[2] == {
        "secret_id": "s-1",
        "secret_value": {"api_key": "sk-2"},
        "auth_config": {"api_base": ""},
    }
    assert api.bodies[3]["fallback_config"] == {"max_attempts": 1}
    assert not changes(api, {**CHAT, "usage_tracking": False})[0].is_known


def test_another_provider_gets_a_key_of_its_own(api: Api) -> None:
    """At no moment does the definition have the key of another provider."""
    make(api, ONE)
    line = make(api, {**ONE, "models": [{**SMALL, "auth_config": {"region": ""}}]})
    assert line == 'update gateway endpoint "chat": model 1'
    assert api.sent == ["secrets create", "model-definitions update"]
    assert api.definitions["d-0"] | SMALL | {"secret_id": "s-1"} == api.definitions["d-0"] | {
        "auth_config": {}
    }
    assert (len(api.secrets), api.keys["s-0"]) == (2, "sk-1")


def test_a_model_that_is_no_longer_declared_is_no_longer_linked(api: Api) -> None:
    make(api, CHAT)
    assert make(api, ONE) == 'update gateway endpoint "chat": list of models'
    assert api.bodies[-1]["model_configs"] == [{"model_definition_id": "d-0", "linkage_type": "PRIMARY"}]
    assert len(api.definitions) == 2


def test_an_endpoint_of_somebody_else_is_not_touched(api: Api) -> None:
    make(api, CHAT)
    api.definitions["d-1"]["name"] = "chat/x"
    api.definitions["d-2"] = {"name": "chat/2", "provider": "mistral"}
    with pytest.raises(
        Impossible, match=r"there with models that are not declared: chat/x\. Delete it in MLflow"
    ):
        changes(api, CHAT)


@pytest.mark.parametrize("others", [{}, {"definitions": {}, "endpoints": {}}])
def test_a_key_of_another_provider(api: Api, others: dict[str, Any]) -> None:
    make(api, CHAT)
    api.secrets["s-1"]["provider"] = "openai"
    vars(api).update(others)
    with pytest.raises(Impossible, match='the API key "chat/2/mistral" is there for another provider'):
        changes(api, CHAT)


@pytest.mark.parametrize("key", ["", "sk-1\n", "sk 1", "sk-ä"])
def test_keys_that_no_header_can_have(api: Api, monkeypatch: pytest.MonkeyPatch, key: str) -> None:
    monkeypatch.setenv("OBJECT_0_2_PASSWORD", key)
    with pytest.raises(
        Impossible, match=r"the API key of model 2 must be ASCII without spaces and line breaks"
    ):
        changes(api, CHAT)


@pytest.mark.parametrize(("said", "raised"), [(TAKEN, Taken), ("no", ApiError)])
def test_somebody_else_makes_it_meanwhile(api: Api, said: str, raised: type[Exception]) -> None:
    def refuse(_: Any) -> None:
        raise ApiError("POST", "/x", 400, {"error_code": "BAD_REQUEST", "message": said})

    api.endpoint = refuse  # type: ignore[method-assign]
    [change] = changes(api, CHAT)
    with pytest.raises(raised):
        change.make()


@pytest.mark.parametrize(
    ("status", "text"),
    [
        (404, r"the server has no AI Gateway\. It needs MLflow 3\.17 or later"),
        (501, "the AI Gateway is switched off: MLFLOW_ENABLE_AI_GATEWAY"),
    ],
)
def test_servers_without_a_gateway(api: Api, status: int, text: str) -> None:
    api.error = ApiError("GET", "/x", status, "no")
    with pytest.raises(Impossible, match=text):
        changes(api, CHAT)


def test_other_errors_are_said_as_they_are(api: Api) -> None:
    api.error = ApiError("GET", "/x", 403, "no")
    with pytest.raises(ApiError):
        changes(api, CHAT)
