"""uvicorn's HTTP protocol, by which requests to MLflow's REST API take a shorter way to their handlers.

The REST API is an application of Flask, mounted in one of FastAPI, behind its routes and middlewares. Some
of these do nothing for it, and need much CPU. uvicorn makes a `Protocol` (`--http=direct_api:Protocol`) for
each connection. The first one gives the app a short way: the app's own chain of middlewares, with Flask in
the place of FastAPI's routes, and without

- the workspace, since a server with workspaces, and a request that names one, have no short way;
- the times of the gateway, the uploads of artifacts and the permissions of FastAPI's routes: other paths.

All others stay: the checks of Host and Origin, the headers of answers, and what another app has. Flask itself
logs in users and checks their permissions, as on the long way.

The short way is for GET and POST of Flask's paths /api/*/mlflow/* without a variable part, with a body of at
most 1 MiB. All other requests take the long way, and so do all if the app is not made as this expects.
"""

from __future__ import annotations

import copy
import importlib
import logging
import os
import re
from collections.abc import Iterator
from typing import Any

import anyio.from_thread
import anyio.to_thread
from fastapi import FastAPI
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.routing import Match, Mount
from uvicorn.protocols.http.auto import AutoHTTPProtocol

_FASTAPI = "mlflow.server.fastapi_app"
_AUTH = "mlflow.server.auth"

# MLflow's own variable of `--static-prefix`.
_STATIC_PREFIX = "_MLFLOW_STATIC_PREFIX"

_API = re.compile(r"/api/\d+\.\d+/mlflow/")

_METHODS = ("GET", "POST")

# MLflow's own limit of a batch is 1 MB.
_MOST_BYTES = 1024 * 1024
_MOST_DIGITS = len(str(_MOST_BYTES))

_LONG_WAY_HEADERS = (b"x-mlflow-workspace", b"transfer-encoding", b"expect", b"upgrade")

_BODY = {"type": "http.response.body"}

_log = logging.getLogger("uvicorn.error")

# The configuration of uvicorn whose app has been looked at: a process has one.
_known: Any = None


class Protocol(AutoHTTPProtocol):  # type: ignore[misc, valid-type]
    def __init__(self, config: Any, *args: Any, **options: Any) -> None:
        global _known
        if _known is not config:
            _known = config
            _shorten(config)
        super().__init__(config, *args, **options)


def _shorten(config: Any) -> None:
    try:
        from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

        outer = config.loaded_app
        _expect(type(outer) is ProxyHeadersMiddleware and not config.root_path, "other options of uvicorn")
        app = DirectApi(outer.app)
    except Exception as error:  # whatever it is, the long way serves
        _log.warning("direct-api: off, every request takes the long way: %s: %s", type(error).__name__, error)
        return
    outer.app = app
    _log.info("%d paths of the REST API have a short way (directApi)", len(app.paths))


def _expect(condition: bool, otherwise: str) -> None:
    if not condition:
        raise ValueError(f"this server has {otherwise}")


class DirectApi:
    """An app of FastAPI with a short way to the REST API of the app of Flask in it."""

    def __init__(self, app: Any) -> None:
        # Starlette means to give it up, and MLflow itself has it from there.
        from starlette.middleware.wsgi import build_environ

        _expect(type(app) is FastAPI, f"an app of {type(app).__module__}")
        # As of a package that has instrumented it: the copy would build the chain of the app itself.
        _expect("build_middleware_stack" not in vars(app), "an app with a chain of its own")
        _expect(os.environ.get("MLFLOW_ENABLE_WORKSPACES", "").lower() not in ("true", "1"), "workspaces")
        *routes, mount = app.routes
        _expect(isinstance(mount, Mount) and mount.path == "", "no app of Flask behind its routes")
        module = importlib.import_module(_FASTAPI)
        _expect(
            type(mount.app) is module._EfficientWSGIMiddleware,
            "an app of Flask that is mounted in another way",
        )
        self.paths = frozenset(_paths(mount.app.app, routes, _checked_by_fastapi(app)))
        _expect(bool(self.paths), "no path of the REST API")
        short = copy.copy(app)
        short.user_middleware = [each for each in app.user_middleware if not _does_nothing(each)]
        short.router = _Flask(mount.app.app, build_environ, app.routes)
        short.middleware_stack = short.build_middleware_stack()
        # A whole app and not its chain alone: FastAPI itself, and agents that trace, count its calls.
        self._long, self._short = app, short

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http" and scope["path"] in self.paths and _is_plain(scope):
            await self._short(scope, receive, send)
        else:
            await self._long(scope, receive, send)


