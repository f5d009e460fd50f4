"""LOG_FORMAT=json: each line is an object, whoever writes it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import log_format
import pytest

FOLDER = Path(log_format.__file__).parent
BACKUP = FOLDER.parent / "backup" / "postgres_client.sh"
PROGRAM = """
import logging, sys, threading, warnings
early = logging.StreamHandler(sys.stdout)  # made before, as uvicorn's are in some versions
from log_format import log_as_told, say
log_as_told("program")
log_as_told("again")
print("program: done: Größe")
print("a", 1, end="")
print(" b", flush=True)
say("program: failed: why", "ERROR")
logging.getLogger("early").addHandler(early)
logging.getLogger("early").warning("with %s", "arguments")
logging.basicConfig(level="INFO", format="%(asctime)s TEXT %(message)s")
try:
    1 / 0
except ZeroDivisionError:
    logging.getLogger("mlflow.x").exception("in a handler")
logging.getLogger("uvicorn.access").info(
    '%s - "%s %s HTTP/%s" %d', "10.0.0.1:5", "POST", "/api?x=1", "1.1", 502
)
warnings.warn("old")
if len(sys.argv) > 1:
    raise ValueError("at the end\\nof it")
"""


def run(*command: str, log_format: str = "json") -> tuple[list[str], list[str]]:
    environment = {**os.environ, "LOG_FORMAT": log_format, "PYTHONPATH": str(FOLDER)}
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    return ended.stdout.splitlines(), ended.stderr.splitlines()


def parsed(lines: list[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in lines]


def test_prints_records_and_tracebacks() -> None:
    out, errors = map(parsed, run(sys.executable, "-c", PROGRAM, "raise"))
    assert [(each["logger"], each["level"], each["message"]) for each in out] == [
        ("program", "INFO", "program: done: Größe"),
        ("program", "INFO", "a 1 b"),
        ("program", "ERROR", "program: failed: why"),
        ("early", "WARNING", "with arguments"),
    ]
    assert all(each["severity"] == each["level"] and each["time"].endswith("Z") for each in [*out, *errors])
    handled, request, warning, last = errors
    assert (handled["logger"], handled["level"]) == ("mlflow.x", "ERROR")
    assert handled["message"].startswith("in a handler\nTraceback (most recent call last):\n")
    assert handled["message"].endswith("ZeroDivisionError: division by zero")
    fields = {"client": "10.0.0.1:5", "method": "POST", "path": "/api?x=1", "status": 502}
    assert fields.items() <= request.items()
    assert (warning["logger"], warning["level"]) == ("py.warnings", "WARNING")
    assert (last["logger"], last["level"]) == ("program", "ERROR")
    assert last["message"].startswith("Traceback (most recent call last):\n")
    assert last["message"].endswith("ValueError: at the end\nof it")


@pytest.mark.parametrize("value", ["", "text"])
def test_text_stays_as_it_is(value: str) -> None:
    out, errors = run(sys.executable, "-c", PROGRAM, log_format=value)
    assert out == ["program: done: Größe", "a 1 b", "program: failed: why", "with arguments"]
    assert "TEXT in a handler" in errors[0] and errors[1] == "Traceback (most recent call last):"


def test_the_shell_scripts_do_the_same() -> None:
    script = f"""program=dump; . {BACKUP}
say INFO 'dump: 1 "table" \\ \\n über	tab'
say ERROR "pg_dump: error:
 & line 2"
"""
    out, _ = run("sh", "-c", script)
    assert [(each["logger"], each["level"], each["severity"], each["message"]) for each in parsed(out)] == [
        ("dump", "INFO", "INFO", 'dump: 1 "table" \\ \\n über tab'),
        ("dump", "ERROR", "ERROR", "pg_dump: error:\n & line 2"),
    ]
    assert run("sh", "-c", script, log_format="text")[0][1:] == ["pg_dump: error:", " & line 2"]
