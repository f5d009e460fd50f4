"""Bodies of an app of Flask, behind the bridge of the real MLflow."""

from __future__ import annotations

import asyncio
import hashlib
import io
import os
import tracemalloc
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

bridge = pytest.importorskip("mlflow.server.fastapi_app")
flask = pytest.importorskip("flask")
Flask, request, send_file = flask.Flask, flask.request, flask.send_file
flask_bodies = pytest.importorskip("flask_bodies")

CHUNK = bytes(64 * 1024)
MEBIBYTE = 1024 * 1024
UPLOAD = "/team/api/2.0/mlflow-artifacts/artifacts/model"


@pytest.fixture(autouse=True)
def spilled(monkeypatch: pytest.MonkeyPatch) -> None:
    # Other tests may have made a loop of a worker.
    original = next(each for each in bridge._EfficientWSGIResponder.__mro__ if "spills" not in vars(each))
    monkeypatch.setattr(bridge, "_EfficientWSGIResponder", original)
    flask_bodies.spill()
    flask_bodies.spill()


def ask(
    app: Any,
    messages: Iterator[dict[str, Any]],
    length: int | None = 0,
    keeps: bool = True,
    fails_at: int = 0,
    method: str = "PUT",
    path: str = UPLOAD,
    stays: bool = True,
    **headers: bytes,
) -> list[dict[str, Any]]:
    """The messages of the answer; `keeps`: with their bodies.

    `fails_at`: sending this message fails; `stays`: the client is there until the answer ends.
    """
    given = headers if length is None else {"content-length": str(length).encode(), **headers}
    scope = {"type": "http", "method": method, "path": path, "query_string": b""}
    scope["headers"] = [(name.encode(), value) for name, value in given.items()]
    scope.update(http_version="1.1", scheme="http", server=("localhost", 80), client=("localhost", 1))
    answer: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        for message in messages:
            return message
        await asyncio.sleep(3600 if stays else 0.1)
        return {"type": "http.disconnect"}

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
    app = Flask("artifacts")
    app.add_url_rule(UPLOAD, view_func=lambda: send_file(file), methods=["GET", "PUT"])
    return app


def pieces(environ: dict[str, Any], start_response: Any) -> Iterator[bytes]:
    start_response("200 OK", [])
    for _ in range(320):
        yield bytes(len(CHUNK))


@pytest.mark.parametrize("how", ["a whole file", "a part of a file", "pieces"])
def test_a_long_answer_is_made_as_its_client_reads(how: str, tmp_path: Path) -> None:
    file = tmp_path / "artifact"
    file.write_bytes(b"line\n" * 4 * MEBIBYTE)
    app = pieces if how == "pieces" else files(file)
    headers = {"range": b"bytes=0-"} if how == "a part of a file" else {}
    tracemalloc.start()
    try:
        sent = sum(len(each["body"]) for each in ask(app, body(0), 3, keeps=False, method="GET", **headers))
        assert tracemalloc.get_traced_memory()[1] < 5 * MEBIBYTE
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


def test_a_part_of_a_file(tmp_path: Path) -> None:
    file = tmp_path / "artifact"
    file.write_bytes(bytes(range(256)) * 4096)
    start, *rest = ask(files(file), body(0), 3, method="GET", range=b"bytes=1000-300000")
    assert start["status"] == 206
    assert b"".join(each["body"] for each in rest) == file.read_bytes()[1000:300001]


@pytest.mark.parametrize("end", [{"fails_at": 1}, {"fails_at": 12}, {"stays": False}, {}])
def test_the_file_is_closed_however_it_ends(end: dict[str, Any], tmp_path: Path) -> None:
    file = (tmp_path / "artifact").open("wb+")
    file.write(bytes(60 * MEBIBYTE))
    file.seek(0)

    def app(environ: dict[str, Any], start_response: Any) -> Any:
        start_response("200 OK", [])
        return environ["wsgi.file_wrapper"](file)

    with pytest.raises(Exception, match=r"gone|unhandled") if "fails_at" in end else nullcontext():
        answer = ask(app, body(0), 3, keeps=False, **end)
        assert (len(answer) == 242) == (end == {}), len(answer)
    assert file.closed


def test_a_client_that_goes_away_starts_nothing() -> None:
    def never(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        raise AssertionError("the app was asked")

    for _ in range(2):
        gone = iter([{"type": "http.request", "body": CHUNK, "more_body": True}, {"type": "http.disconnect"}])
        start, end = ask(never, gone, 3 * MEBIBYTE)
        assert (start["status"], start["headers"], end["body"]) == (499, [], b"")
        start["headers"].append((b"x-frame-options", b"SAMEORIGIN"))  # as a middleware does


def test_only_uploads_go_to_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flask_bodies.tempfile, "TemporaryFile", lambda: pytest.fail("a file"))
    start, *_ = ask(digest, body(3 * MEBIBYTE), 3 * MEBIBYTE + 3, path="/api/2.0/mlflow/runs/log-batch")
    assert start["status"] == 200


def test_a_full_disk_leaves_no_file(monkeypatch: pytest.MonkeyPatch) -> None:
    made = io.FileIO("/dev/full", "w")
    monkeypatch.setattr(flask_bodies.tempfile, "TemporaryFile", lambda: made)
    with pytest.raises(OSError, match="No space left"):
        ask(digest, body(3 * MEBIBYTE), 3 * MEBIBYTE + 3)
    assert made.closed


def test_an_upload_without_a_length_is_read() -> None:
    app = Flask("artifacts")
    app.add_url_rule(UPLOAD, view_func=lambda: str(len(request.stream.read())), methods=["PUT"])
    chunked = {"transfer-encoding": b"chunked"}
    _, *rest = ask(app, body(2 * MEBIBYTE), None, **chunked)
    assert b"".join(each["body"] for each in rest) == b"2097155"


def test_an_mlflow_without_this_bridge_keeps_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(bridge, "_EfficientWSGIResponder")
    flask_bodies.spill()
    assert not hasattr(bridge, "_EfficientWSGIResponder")
