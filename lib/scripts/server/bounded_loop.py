"""The event loop of an MLflow worker: bounds requests, loads the stores, listens on IPv6, has no Assistant,
takes a password and a certificate that change, refuses secrets of webhooks that it could not read again,
sends answers and updates without delay, and keeps large bodies out of memory (flask_bodies.py).

MLflow runs each request in a thread of anyio's default pool, which has 40. A request may hold one database
connection while it waits for a second, so a pool that is not larger than the threads can wait for itself.
uvicorn calls `new_loop` (`--loop=bounded_loop:new_loop`, uvicorn 0.36 or later) before it loads the app.

The first requests of a worker import what they need, in several threads at once. The first call of the model
registry imports its store, whose last line configures all mappers of SQLAlchemy. If another thread is between
two classes of mlflow.server.auth then, which the first search imports, it fails for good: the registry
of this worker answers 500 until it ends. So the stores come first (seen in MLflow 3.15.1 and 3.17.2).

A server on 0.0.0.0 listens at the same port of [::], too, where the kernel has IPv6. uvicorn has one address:
[::] needs a kernel with IPv6, leaves IPv4 out where there is one worker, and where there are several, IPv4
clients become ::ffff:10.0.0.1, which no list of trusted proxies (--forwarded-allow-ips) knows.

The Assistant runs commands in the pod, with all its secrets, for clients that come from the loopback address.
These are `kubectl port-forward` and, in MLflow before 3.18, everybody behind the sidecar of a service mesh.
MLflow has no switch for it, so its router loses its routes before the app takes them over.

Without a key, each worker encrypts the secrets of webhooks with one that it makes up. The others cannot read
them, nor can anybody after a restart, and lists of webhooks answer 500. So such a secret is refused (400).

Where there are several workers, uvicorn makes their socket, and asyncio does not see that it is one of TCP,
so Nagle's algorithm stays on: on a connection that is used again, the body of an answer waits until the
client acknowledges the head, which takes 40 ms. Hence the socket has it off.

psycopg2 sends the updates of a batch one by one: 100 for the last values of 100 metrics. SQLAlchemy sends
them together if it is told so.

MLflow's imports leave 300,000 objects, and a request makes thousands that its end frees. At Python's own
thresholds the collector walks through them again and again, so it runs more seldom.

Environment:
  SERVER_THREADS                  threads of each worker (default 40, anyio's own)
  DATABASE_PASSWORD_FILE          the password of new connections (default: none, they take PGPASSWORD)
  SERVER_CERTIFICATE_FILE, SERVER_KEY_FILE
                                  what HTTPS presents (default: what uvicorn read when it started)
  MLFLOW_ENABLE_REMOTE_ASSISTANT  true: the Assistant is wanted and stays
"""

from __future__ import annotations

import asyncio
import gc
import importlib
import os
import socket
from contextlib import suppress
from typing import Any

import anyio.to_thread
import certificate_files
import flask_bodies
import password_file

# Not mlflow.server.auth: 90 ms and 3 MiB, and without a login its missing configuration would end the worker.
_STORES = ("mlflow.store.model_registry.sqlalchemy_store", "mlflow.store.jobs.sqlalchemy_store")

_WEBHOOKS = "mlflow.store.model_registry.dbmodels.models"

_ASSISTANT = "mlflow.server.assistant.api"

# Python's own are 700, 10, 10. A search takes 0.7 of the time with these; a worker has 2 MiB more.
_COLLECTOR_THRESHOLDS = (5000, 20, 100)

# asyncio itself keeps only a weak reference to a task.
_bounding: asyncio.Task[None] | None = None

_ANY_IPV4 = "0.0.0.0"


def new_loop() -> asyncio.AbstractEventLoop:
    global _bounding
    gc.set_threshold(*_COLLECTOR_THRESHOLDS)
    for store in _STORES:
        with suppress(ImportError):  # an MLflow that has no such store
            importlib.import_module(store)
    if os.environ.get("MLFLOW_ENABLE_REMOTE_ASSISTANT", "").lower() not in ("true", "1"):
        _remove_assistant()
    if not os.environ.get("MLFLOW_WEBHOOK_SECRET_ENCRYPTION_KEY"):
        _refuse_webhook_secrets()
    _send_updates_together()
    # After what it must not have yet: the module makes the app.
    with suppress(ImportError):
        flask_bodies.spill()
    if path := os.environ.get("DATABASE_PASSWORD_FILE"):
        password_file.follow(path)
    loop = _fastest_loop()
    _listen(loop)
    if path := os.environ.get("SERVER_CERTIFICATE_FILE"):
        _follow_certificate(loop, certificate_files.CertificateFiles(path, os.environ["SERVER_KEY_FILE"]))
    # The limiter belongs to a running loop, so the first thing that the loop runs sets it.
    _bounding = loop.create_task(_bound_threads(int(os.environ.get("SERVER_THREADS", "40"))))
    return loop


