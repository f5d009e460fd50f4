"""Large bodies of requests to MLflow's app of Flask, and files in its answers, outside of memory.

MLflow's bridge from uvicorn to Flask reads a whole body into memory, copies it once, and keeps what a client
has not read of a file yet. Artifacts have routes of FastAPI that do not, but not below a static prefix: an
upload of 6 GiB killed a worker there (MLflow 3.15.1 to 3.18.0). With this, a large body is a temporary file,
as on FastAPI's routes, and a file is read as its client reads. No thread of the server waits for a client.
"""

from __future__ import annotations

import asyncio
import io
import tempfile
from contextlib import closing
from typing import Any, BinaryIO

import anyio.from_thread
from werkzeug.wsgi import FileWrapper

_MOST_IN_MEMORY = 1024 * 1024
# Werkzeug's own pieces of a file are of 8 KiB.
_PIECE = 256 * 1024

_REQUEST_ENDED = {"type": "http.request", "body": b"", "more_body": False}
_BODY = {"type": "http.response.body"}


class _File(FileWrapper):
    """What an answer is if it is a file as a whole (`wsgi.file_wrapper`)."""

    def __init__(self, file: Any, _: int = 0) -> None:
        super().__init__(file, _PIECE)


def spill(module: Any) -> None:
    """Give MLflow's module of the bridge a responder that holds little in memory."""
    # Without this class in an MLflow to come, its own bridge serves.
    original = getattr(module, "_EfficientWSGIResponder", None)
    if original is not None:
        module._EfficientWSGIResponder = _responder(original)


def _responder(original: Any) -> Any:
    class Responder(original):  # type: ignore[misc]
        _body: BinaryIO | None = None
        _file: _File | None = None

        async def __call__(self, receive: Any, send: Any) -> None:
            self._body = await _read(receive)
            if self._body is None:
                return

            async def nothing_more() -> dict[str, Any]:
                return _REQUEST_ENDED

            with self._body:
                await super().__call__(nothing_more, send)
            if self._file is not None:
                await _send(self._file, send)

        def wsgi(self, environ: dict[str, Any], start_response: Any) -> None:
            more = {"wsgi.input": self._body, "wsgi.file_wrapper": _File}
            answer = self.app({**environ, **more}, start_response)
            if isinstance(answer, _File):
                self._file = answer
                return
            for chunk in answer:
                anyio.from_thread.run(self.stream_send.send, {**_BODY, "body": chunk, "more_body": True})
            anyio.from_thread.run(self.stream_send.send, {**_BODY, "body": b""})

    return Responder


async def _read(receive: Any) -> BinaryIO | None:
    """The whole body, or None if the client has gone."""
    body: Any = io.BytesIO()
    in_memory = more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            body.close()
            return None
        chunk = message.get("body", b"")
        if in_memory and body.tell() + len(chunk) > _MOST_IN_MEMORY:
            chunk, in_memory = body.getvalue() + chunk, False
            body = tempfile.TemporaryFile()  # noqa: SIM115 - whoever asked closes it
        if in_memory:
            body.write(chunk)
        else:
            await asyncio.to_thread(body.write, chunk)  # the loop has other requests
        more = message.get("more_body", False)
    body.seek(0)
    return body


async def _send(file: _File, send: Any) -> None:
    with closing(file):
        while piece := await asyncio.to_thread(file.file.read, _PIECE):
            await send({**_BODY, "body": piece, "more_body": True})
        await send({**_BODY, "body": b""})
