"""Charts from the library, as the YAML that a user would apply."""

from __future__ import annotations

import functools
import json
from typing import Any

import yaml
from repository import run_typescript


def example(name: str) -> list[dict[str, Any]]:
    return list(yaml.safe_load_all(_synthesize("example", name)))


def server(**options: Any) -> list[dict[str, Any]]:
    """A chart of one server `mlflow` on the database `database`; the options are those of synth.ts."""
    return list(yaml.safe_load_all(_synthesize("server", json.dumps(options))))


def backup(**options: Any) -> list[dict[str, Any]]:
    """A PostgresBackup `backup` of the database `database`; the options are those of synth-backup.ts."""
    return list(yaml.safe_load_all(_synthesize("backup", json.dumps(options))))


def restore(**options: Any) -> list[dict[str, Any]]:
    """A PostgresRestore `restore` from where that backup stores."""
    return list(yaml.safe_load_all(_synthesize("restore", json.dumps(options))))


def sqlite_import(**options: Any) -> list[dict[str, Any]]:
    """A chart of one import into the database `database`; the options are those of synth.ts."""
    return list(yaml.safe_load_all(_synthesize("import", json.dumps(options))))


@functools.cache
def _synthesize(kind: str, argument: str) -> str:
    return run_typescript("test/pods/synth.ts", kind, argument)
