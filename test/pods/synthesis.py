"""Charts from the library, as the YAML that a user would apply."""

from __future__ import annotations

import functools
import json
import re
import subprocess
from pathlib import Path
from typing import Any

import yaml

_ROOT = Path(__file__).parents[2]


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


def image(name: str) -> str:
    """A default image of the library."""
    [found] = re.findall(rf"^ *{name}: '(.+)'", (_ROOT / "lib" / "images.ts").read_text(), re.MULTILINE)
    return found


def sqlite_import(**options: Any) -> list[dict[str, Any]]:
    """A chart of one import into the database `database`; the options are those of synth.ts."""
    return list(yaml.safe_load_all(_synthesize("import", json.dumps(options))))


@functools.cache
def _synthesize(kind: str, argument: str) -> str:
    command = ["node", "-r", "tsx/cjs", "test/pods/synth.ts", kind, argument]
    process = subprocess.run(command, cwd=_ROOT, capture_output=True, text=True, check=False)
    assert process.returncode == 0, process.stderr
    return process.stdout
