"""Which requests take the short way, what stays on it, and that the long way serves what is unexpected."""

from __future__ import annotations

import asyncio
import logging
import sys
import threading
import time
from collections.abc import Iterator
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

anyio = pytest.importorskip("anyio")
direct_api = pytest.importorskip("direct_api")

from fastapi import FastAPI  # noqa: E402
from flask import Flask, request  # noqa: E402
from starlette.middleware.wsgi import WSGIMiddleware, build_environ  # noqa: E402
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware  # noqa: E402

SEARCH = "/api/2.0/mlflow/runs/search"
LEFT_OUT = [
    ("add_fastapi_workspace_middleware", "mlflow.server.fastapi_app"),
    ("add_gateway_timing_middleware", "mlflow.server.fastapi_app"),
    ("add_fastapi_artifact_transfer_middleware", "mlflow.server.fastapi_app"),
    ("add_fastapi_permission_middleware", "mlflow.server.auth"),
]
PASSED = "middlewares that a request has passed"


def _adder(name: str, module: str) -> Any:
    """A function of MLflow that adds a middleware: it is known by its names."""

    def add(app: FastAPI) -> None:
        async def middleware(asked: Any, call_next: Any) -> Any:
            asked.scope[PASSED].append(name)
            return await call_next(asked)

        middleware.__module__, middleware.__qualname__ = module, f"{name}.<locals>.middleware"
        app.middleware("http")(middleware)

    add.__qualname__ = name
    return add


class KeptMiddleware:
    def __init__(self, app: Any) -> None:
        self._app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        scope.setdefault(PASSED, []).append("kept")
        await self._app(scope, receive, send)


class Responder(WSGIMiddleware):
    """Stands for MLflow's own, which is known by its type."""


def _flask() -> Flask:
    app = Flask("mlflow")

    @app.route(SEARCH, methods=["GET", "POST"])
    def search() -> str:
        name = threading.current_thread().name
        return f"{name} {request.get_data(as_text=True)} {request.headers.get('X-MLFLOW-WORKSPACE')}"

    @app.route("/api/2.0/mlflow/runs/stream")
    def stream() -> Iterator[str]:
        return (str(part) for part in range(3))

    for path in ("/api/2.0/mlflow/runs/<run>", "/ajax-api/2.0/mlflow/runs/search", "/health"):
        app.add_url_rule(path, path, lambda run="": "other")
    for path in ("/api/2.0/mlflow/native", "/api/2.0/mlflow/checked"):
        app.add_url_rule(path, path, lambda: "Flask")
    return app


