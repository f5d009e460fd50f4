"""Uploads of artifacts to MLflow's app of Flask, and its long answers, outside of memory.

MLflow's bridge from uvicorn to Flask reads a whole body into memory, copies it once, and keeps what a client
has not read of an answer yet. Artifacts have routes of FastAPI that do not, but not below a static prefix: an
upload of 6 GiB killed a worker there (MLflow 3.15.1 to 3.18.0). With this, an upload is a temporary file, as
on FastAPI's routes, and what is left of an answer after 1 MiB is made as its client reads: no thread of the
server waits for a client. Other bodies stay in memory, since nobody has logged in before they are read.

Where an upload has no Content-Length, Flask took it for an empty one and MLflow stored that; now it is read.
"""

from __future__ import annotations

import importlib
import io
import tempfile
from collections.abc import Iterator
from typing import Any, BinaryIO

import anyio.from_thread
import anyio.to_thread
from werkzeug.wsgi import FileWrapper

_BRIDGE = "mlflow.server.fastapi_app"

_UPLOADS = "/mlflow-artifacts/artifacts/"

_MOST_IN_MEMORY = 1024 * 1024
# Werkzeug's own pieces of a file are of 8 KiB.
_PIECE = 256 * 1024

_REQUEST_ENDED = {"type": "http.request", "body": b"", "more_body": False}
_BODY = {"type": "http.response.body"}

# For reading and writing files: neither the threads of requests, nor those that transfers to stores take.
_threads: anyio.CapacityLimiter | None = None


def spill() -> None:
    """Give MLflow's bridge a responder that holds little in memory."""
    bridge = importlib.import_module(_BRIDGE)
    # Without this class in an MLflow to come, its own bridge serves.
    original = getattr(bridge, "_EfficientWSGIResponder", None)
    if original is not None and not hasattr(original, "spills"):
        bridge._EfficientWSGIResponder = _responder(original)


def _responder(original: Any) -> Any:
    class Responder(original):  # type: ignore[misc]
        spills = True
        _body: BinaryIO
        _answer: Any = ()
        _rest: Iterator[bytes] | None = None

        async def __call__(self, receive: Any, send: Any) -> None:
            body = await _read(receive, _UPLOADS in self.scope["path"])
            if body is None:
                # uvicorn drops it, but MLflow's middlewares want an answer. They also add headers to it.
                await send({"type": "http.response.start", "status": 499, "headers": []})
                await send({**_BODY, "body": b""})
                return
            self._body = body

            async def nothing_more() -> dict[str, Any]:
                return _REQUEST_ENDED

            try:
                await super().__call__(nothing_more, send)
                if self._rest is not None:
                    await _send(self._rest, receive, send)
            finally:
                await _close(body, self._answer)

        def wsgi(self, environ: dict[str, Any], start_response: Any) -> None:
            more = {
                "wsgi.input": self._body,
                "wsgi.input_terminated": True,
                "wsgi.file_wrapper": _in_large_pieces,
            }
            self._answer = self.app({**environ, **more}, start_response)
            pieces, sent = iter(self._answer), 0
            for piece in pieces:
                anyio.from_thread.run(self.stream_send.send, {**_BODY, "body": piece, "more_body": True})
                sent += len(piece)
                if sent > _MOST_IN_MEMORY:
                    self._rest = pieces
                    return
            anyio.from_thread.run(self.stream_send.send, {**_BODY, "body": b""})

    return Responder


def _in_large_pieces(file: Any, _: int = 0) -> FileWrapper:
    return FileWrapper(file, _PIECE)


async def _in_thread(work: Any, *args: Any) -> Any:
    global _threads
    _threads = _threads or anyio.CapacityLimiter(8)
    return await anyio.to_thread.run_sync(work, *args, limiter=_threads)


async def _read(receive: Any, is_upload: bool) -> BinaryIO | None:
    """The whole body, or None if the client has gone."""
    body: Any = io.BytesIO()
    more = True
    try:
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                await _close(body)
                return None
            chunk = message.get("body", b"")
            if is_upload and isinstance(body, io.BytesIO) and body.tell() + len(chunk) > _MOST_IN_MEMORY:
                chunk = body.getvalue() + chunk
                body = tempfile.TemporaryFile()  # noqa: SIM115 - whoever asked closes it
            if isinstance(body, io.BytesIO):
                body.write(chunk)
            else:
                await _in_thread(body.write, chunk)
            more = message.get("more_body", False)
        body.seek(0)
    except BaseException:  # such as a full disk
        await _close(body)
        raise
    return body


async def _send(pieces: Iterator[bytes], receive: Any, send: Any) -> None:
    failure = None
    async with anyio.create_task_group() as group:

        async def end_with_client() -> None:
            while (await receive())["type"] != "http.disconnect":
                pass
            group.cancel_scope.cancel()

        group.start_soon(end_with_client)
        try:
            while (piece := await _in_thread(next, pieces, None)) is not None:
                await send({**_BODY, "body": piece, "more_body": True})
            await send({**_BODY, "body": b""})
        except Exception as error:  # a group would wrap it
            failure = error
        group.cancel_scope.cancel()
    if failure is not None:
        raise failure


async def _close(*things: Any) -> None:
    """Close what can be closed. It takes seconds for a file of gigabytes."""
    with anyio.CancelScope(shield=True):
        for each in things:
            if hasattr(each, "close"):
                await _in_thread(each.close)