def _is_plain(scope: Any) -> bool:
    """Whether a request is one that the middlewares which are left out do nothing for."""
    length = None
    for name, value in scope["headers"]:
        # X_MLFLOW_WORKSPACE is no header of a workspace for FastAPI, but is for Flask.
        if name in _LONG_WAY_HEADERS or b"_" in name:
            return False
        if name == b"content-length":
            if length is not None or not value.isdigit() or len(value) > _MOST_DIGITS:
                return False
            length = int(value)
    return (length or 0) <= _MOST_BYTES and scope["method"] in _METHODS and not scope.get("root_path")


def _paths(flask: Any, routes: list[Any], checked_by_fastapi: Any) -> Iterator[str]:
    prefix = os.environ.get(_STATIC_PREFIX, "").rstrip("/")
    for rule in flask.url_map.iter_rules():
        if rule.arguments or not _API.match(rule.rule.removeprefix(prefix)):
            continue
        scope = {"type": "http", "path": rule.rule, "root_path": "", "headers": []}
        scopes = [{**scope, "method": method} for method in _METHODS]
        if any(route.matches(each)[0] is not Match.NONE for route in routes for each in scopes):
            continue
        if not any(checked_by_fastapi(rule.rule, method) for method in _METHODS):
            yield rule.rule


def _checked_by_fastapi(app: Any) -> Any:
    """Says of a path and a method whether FastAPI checks their permissions."""
    if any(_module(each) == _AUTH for each in app.user_middleware):
        auth = importlib.import_module(_AUTH)
        return auth._find_fastapi_validator
    return lambda *_: None


def _does_nothing(middleware: Any) -> bool:
    """Whether a middleware is one of those that do nothing for the requests of the short way."""
    makers = [each for each in _makers(_module(middleware)) if each is not None]
    name = getattr(middleware.kwargs.get("dispatch"), "__qualname__", "")
    return any(name.startswith(f"{each.__qualname__}.<locals>.") for each in makers)


def _makers(module: str | None) -> list[Any]:
    """The functions of a module of MLflow that make them."""
    if module == _FASTAPI:
        return [
            getattr(importlib.import_module(_FASTAPI), "add_fastapi_workspace_middleware", None),
            getattr(importlib.import_module(_FASTAPI), "add_gateway_timing_middleware", None),
            # Since MLflow 3.18.
            getattr(importlib.import_module(_FASTAPI), "add_fastapi_artifact_transfer_middleware", None),
        ]
    if module == _AUTH:
        return [getattr(importlib.import_module(_AUTH), "add_fastapi_permission_middleware", None)]
    return []


def _module(middleware: Any) -> str | None:
    """The module of a function that is a middleware."""
    is_function = middleware.cls is BaseHTTPMiddleware
    return getattr(middleware.kwargs.get("dispatch"), "__module__", None) if is_function else None


class _Flask:
    """An app of Flask as one of ASGI, whose requests run in anyio's threads, as on the long way."""

    def __init__(self, flask: Any, build_environ: Any, routes: list[Any]) -> None:
        self._flask, self._build_environ = flask, build_environ
        self.routes = routes  # as of the app's own router, for whoever looks up the name of a path

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        body, more = [], True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            body.append(message.get("body", b""))
            more = message.get("more_body", False)
        environ = self._build_environ(scope, b"".join(body))
        for each in await anyio.to_thread.run_sync(self._answer, environ, send):
            await send(each)

    def _answer(self, environ: dict[str, Any], send: Any) -> list[dict[str, Any]]:
        """The messages of an answer, or what is left of them: a streamed one is sent as it comes."""
        head: dict[str, Any] = {"type": "http.response.start"}

        def start_response(status: str, headers: list[tuple[str, str]], _: Any = None) -> None:
            head["status"] = int(status.split(" ", 1)[0])
            head["headers"] = [
                (name.strip().lower().encode("ascii"), value.strip().encode("ascii"))
                for name, value in headers
            ]

        chunks = self._flask(environ, start_response)
        messages, body = [head], b""
        try:
            for chunk in chunks:
                if body:
                    for each in [*messages, {**_BODY, "body": body, "more_body": True}]:
                        anyio.from_thread.run(send, each)
                    messages = []
                body = chunk
        finally:
            if hasattr(chunks, "close"):
                chunks.close()
        return [*messages, {**_BODY, "body": body}]
