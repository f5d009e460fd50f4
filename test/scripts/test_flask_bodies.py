"""Bodies of an app of Flask, behind the bridge of the real MLflow."""

from __future__ import annotations

import asyncio
import hashlib
import io
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

bridge = pytest.importorskip("mlflow.server.fastapi_app")
Flask, send_file = (getattr(pytest.importorskip("flask"), name) for name in ("Flask", "send_file"))
flask_bodies = pytest.importorskip("flask_bodies")

CHUNK = bytes(64 * 1024)
MEBIBYTE = 1024 * 1024
# Types of the messages that the client has got.
ANSWERED: list[str] = []


@pytest.fixture(autouse=True)
def spilled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bridge, "_EfficientWSGIResponder", bridge._EfficientWSGIResponder)
    flask_bodies.spill(bridge)


def ask(app: Any, messages: Iterator[dict[str, Any]], length: int = 0) -> list[dict[str, Any]]:
    """The messages of the answer, to a client that reads slowly."""
    headers = [(b"content-length", str(length).encode())]
    scope = {"type": "http", "method": "PUT", "path": "/x", "query_string": b"", "headers": headers}
    scope.update(http_version="1.1", scheme="http", server=("localhost", 80), client=("localhost", 1))
    answer: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return next(messages)

    async def send(message: dict[str, Any]) -> None:
        await asyncio.sleep(0.005)
        answer.append(message)
        ANSWERED.append(message["type"])

    asyncio.run(bridge._EfficientWSGIMiddleware(app)(scope, receive, send))
    return answer


def body(size: int) -> Iterator[dict[str, Any]]:
    for n in range(size // len(CHUNK)):
        yield {"type": "http.request", "body": n.to_bytes(8, "big") + CHUNK[8:], "more_body": True}
    yield {"type": "http.request", "body": b"end"}


def digest(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    start_response("200 OK", [("content-type", "text/plain")])
    found = hashlib.sha256()
    while chunk := environ["wsgi.input"].read(len(CHUNK)):
        found.update(chunk)
    return [found.hexdigest().encode()]


@pytest.mark.parametrize("size", [0, MEBIBYTE - len(CHUNK), MEBIBYTE, 3 * MEBIBYTE])
def test_the_app_reads_what_was_sent(size: int) -> None:
    expected = hashlib.sha256(b"".join(each["body"] for each in body(size))).hexdigest()
    start, *rest = ask(digest, body(size), size + 3)
    assert start["status"] == 200
    assert b"".join(each["body"] for each in rest).decode() == expected


def test_a_large_body_is_not_in_memory() -> None:
    tracemalloc.start()
    try:
        ask(digest, body(64 * MEBIBYTE), 64 * MEBIBYTE + 3)
        assert tracemalloc.get_traced_memory()[1] < 8 * MEBIBYTE
    finally:
        tracemalloc.stop()


def test_an_answer_waits_for_its_client() -> None:
    ANSWERED.clear()
    ahead: list[int] = []

    def long(environ: dict[str, Any], start_response: Any) -> Iterator[bytes]:
        start_response("200 OK", [])
        for n in range(40):
            ahead.append(n - len(ANSWERED))
            yield CHUNK

    answer = ask(long, body(0), 3)
    assert [len(each.get("body", b"")) for each in answer] == [0, *[len(CHUNK)] * 40, 0]
    assert max(ahead) <= 6


def test_a_file_goes_in_large_pieces(tmp_path: Path) -> None:
    file = tmp_path / "artifact"
    file.write_bytes(b"line\n" * MEBIBYTE)
    flask = Flask("artifacts")
    flask.add_url_rule("/x", view_func=lambda: send_file(file), methods=["PUT"])
    sizes = [len(each.get("body", b"")) for each in ask(flask, body(0), 3)]
    assert sum(sizes) == 5 * MEBIBYTE
    assert len(sizes) < 30


def test_a_client_that_goes_away_starts_nothing() -> None:
    def never(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        raise AssertionError("the app was asked")

    gone = iter([{"type": "http.request", "body": CHUNK, "more_body": True}, {"type": "http.disconnect"}])
    assert ask(never, gone, 3 * MEBIBYTE) == []


def test_an_mlflow_without_this_bridge_keeps_its_own() -> None:
    module = SimpleNamespace(another=io)
    flask_bodies.spill(module)
    assert vars(module) == {"another": io}
