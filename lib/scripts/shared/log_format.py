"""How programs log: as they write it, or with LOG_FORMAT=json, one JSON object a line, whatever writes it.

  {"time": "2026-01-31T12:00:00.000Z", "level": "ERROR", "severity": "ERROR", "logger": "…", "message": "…"}

`severity` and `time` are what log collectors of clouds read. A traceback is a part of its message. A request
also has its `client`, `method`, `path` and `status` (a number). Termination messages stay text.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import traceback
from datetime import datetime, timezone
from types import TracebackType
from typing import Any, TextIO

_TEXT = logging.Formatter()  # the message, with the traceback after it


def wants_json() -> bool:
    return os.environ.get("LOG_FORMAT", "").strip().lower() == "json"


def log_as_told(program: str) -> None:
    """Make everything that this process writes lines of JSON, if LOG_FORMAT says so."""
    if not wants_json() or isinstance(sys.stdout, _JsonLines):
        return
    # Whoever has made a handler, now or later: MLflow, uvicorn, Alembic.
    logging.StreamHandler.format = lambda _, record: json_of_record(record)  # type: ignore[method-assign]
    # What is printed, and what Python itself says at the end.
    sys.stdout = _JsonLines(sys.stdout, program)  # type: ignore[assignment]
    sys.stderr = _JsonLines(sys.stderr, program)  # type: ignore[assignment]
    sys.excepthook = _say_exception
    logging.captureWarnings(True)


def say(line: str, level: str) -> None:
    """A line of a program, which is of this level."""
    stream: Any = sys.stdout
    if isinstance(stream, _JsonLines):
        stream.say(line, level)
    else:
        print(line, flush=True)


def json_line(level: str, logger: str, message: str, seconds: float | None = None, **more: Any) -> str:
    now = datetime.now(timezone.utc) if seconds is None else datetime.fromtimestamp(seconds, timezone.utc)
    time = now.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    fields = {"time": time, "level": level, "severity": level, "logger": logger, "message": message, **more}
    return json.dumps(fields, ensure_ascii=False, default=str)


def json_of_record(record: logging.LogRecord) -> str:
    text = _TEXT.format(record)
    return json_line(record.levelname, record.name, text, record.created, **_request(record))


def _request(record: logging.LogRecord) -> dict[str, Any]:
    if record.name != "uvicorn.access" or not isinstance(record.args, tuple) or len(record.args) != 5:
        return {}
    client, method, path, _, status = record.args
    return {"client": client, "method": method, "path": path, "status": status}


def _say_exception(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    sys.stderr.write("".join(traceback.format_exception(kind, error, trace)))


class _JsonLines:
    """A stream that writes what comes between two ends of lines as an object; one call is never cut."""

    def __init__(self, stream: TextIO, program: str) -> None:
        self._stream, self._program = stream, program
        self._begun = ""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        self._begun += text
        if self._begun.endswith("\n"):
            said, self._begun = self._begun.rstrip("\n"), ""
            # What a handler of `logging` writes is one already.
            if said.startswith('{"time": '):
                self._stream.write(said + "\n")
                self._stream.flush()
            elif said.strip():
                # Programs print notices to stderr, too.
                self.say(said, "ERROR" if said.startswith("Traceback (most recent call last)") else "INFO")
        return len(text)

    def say(self, message: str, level: str) -> None:
        self._stream.write(json_line(level, self._program, message) + "\n")
        self._stream.flush()


def uvicorn_formatter(kind: str, **options: Any) -> logging.Formatter:
    """uvicorn's own, for uvicorn_log.json, which each process of uvicorn's reads before it says anything."""
    from uvicorn.logging import AccessFormatter, DefaultFormatter

    log_as_told("mlflow")
    return (AccessFormatter if kind == "access" else DefaultFormatter)(**options)
