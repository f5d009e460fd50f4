"""Large bodies of requests to MLflow's app of Flask, and of its answers, outside of memory.

MLflow's bridge from uvicorn to Flask reads a whole body into memory, copies it once, and keeps what a client
has not read of an answer yet. Artifacts have routes of FastAPI that do not, but not below a static prefix:
an upload of 6 GiB killed a worker there (MLflow 3.15.1 to 3.18.0). With this, a large body is a temporary
file, as on FastAPI's routes, and an answer waits for its client.
"""

from __future__ import annotations

import asyncio
import io
import tempfile
from typing import Any, BinaryIO

import anyio
from werkzeug.wsgi import FileWrapper

_MOST_IN_MEMORY = 1024 * 1024
_WAITING_PIECES = 4
# Werkzeug's own are of 8 KiB, and each one takes a turn of the loop.
_PIECE = 256 * 1024

_REQUEST_ENDED = {"type": "http.request", "body": b"", "more_body": False}


def spill(module: Any) -> None:
    """Give MLflow's module of the bridge a responder that holds little in memory."""
    # Without this class in an MLflow to come, its own bridge serves.
    original = getattr(module, "_EfficientWSGIResponder", None)
    if original is not None:
        module._EfficientWSGIResponder = _responder(original)


def _responder(original: Any) -> Any:
    class Responder(original):  # type: ignore[misc]
        def __init__(self, app: Any, scope: Any) -> None:
            super().__init__(app, scope)
            self.stream_send, self.stream_receive = anyio.create_memory_object_stream(_WAITING_PIECES)

        async def __call__(self, receive: Any, send: Any) -> None:
            self._body = await _read(receive)
            if self._body is None:
                return
            with self._body:

                async def nothing_more() -> dict[str, Any]:
                    return _REQUEST_ENDED

                await super().__call__(nothing_more, send)

        def wsgi(self, environ: dict[str, Any], start_response: Any) -> None:
            more = {"wsgi.input": self._body, "wsgi.file_wrapper": _in_large_pieces}
            super().wsgi({**environ, **more}, start_response)

    return Responder


def _in_large_pieces(file: Any, _: int = 0) -> FileWrapper:
    return FileWrapper(file, _PIECE)


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
