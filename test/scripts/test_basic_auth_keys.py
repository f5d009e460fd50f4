"""Compares each MLflow with basic-auth-keys.json, for which basic-auth.test.ts requires props."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import pytest
from test_server_options import interpreters

RECORDED = json.loads((Path(__file__).parents[1] / "server" / "auth" / "basic-auth-keys.json").read_text())


def read(mlflow: Path) -> tuple[str, list[str]]:
    """Version, and the keys of basic_auth.ini: the fields of AuthConfig, without importing MLflow."""
    version = ast.parse((mlflow / "version.py").read_text())
    [number] = [
        node.value.value
        for node in version.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "VERSION"
    ]
    [config] = [
        node
        for node in ast.parse((mlflow / "server" / "auth" / "config.py").read_text()).body
        if isinstance(node, ast.ClassDef)
    ]
    return number, sorted(node.target.id for node in config.body if isinstance(node, ast.AnnAssign))


@pytest.mark.parametrize("python", interpreters())
def test_each_key_of_basic_auth_is_recorded(python: str) -> None:
    found = [*Path(python).parents[1].glob("lib/python*/site-packages/mlflow")]
    if not found:
        pytest.skip("no MLflow beside this Python")
    version, keys = read(found[0])
    assert RECORDED[version] == keys
