"""The loop of a worker runs no more threads at once than it was told."""

from __future__ import annotations

import asyncio
import gc
import os
import socket
import subprocess
import sys
import threading
import time
from types import SimpleNamespace

import pytest

anyio = pytest.importorskip("anyio")
bounded_loop = pytest.importorskip("bounded_loop")


def most_at_once(calls: int, limit: int) -> int:
    lock, running, most = threading.Lock(), 0, 0
    reached = threading.Event()

    def work() -> None:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
            if running >= limit:
                reached.set()
        reached.wait(30)  # a loaded machine starts threads late
        time.sleep(0.05)
        with lock:
            running -= 1

    async def requests() -> None:
        async with anyio.create_task_group() as group:
            for _ in range(calls):
                group.start_soon(anyio.to_thread.run_sync, work)

    loop = bounded_loop.new_loop()
    try:
        loop.run_until_complete(requests())
    finally:
        loop.close()
    return most


def test_no_more_threads_than_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SERVER_THREADS", "3")
    assert most_at_once(12, 3) == 3


def test_forty_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SERVER_THREADS", raising=False)
    assert most_at_once(60, 40) == 40


LOADED = """
import sys
import bounded_loop
bounded_loop.new_loop().close()
wanted = ("mlflow.store.model_registry.sqlalchemy_store", "mlflow.store.jobs.sqlalchemy_store")
print([name in sys.modules for name in wanted], "mlflow.server.auth" in sys.modules)
"""


def test_the_stores_are_loaded_before_the_first_request() -> None:
    pytest.importorskip("mlflow.store.model_registry.sqlalchemy_store")
    command = [sys.executable, "-W", "ignore", "-c", LOADED]
    environment = {**os.environ, "PYTHONPATH": ":".join(sys.path)}
    printed = subprocess.run(command, capture_output=True, text=True, env=environment, check=True)
    assert printed.stdout.split("\n")[0] == "[True, True] False", printed.stderr


def test_an_image_without_a_store_has_a_loop_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounded_loop, "_STORES", ("mlflow.store.that_does_not_exist",))
    assert most_at_once(1, 1) == 1


@pytest.mark.parametrize(("value", "stays"), [("", False), ("false", False), ("True", True), ("1", True)])
def test_the_assistant_has_no_paths_unless_it_is_wanted(
    value: str, stays: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That this is the router of the real one is shown in test/pods/test_oauth2_proxy.py."""
    router = SimpleNamespace(routes=["/message"])
    monkeypatch.setitem(sys.modules, "assistant_stand_in", SimpleNamespace(assistant_router=router))
    monkeypatch.setattr(bounded_loop, "_ASSISTANT", "assistant_stand_in")
    monkeypatch.setenv("MLFLOW_ENABLE_REMOTE_ASSISTANT", value)
    bounded_loop.new_loop().close()
    assert bool(router.routes) == stays


def test_an_image_without_an_assistant_has_a_loop_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounded_loop, "_ASSISTANT", "mlflow.server.that_does_not_exist")
    assert most_at_once(1, 1) == 1


@pytest.mark.parametrize("address", ["127.0.0.1", "0.0.0.0"])
def test_the_socket_of_several_workers_sends_at_once(address: str) -> None:
    """uvicorn makes it like this, and asyncio sets the option only where the protocol is named."""
    options = []

    class Protocol(asyncio.Protocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            accepted = transport.get_extra_info("socket")
            options.append(accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
            transport.close()

    async def connect() -> None:
        server = await asyncio.get_running_loop().create_server(Protocol, sock=shared)
        for each in server.sockets:
            host = "::1" if each.family == socket.AF_INET6 else "127.0.0.1"
            reader, writer = await asyncio.open_connection(host, each.getsockname()[1])
            await reader.read()
            writer.close()
        server.close()

    with socket.socket(family=socket.AF_INET) as shared:
        shared.bind((address, 0))
        loop = bounded_loop.new_loop()
        try:
            loop.run_until_complete(connect())
        finally:
            loop.close()
    assert options and all(options)


def test_the_collector_runs_more_seldom() -> None:
    before = gc.get_threshold()
    try:
        bounded_loop.new_loop().close()
        assert gc.get_threshold() == (5000, 20, 100)
    finally:
        gc.set_threshold(*before)
