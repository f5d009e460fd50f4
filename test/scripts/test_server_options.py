"""Compares each MLflow with server-options.json, for which server-options.test.ts requires decisions."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

RECORDED = json.loads((Path(__file__).parents[1] / "server" / "server-options.json").read_text())

READ = """
import importlib, json
import mlflow, mlflow.environment_variables as variables
from mlflow import server
from mlflow.cli import server as command
try:
    from mlflow.server import constants
except ImportError:
    constants = server

def options(command):
    found = {}
    for each in command.params:
        if each.param_type_name == "option":
            names = [*each.opts[1:], *each.secondary_opts, each.envvar]
            found[each.opts[0]] = [name for name in names if name]
    return found

names = {each.name for each in vars(variables).values() if isinstance(each, variables._EnvironmentVariable)}
texts = [text for name, text in vars(constants).items() if name.isupper() and isinstance(text, str)]
names |= {text for text in texts if "MLFLOW_" in text}
uvicorn = {}
if hasattr(server, "_build_uvicorn_command"):
    uvicorn = sorted(options(importlib.import_module("uvicorn.main").main))
found = {"options": options(command), "uvicorn": list(uvicorn), "variables": sorted(names)}
print(json.dumps([mlflow.__version__, found]))
"""


def read(python: str) -> tuple[str, dict]:
    done = subprocess.run([python, "-c", READ], capture_output=True, text=True, check=True, timeout=120)
    version, found = json.loads(done.stdout.splitlines()[-1])
    return version, found


def interpreters() -> list[str]:
    """The MLflow that the library runs, and the oldest one where the end-to-end tests have it."""
    old = os.environ.get("E2E_OLD_VENV")
    return [sys.executable, *([f"{old}/bin/python"] if old else [])]


@pytest.mark.parametrize("python", interpreters())
def test_each_option_and_variable_of_mlflow_is_recorded(python: str) -> None:
    version, found = read(python)
    recorded = RECORDED[version]
    variables = {name for kind in RECORDED["variables"].values() for name in kind}
    assert found["options"] == recorded["options"]
    assert found["uvicorn"] == recorded["uvicorn"]
    assert set(found["variables"]) - variables == set(), "decide: refused, typed or passed on"