@pytest.fixture(autouse=True)
def modules(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLFLOW_ENABLE_WORKSPACES", raising=False)
    for name, content in {
        "mlflow": {},
        "mlflow.server": {},
        "mlflow.server.fastapi_app": {"_EfficientWSGIMiddleware": Responder},
        "mlflow.server.auth": {
            "_find_fastapi_validator": lambda path, method: path.endswith("checked") or None
        },
    }.items():
        module = ModuleType(name)
        vars(module).update(content)
        vars(module).update({each: _adder(each, name) for each, of in LEFT_OUT if of == name})
        monkeypatch.setitem(sys.modules, name, module)


def app_of(*middlewares: tuple[str, str], mounted: type = Responder) -> FastAPI:
    app = FastAPI()
    app.add_middleware(KeptMiddleware)
    for name, module in middlewares:
        _adder(name, module)(app)
    app.add_middleware(KeptMiddleware)
    app.get("/api/2.0/mlflow/native")(lambda: "FastAPI")
    app.mount("/", mounted(_flask()))
    return app


class Asked:
    def __init__(self, app: Any, path: str = SEARCH, *messages: dict[str, Any], **scope: Any) -> None:
        headers = [(name.encode(), value.encode()) for name, value in scope.pop("headers", {}).items()]
        self.scope = {"type": "http", "http_version": "1.1", "method": "POST", "path": path, "root_path": ""}
        self.scope |= {
            "query_string": b"",
            "headers": headers,
            "server": ("localhost", 1),
            PASSED: [],
            **scope,
        }
        self.sent: list[dict[str, Any]] = []
        waiting = list(messages) or [{"type": "http.request", "body": b"", "more_body": False}]

        async def receive() -> dict[str, Any]:
            return waiting.pop(0) if waiting else {"type": "http.disconnect"}

        async def send(message: dict[str, Any]) -> None:
            self.sent.append(message)

        asyncio.run(app(self.scope, receive, send))

    @property
    def passed(self) -> list[str]:
        return self.scope[PASSED]

    @property
    def text(self) -> str:
        return b"".join(each.get("body", b"") for each in self.sent).decode()


def test_only_what_does_nothing_is_left_out() -> None:
    other = ("add_audit", "company.audit")
    lookalike = ("add_fastapi_workspace_middleware", "company.audit")
    app = direct_api.DirectApi(app_of(*LEFT_OUT, other, lookalike))
    stays = ["kept", lookalike[0], other[0], "kept"]
    assert Asked(app).passed == stays
    everything = [name for name, _ in reversed([*LEFT_OUT, other, lookalike])]
    assert Asked(app, "/health", method="GET").passed == ["kept", *everything, "kept"]


def test_paths_with_a_short_way() -> None:
    app = direct_api.DirectApi(app_of(*LEFT_OUT))
    # Not the route of FastAPI, nor what FastAPI checks, nor variable parts, nor the UI's.
    assert app.paths == {SEARCH, "/api/2.0/mlflow/runs/stream"}
    assert "/api/2.0/mlflow/checked" in direct_api.DirectApi(app_of(*LEFT_OUT[:3])).paths


@pytest.mark.parametrize(
    ("prefix", "paths"),
    [
        ("/api/2.0/mlflow", {f"/api/2.0/mlflow{SEARCH}"}),
        ("/team/", {f"/team{SEARCH}"}),
        ("", {f"{SEARCH}"}),
    ],
)
def test_paths_below_a_static_prefix(prefix: str, paths: set[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Only those that are of the REST API behind the prefix, whatever the prefix is."""
    flask = Flask("mlflow")
    for path in (SEARCH, "/ajax-api/2.0/mlflow/upload-artifact", "/get-artifact"):
        flask.add_url_rule(prefix.rstrip("/") + path, path, lambda: "Flask")
    app = FastAPI()
    app.mount("/", Responder(flask))
    monkeypatch.setenv("_MLFLOW_STATIC_PREFIX", prefix)
    assert direct_api.DirectApi(app).paths == paths


@pytest.mark.parametrize(
    ("scope", "is_short"),
    [
        ({}, True),
        ({"method": "GET"}, True),
        ({"headers": {"content-length": "1048576"}}, True),
        ({"headers": {"content-length": "1048577"}}, False),
        ({"headers": {"content-length": "+3"}}, False),
        # More digits than Python takes as a number.
        ({"headers": {"content-length": "0" * 5000 + "3"}}, False),
        ({"headers": {"content-length": "3, 3"}}, False),
        ({"headers": {"content-length": ""}}, False),
        ({"headers": {"transfer-encoding": "chunked"}}, False),
        ({"headers": {"expect": "100-continue"}}, False),
        ({"headers": {"upgrade": "websocket"}}, False),
        ({"headers": {"x-mlflow-workspace": ""}}, False),
        ({"headers": {"x_mlflow_workspace": "team"}}, False),
        ({"headers": {"x-mlflow_workspace": "team"}}, False),
        ({"method": "HEAD"}, False),
        ({"method": "OPTIONS"}, False),
        ({"method": "DELETE"}, False),
        ({"method": "get"}, False),
        ({"root_path": "/team"}, False),
        ({"path": f"{SEARCH}/"}, False),
        ({"path": f"/{SEARCH}"}, False),
        ({"path": SEARCH.upper()}, False),
    ],
)
def test_requests_with_a_short_way(scope: dict[str, Any], is_short: bool) -> None:
    app = direct_api.DirectApi(app_of(LEFT_OUT[0]))
    path = scope.pop("path", SEARCH)
    assert (LEFT_OUT[0][0] not in Asked(app, path, **scope).passed) == is_short


@pytest.mark.parametrize("first", [b"3", b"0"])
def test_a_length_that_is_given_twice_takes_the_long_way(first: bytes) -> None:
    headers = [(b"content-length", first), (b"content-length", b"3")]
    assert not direct_api._is_plain({"headers": headers, "method": "POST"})


def test_a_middleware_sees_the_app_on_the_short_way() -> None:
    app = app_of()
    seen: list[Any] = []

    async def look(asked: Any, call_next: Any) -> Any:
        seen.append(asked.app)
        return await call_next(asked)

    app.middleware("http")(look)
    assert Asked(direct_api.DirectApi(app)).passed == ["kept", "kept"]
    [short] = seen
    assert (type(short), short.state, short.routes) == (FastAPI, app.state, app.routes)


@pytest.mark.parametrize("path", [SEARCH, "/health"])
def test_who_counts_the_calls_of_apps_counts_both_ways(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """FastAPI's own telemetry and agents such as Sentry's begin there."""
    app, counted = direct_api.DirectApi(app_of()), []
    call = FastAPI.__call__

    async def count(self: FastAPI, scope: Any, receive: Any, send: Any) -> None:
        counted.append(scope["path"])
        await call(self, scope, receive, send)

    monkeypatch.setattr(FastAPI, "__call__", count)
    Asked(app, path)
    assert counted == [path]


def test_handlers_run_in_anyios_threads_with_the_body_in_parts() -> None:
    parts = [{"type": "http.request", "body": part, "more_body": part != b"c"} for part in (b"a", b"b", b"c")]
    answer = Asked(direct_api.DirectApi(app_of()), SEARCH, *parts, headers={"content-length": "3"})
    assert answer.text == "AnyIO worker thread abc None"
    assert [each["type"] for each in answer.sent] == ["http.response.start", "http.response.body"]
    assert (b"content-length", str(len(answer.text)).encode()) in answer.sent[0]["headers"]


def test_a_client_that_goes_away_before_its_body_is_whole_is_not_served() -> None:
    part = {"type": "http.request", "body": b"a", "more_body": True}
    answer = Asked(direct_api.DirectApi(app_of()), SEARCH, part, headers={"content-length": "3"})
    assert answer.sent == []


def test_a_streamed_answer_is_sent_as_it_comes() -> None:
    app = direct_api.DirectApi(app_of())
    answer = Asked(app, "/api/2.0/mlflow/runs/stream", method="GET")
    assert [(each.get("body"), each.get("more_body")) for each in answer.sent[1:]] == [
        (b"0", True),
        (b"1", True),
        (b"2", None),
    ]


def test_no_more_requests_at_once_than_anyio_has_threads() -> None:
    lock, running, most = threading.Lock(), 0, 0
    reached = threading.Event()

    def slow(_: Any, start_response: Any) -> list[bytes]:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
            if running >= 3:
                reached.set()
        reached.wait(30)  # a loaded machine starts threads late
        time.sleep(0.05)
        with lock:
            running -= 1
        start_response("200 OK", [])
        return [b"x"]

    async def requests() -> None:
        anyio.to_thread.current_default_thread_limiter().total_tokens = 3
        app = direct_api._Flask(slow, build_environ, [])

        async def receive() -> dict[str, Any]:
            return {"type": "http.request"}

        async def send(_: Any) -> None:
            pass

        scope = {"method": "GET", "path": "/", "query_string": b"", "http_version": "1.1"}
        await asyncio.gather(*[app(scope, receive, send) for _ in range(12)])

    asyncio.run(requests())
    assert most == 3


class Guarded(FastAPI):
    """Another app, whose own call does something for each request."""


def guarded(app: FastAPI) -> FastAPI:
    app.__class__ = Guarded
    return app


def instrumented(app: FastAPI) -> FastAPI:
    """As instrumentors of OpenTelemetry leave an app."""
    app.build_middleware_stack = app.build_middleware_stack  # type: ignore[method-assign]
    return app


UNEXPECTED = "direct-api: off, every request takes the long way: "


@pytest.mark.parametrize(
    ("app", "cause"),
    [
        (
            lambda: app_of(mounted=WSGIMiddleware),
            "ValueError: this server has an app of Flask that is mounted",
        ),
        (lambda: FastAPI(), "ValueError: this server has no app of Flask behind its routes"),
        (lambda: _flask(), "ValueError: this server has an app of flask.app"),
        (lambda: KeptMiddleware(app_of()), "ValueError: this server has an app of "),
        (lambda: guarded(app_of()), "ValueError: this server has an app of "),
        (lambda: instrumented(app_of()), "ValueError: this server has an app with a chain of its own"),
    ],
)
def test_an_unexpected_app_stays_as_it_is(app: Any, cause: str, caplog: pytest.LogCaptureFixture) -> None:
    made = app()
    assert shortened(ProxyHeadersMiddleware(made), caplog).startswith(UNEXPECTED + cause)
    outer = ProxyHeadersMiddleware(made)
    direct_api._shorten(SimpleNamespace(loaded_app=outer, root_path=""))
    assert outer.app is made


@pytest.mark.parametrize("missing", ["mlflow.server.fastapi_app", "mlflow.server.auth"])
def test_an_mlflow_without_what_it_needs(
    missing: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setitem(sys.modules, missing, ModuleType(missing))
    assert shortened(ProxyHeadersMiddleware(app_of(*LEFT_OUT)), caplog).startswith(
        f"{UNEXPECTED}AttributeError"
    )


def test_a_starlette_without_its_middleware_for_wsgi(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    app = ProxyHeadersMiddleware(app_of())
    monkeypatch.setitem(sys.modules, "starlette.middleware.wsgi", None)
    assert shortened(app, caplog).startswith(f"{UNEXPECTED}ModuleNotFoundError")


def test_workspaces_and_other_options_of_uvicorn(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    options = f"{UNEXPECTED}ValueError: this server has other options of uvicorn"
    assert shortened(app_of(), caplog) == options
    assert shortened(ProxyHeadersMiddleware(app_of()), caplog, root_path="/x") == options
    monkeypatch.setenv("MLFLOW_ENABLE_WORKSPACES", "true")
    assert shortened(ProxyHeadersMiddleware(app_of()), caplog).endswith("this server has workspaces")


def test_a_process_gives_its_app_one_short_way(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    made: list[Any] = []
    monkeypatch.setattr(direct_api.AutoHTTPProtocol, "__init__", lambda self, *args, **_: made.append(args))
    config = SimpleNamespace(loaded_app=ProxyHeadersMiddleware(app_of()), root_path="")
    with caplog.at_level(logging.INFO):
        direct_api.Protocol(config, server_state=None)
        direct_api.Protocol(config=config, server_state=None)
    assert type(config.loaded_app.app) is direct_api.DirectApi
    assert type(config.loaded_app.app._long) is FastAPI
    assert len(made) == 2
    assert [each.getMessage() for each in caplog.records] == [
        "3 paths of the REST API have a short way (directApi)"
    ]


def shortened(app: Any, caplog: pytest.LogCaptureFixture, root_path: str = "") -> str:
    """What is logged of an app."""
    caplog.clear()
    with caplog.at_level(logging.INFO):
        direct_api._shorten(SimpleNamespace(loaded_app=app, root_path=root_path))
    [record] = caplog.records
    return record.getMessage()