def _remove_assistant() -> None:
    try:
        assistant = importlib.import_module(_ASSISTANT)
    except ImportError:
        return  # an MLflow that has no Assistant
    # Should MLflow rename the router, the worker ends here instead of serving the Assistant.
    assistant.assistant_router.routes.clear()


def _refuse_webhook_secrets() -> None:
    from mlflow.exceptions import MlflowException
    from mlflow.protos.databricks_pb2 import INVALID_PARAMETER_VALUE
    from sqlalchemy import event

    def refuse(_: Any, secret: str | None, *__: Any) -> None:
        if secret is not None:
            raise MlflowException(
                "This server has no key for the secrets of webhooks. Leave `secret` out, or give the server"
                " `encryption.webhookKey` (MLFLOW_WEBHOOK_SECRET_ENCRYPTION_KEY).",
                error_code=INVALID_PARAMETER_VALUE,
            )

    # Older versions of MLflow have no webhooks.
    webhook = getattr(importlib.import_module(_WEBHOOKS), "SqlWebhook", None)
    if webhook is not None:
        event.listen(webhook.secret, "set", refuse)


def _send_updates_together() -> None:
    """As `create_engine(executemany_mode="values_plus_batch")`, for which MLflow has no setting.

    The rows of several updates are then not counted: one that has been deleted meanwhile is no error.
    """
    from sqlalchemy import event
    from sqlalchemy.dialects.postgresql import psycopg2
    from sqlalchemy.engine import Engine

    def connect(dialect: Any, *_: Any) -> None:
        # Its first connection tells a dialect whether it can count the rows of many updates, so before that.
        if isinstance(dialect, psycopg2.PGDialect_psycopg2):
            dialect.executemany_mode = psycopg2.EXECUTEMANY_VALUES_PLUS_BATCH

    event.listen(Engine, "do_connect", connect)


def _fastest_loop() -> asyncio.AbstractEventLoop:
    try:
        import uvloop
    except ImportError:
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()


def _listen(loop: asyncio.AbstractEventLoop) -> None:
    create = loop.create_server

    async def create_server(
        protocol: Any, host: Any = None, port: Any = None, *, sock: Any = None, **options: Any
    ) -> Any:
        if sock is None:
            first = await create(protocol, host, port, **options)
        else:
            # What several workers share. Its connections inherit the option.
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            first = await create(protocol, sock=sock, **options)
            host, port = sock.getsockname()[:2]
        second = _any_ipv6(port) if host == _ANY_IPV4 else None
        return _Servers(first, await create(protocol, sock=second, **options)) if second else first

    loop.create_server = create_server  # type: ignore[method-assign]


def _follow_certificate(loop: asyncio.AbstractEventLoop, files: certificate_files.CertificateFiles) -> None:
    create = loop.create_server

    async def create_server(*args: Any, **options: Any) -> Any:
        if options.get("ssl") is not None:
            files.present(options["ssl"])
        return await create(*args, **options)

    loop.create_server = create_server  # type: ignore[method-assign]


def _any_ipv6(port: int) -> socket.socket | None:
    """A socket of this worker's own: the kernel spreads connections over those at one port."""
    listener = None
    try:
        listener = socket.socket(socket.AF_INET6, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        listener.bind(("::", port))
        return listener
    except OSError:  # a kernel without IPv6
        if listener:
            listener.close()
        return None


class _Servers:
    """Two servers as one, with what uvicorn asks of it."""

    def __init__(self, *servers: Any) -> None:
        self._servers = servers
        self.sockets = [each for server in servers for each in server.sockets]

    def close(self) -> None:
        for server in self._servers:
            server.close()

    async def wait_closed(self) -> None:
        for server in self._servers:
            await server.wait_closed()


async def _bound_threads(threads: int) -> None:
    anyio.to_thread.current_default_thread_limiter().total_tokens = threads
