"""MlflowGatewayEndpoint: made once, repaired, and its calls reach the provider with the declared key."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

import pytest
import requests
from kubelet.kubernetes import Namespace
from kubelet.pod import Pod
from repository import ROOT
from test_auth import PASSWORD, log_in, users_of
from test_objects import apply, lines, run, start, users
from tracking import client_of, url_of

pytestmark = pytest.mark.migrated

API = "/api/3.0/mlflow/gateway"
GATEWAY = {"allowPrivateAddresses": True, "allowHttp": True}
# How long a worker may keep an endpoint that it has called (MLFLOW_SERVER_SECRETS_CACHE_TTL).
CACHE_SECONDS = 60
KEYS = {"first": "sk-of-the-first-model", "second": "sk-of-the-second-model"}
SET_KEYS = 'set gateway endpoint "chat": API keys, which cannot be compared'
DECLARED = "apply-objects: applied: 0 changes, 2 objects unchanged"


class Call(NamedTuple):
    path: str
    key: str
    model: str


class Provider:
    """A stand-in of a provider with OpenAI's API, which keeps what it is asked, and fails for some models."""

    def __init__(self, address: str) -> None:
        calls: list[Call] = []
        failing: set[str] = set()

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                calls.append(Call(self.path, self.headers["Authorization"], body["model"]))
                message = {"role": "assistant", "content": f"I am {body['model']}"}
                answer = {"id": "1", "object": "chat.completion", "created": 1, "model": body["model"]}
                choice = {"index": 0, "message": message, "finish_reason": "stop"}
                usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
                data = json.dumps({**answer, "choices": [choice], "usage": usage}).encode()
                self.send_response(500 if body["model"] in failing else 200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_: object) -> None:
                pass

        self.calls, self.failing, self.url = calls, failing, f"http://{address}:8000/v1"
        self._server = ThreadingHTTPServer((address, 8000), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def take(self) -> list[Call]:
        taken = self.calls[:]
        self.calls.clear()
        return taken

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def provider(namespace: Namespace) -> Iterator[Provider]:
    provider = Provider(namespace.new_server_address())
    yield provider
    provider.stop()


def model(provider: Provider, name: str, key: str = "first") -> dict[str, Any]:
    return {"provider": "openai", "modelName": name, "apiBase": provider.url, "key": key}


def declare(namespace: Namespace, endpoints: list[dict[str, Any]], **options: Any) -> str:
    job = apply(namespace, {"endpoints": endpoints, **options}, aiGateway=GATEWAY)
    namespace.apply([users(**KEYS)])
    return job


def api(server: Pod, method: str, path: str, body: Any = None, workspace: str | None = None) -> Any:
    answer = requests.request(
        method,
        f"{url_of(server)}{API}/{path}",
        json=body,
        auth=("admin", PASSWORD),
        headers={"X-MLFLOW-WORKSPACE": workspace} if workspace else {},
        timeout=60,
    )
    assert answer.ok, answer.text
    return answer.json()


def found(server: Pod) -> dict[str, dict[str, Any]]:
    """All objects of the gateway, each kind by its names, without when it was changed."""
    lists = [
        (api(server, "GET", "secrets/list").get("secrets", []), "secret_name"),
        (api(server, "GET", "model-definitions/list").get("model_definitions", []), "name"),
        (api(server, "GET", "endpoints/list").get("endpoints", []), "name"),
    ]
    return {
        each[name]: {key: value for key, value in each.items() if not key.startswith("last_updated_")}
        for rows, name in lists
        for each in rows
    }


def ask(server: Pod, endpoint: str, workspace: str | None = None) -> str:
    answer = requests.post(
        f"{url_of(server)}/gateway/{endpoint}/mlflow/invocations",
        json={"messages": [{"role": "user", "content": "Who are you?"}]},
        auth=("admin", PASSWORD),
        headers={"X-MLFLOW-WORKSPACE": workspace} if workspace else {},
        timeout=60,
    )
    assert answer.status_code == 200, answer.text
    return str(answer.json()["choices"][0]["message"]["content"])


def ask_until(server: Pod, provider: Provider, expected: list[tuple[str, str]]) -> None:
    """Calls `chat` until its provider gets these keys and models: a worker keeps what it has for a while."""
    started = time.monotonic()
    while True:
        ask(server, "chat")
        seen = [(call.key.removeprefix("Bearer "), call.model) for call in provider.take()]
        seconds = time.monotonic() - started
        if seen == expected:
            print(f"called as declared after {seconds:.0f} s: {expected}")
            return
        assert seconds < CACHE_SECONDS + 30, seen
        time.sleep(3)


def call_of_docs(server: Pod, username: str) -> requests.Response:
    """What docs/objects.md does by curl."""
    [(path, data)] = re.findall(
        r"curl https://mlflow\.example\.com(/gateway/\S+) .*?--data '(.*?)'",
        (ROOT / "docs/objects.md").read_text(),
        re.DOTALL,
    )
    return requests.post(
        url_of(server) + path,
        data=data,
        headers={"Content-Type": "application/json"},
        auth=(username, PASSWORD),
        timeout=60,
    )


@pytest.mark.usefixtures("postgres")
def test_calls_reach_the_provider(
    namespace: Namespace, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    chat = {"endpointName": "chat", "models": [model(provider, "large"), model(provider, "small", "second")]}
    quiet = {"endpointName": "quiet", "models": [model(provider, "large")], "usageTracking": False}
    job = declare(namespace, [chat, quiet])
    server = start(namespace)
    assert lines(run(namespace, job)) == [
        'create gateway endpoint "chat"',
        'create gateway endpoint "quiet"',
        "apply-objects: applied: 2 changes, 0 objects unchanged",
    ]
    first = Call("/v1/chat/completions", f"Bearer {KEYS['first']}", "large")
    second = Call("/v1/chat/completions", f"Bearer {KEYS['second']}", "small")
    assert (ask(server, "chat"), provider.take()) == ("I am large", [first])
    provider.failing.add("large")
    assert (ask(server, "chat"), provider.take()) == ("I am small", [first, second])
    provider.failing.clear()
    ask(server, "quiet")
    provider.take()
    log_in(monkeypatch, "admin")
    client = client_of(server)
    assert client.get_experiment_by_name("gateway/chat") is not None
    assert client.get_experiment_by_name("gateway/quiet") is None
    before = found(server)
    assert lines(run(namespace, job)) == [SET_KEYS, SET_KEYS.replace("chat", "quiet"), DECLARED]
    assert found(server) == before
    assert not any(key in json.dumps(before) for key in KEYS.values())
    assert call_of_docs(server, "admin").json()["choices"][0]["message"]["content"] == "I am large"
    assert provider.take() == [first]
    users_of(server).create_user("ada", PASSWORD)
    refused = call_of_docs(server, "ada")
    assert (refused.status_code, provider.take()) == (403, []), refused.text
    check_new_key(namespace, server, provider, job)
    check_repair(namespace, server, provider, [chat, quiet])
    check_changed_declaration(namespace, server, provider, [chat, quiet])


def check_new_key(namespace: Namespace, server: Pod, provider: Provider, job: str) -> None:
    """The Job once more, which needs no other manifest. A dry run cannot see it."""
    namespace.apply([users(**{**KEYS, "first": "sk-another"})])
    run(namespace, job)
    ask_until(server, provider, [("sk-another", "large")])
    namespace.apply([users(**KEYS)])


def check_repair(
    namespace: Namespace, server: Pod, provider: Provider, declared: list[dict[str, Any]]
) -> None:
    before = found(server)
    large, small = before["chat/1"]["model_definition_id"], before["chat/2"]["model_definition_id"]
    other = {"model_definition_id": large, "model_name": "somebody else's"}
    api(server, "POST", "model-definitions/update", other)
    elsewhere = {"api_base": "http://10.0.0.1/", "organization": "mine"}
    key = {"secret_id": before["chat/2/openai"]["secret_id"], "secret_value": {"api_key": "sk-mine"}}
    api(server, "POST", "secrets/update", {**key, "auth_config": elsewhere})
    links = [{"model_definition_id": small, "linkage_type": "PRIMARY"}]
    api(
        server,
        "POST",
        "endpoints/update",
        {"endpoint_id": before["chat"]["endpoint_id"], "model_configs": links, "usage_tracking": False},
    )
    quiet = before["quiet"]["endpoint_id"]
    api(server, "POST", "endpoints/update", {"endpoint_id": quiet, "usage_tracking": True})
    changes = [
        'update gateway endpoint "chat": model 1, model 2, list of models',
        'update gateway endpoint "quiet": usageTracking',
    ]
    drifted = found(server)
    ended = run(namespace, declare(namespace, declared, dryRun=True), 7)
    assert lines(ended)[:2] == changes
    assert found(server) == drifted
    applied = lines(run(namespace, declare(namespace, declared)))
    assert applied == [*changes, "apply-objects: applied: 2 changes, 0 objects unchanged"]
    after = found(server)
    ids = ("secret_id", "model_definition_id", "endpoint_id")
    assert {name: [each.get(key) for key in ids] for name, each in after.items()} == {
        name: [each.get(key) for key in ids] for name, each in before.items()
    }
    assert [after[name] for name in ("chat/1", "chat/2", "chat/2/openai")] == [
        before[name] for name in ("chat/1", "chat/2", "chat/2/openai")
    ]
    # What is not declared stays: whether calls of the first are traced.
    assert [after[name]["usage_tracking"] for name in ("chat", "quiet")] == [False, False]
    provider.failing.add("large")
    ask_until(server, provider, [(KEYS["first"], "large"), (KEYS["second"], "small")])
    provider.failing.clear()
    assert lines(run(namespace, declare(namespace, declared, dryRun=True)))[-1] == (
        "apply-objects: unchanged: the server has all 2 objects as declared"
    )


def check_changed_declaration(
    namespace: Namespace, server: Pod, provider: Provider, declared: list[dict[str, Any]]
) -> None:
    """Another provider and no second model: the endpoint links what is declared, and nothing is deleted."""
    [chat, quiet] = declared
    groq = {"endpointName": "chat", "models": [{**model(provider, "fast", "second"), "provider": "groq"}]}
    before = found(server)
    assert lines(run(namespace, declare(namespace, [groq, quiet])))[0] == (
        'update gateway endpoint "chat": model 1, list of models'
    )
    ask_until(server, provider, [(KEYS["second"], "fast")])
    assert found(server).keys() == before.keys() | {"chat/1/groq"}
    assert lines(run(namespace, declare(namespace, declared)))[0] == (
        'update gateway endpoint "chat": model 1, list of models'
    )
    # The provider's own address again, and back.
    moved = {
        **chat,
        "models": [{key: each[key] for key in each if key != "apiBase"} for each in chat["models"]],
    }
    run(namespace, declare(namespace, [moved, quiet]))
    assert "auth_config" not in found(server)["chat/1/openai"]
    assert lines(run(namespace, declare(namespace, [moved, quiet])))[-1] == DECLARED
    run(namespace, declare(namespace, declared))
    ask_until(server, provider, [(KEYS["first"], "large")])


@pytest.mark.usefixtures("postgres")
def test_what_is_not_its_own(namespace: Namespace, provider: Provider) -> None:
    """Endpoints that link other models, and keys that cannot be sent, are refused before anything changes."""
    large = model(provider, "large")
    chat = {"endpointName": "chat", "models": [large]}
    job = declare(namespace, [chat])
    server = start(namespace)
    run(namespace, job)
    before = found(server)
    mine = {"name": "mine", "secret_id": before["chat/1/openai"]["secret_id"], "provider": "openai"}
    made = api(server, "POST", "model-definitions/create", {**mine, "model_name": "m"})["model_definition"]
    links = [{"model_definition_id": made["model_definition_id"], "linkage_type": "PRIMARY"}]
    api(server, "POST", "endpoints/create", {"name": "mine", "model_configs": links, "usage_tracking": False})
    api(
        server,
        "POST",
        "secrets/create",
        {"secret_name": "wrong/1/openai", "secret_value": {"api_key": "k"}, "provider": "groq"},
    )
    before = found(server)
    job = declare(
        namespace,
        [
            {"endpointName": "mine", "models": [large]},
            {"endpointName": "wrong", "models": [large]},
            {"endpointName": "broken", "models": [large, model(provider, "small", "second")]},
            {"endpointName": "new", "models": [large]},
        ],
    )
    namespace.apply([users(**{**KEYS, "second": "sk-with-a-line-break\n"})])
    assert run(namespace, job, 1).message.strip().splitlines()[:3] == [
        'apply-objects: impossible: gateway endpoint "broken": the API key of model 2 must be ASCII without'
        " spaces and line breaks",
        'apply-objects: impossible: gateway endpoint "mine": it is there with models that are not declared:'
        " mine. Delete it in MLflow, or declare another name",
        'apply-objects: impossible: gateway endpoint "wrong": the API key "wrong/1/openai" is there for'
        " another provider, and MLflow cannot change that. Delete it in MLflow",
    ]
    assert found(server) == before
    run(namespace, declare(namespace, [chat]))
    assert found(server).keys() == before.keys()


@pytest.mark.usefixtures("postgres")
def test_killed_and_two_at_once(namespace: Namespace, provider: Provider) -> None:
    names = [f"chat-{number}" for number in range(6)]
    endpoints = [
        {"endpointName": name, "models": [model(provider, "large"), model(provider, "small")]}
        for name in names
    ]
    job = declare(namespace, endpoints)
    server = start(namespace)
    server.wait_ready(500)
    killed = namespace.job(job)
    killed.wait_for_line('create gateway endpoint "chat-1"', 500)
    killed.kill()
    assert not found(server).keys() >= set(names)
    both = [namespace.job(job) for _ in range(2)]
    ended = [each for pod in both for each in pod.wait_completed(560)]
    assert [each.code for each in ended] == [0, 0], ended
    expected = {f"{name}{end}" for name in names for end in ("", "/1", "/2", "/1/openai", "/2/openai")}
    listed = api(server, "GET", "endpoints/list")["endpoints"]
    assert (found(server).keys(), sorted(each["name"] for each in listed)) == (expected, names)
    for name in names:
        assert ask(server, name) == "I am large"
    assert lines(run(namespace, job))[-1] == "apply-objects: applied: 0 changes, 6 objects unchanged"


@pytest.mark.usefixtures("postgres")
def test_workspaces_apart(namespace: Namespace, provider: Provider) -> None:
    teams = {"team-a": "first", "team-b": "second"}
    objects = {
        "workspaces": [{"workspaceName": team} for team in teams],
        "endpoints": [
            {"endpointName": "chat", "models": [model(provider, team, key)], "workspace": team}
            for team, key in teams.items()
        ],
    }
    job = apply(namespace, objects, workspaces=True, aiGateway=GATEWAY)
    namespace.apply([users(**KEYS)])
    server = start(namespace)
    run(namespace, job)
    for team, key in teams.items():
        assert ask(server, "chat", team) == f"I am {team}"
        assert [call.key for call in provider.take()] == [f"Bearer {KEYS[key]}"]
    assert found(server) == {}
    again = lines(run(namespace, job))
    assert again[-1] == "apply-objects: applied: 0 changes, 4 objects unchanged"
