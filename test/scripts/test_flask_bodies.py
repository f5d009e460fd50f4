"""Bodies of an app of Flask, behind the bridge of the real MLflow."""

from __future__ import annotations

import asyncio
import hashlib
import io
import os
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


@pytest.fixture(autouse=True)
def spilled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bridge, "_EfficientWSGIResponder", bridge._EfficientWSGIResponder)
    flask_bodies.spill(bridge)


def ask(
    app: Any,
    messages: Iterator[dict[str, Any]],
    length: int = 0,
    keeps: bool = True,
    fails_at: int = 0,
    method: str = "PUT",
    **headers: bytes,
) -> list[dict[str, Any]]:
    """The messages of the answer; `keeps`: with their bodies; `fails_at`: the client is gone at this one."""
    given = {"content-length": str(length).encode(), **headers}
    scope = {"type": "http", "method": method, "path": "/x", "query_string": b""}
    scope["headers"] = [(name.encode(), value) for name, value in given.items()]
    scope.update(http_version="1.1", scheme="http", server=("localhost", 80), client=("localhost", 1))
    answer: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return next(messages)

    async def send(message: dict[str, Any]) -> None:
        await asyncio.sleep(0.002)
        # A body of its length alone.
        answer.append(message if keeps else {**message, "body": Length(len(message.get("body", b"")))})
        if len(answer) == fails_at:
            raise OSError("gone")

    asyncio.run(bridge._EfficientWSGIMiddleware(app)(scope, receive, send))
    return answer


class Length(int):
    def __len__(self) -> int:
        return self


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


def files(file: Path) -> Any:
    """An app that answers with the file, as MLflow does."""
    flask = Flask("artifacts")
    flask.add_url_rule("/x", view_func=lambda: send_file(file), methods=["GET", "PUT"])
    return flask


def test_a_file_is_read_as_its_client_reads(tmp_path: Path) -> None:
    file = tmp_path / "artifact"
    file.write_bytes(b"line\n" * 4 * MEBIBYTE)
    tracemalloc.start()
    try:
        sent = sum(len(each.get("body", b"")) for each in ask(files(file), body(0), 3, keeps=False))
        assert tracemalloc.get_traced_memory()[1] < 4 * MEBIBYTE
    finally:
        tracemalloc.stop()
    assert sent == 20 * MEBIBYTE


def test_a_file_is_what_it_was(tmp_path: Path) -> None:
    file = tmp_path / "artifact"
    file.write_bytes(os.urandom(3 * MEBIBYTE + 1))
    start, *rest = ask(files(file), body(0), 3)
    assert (start["status"], dict(start["headers"])[b"content-length"]) == (200, b"3145729")
    assert b"".join(each["body"] for each in rest) == file.read_bytes()
    assert [each.get("more_body", False) for each in rest] == [True] * 13 + [False]
    assert len(rest) == 14


def test_a_part_of_a_file(tmp_path: Path) -> None:
    file = tmp_path / "artifact"
    file.write_bytes(bytes(range(256)) * 4096)
    flask = files(file)
    start, *rest = ask(flask, body(0), 3, method="GET", range=b"bytes=1000-300000")
    assert start["status"] == 206
    assert b"".join(each["body"] for each in rest) == file.read_bytes()[1000:300001]


def test_the_file_is_closed_when_its_client_fails(tmp_path: Path) -> None:
    file = (tmp_path / "artifact").open("wb+")
    file.write(bytes(2 * MEBIBYTE))
    file.seek(0)

    def app(environ: dict[str, Any], start_response: Any) -> Any:
        start_response("200 OK", [])
        return environ["wsgi.file_wrapper"](file)

    with pytest.raises(OSError, match="gone"):
        ask(app, body(0), 3, fails_at=3)
    assert file.closed


def test_a_client_that_goes_away_starts_nothing() -> None:
    def never(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        raise AssertionError("the app was asked")

    gone = iter([{"type": "http.request", "body": CHUNK, "more_body": True}, {"type": "http.disconnect"}])
    assert ask(never, gone, 3 * MEBIBYTE) == []


def test_an_mlflow_without_this_bridge_keeps_its_own() -> None:
    module = SimpleNamespace(another=io)
    flask_bodies.spill(module)
    assert vars(module) == {"another": io}
