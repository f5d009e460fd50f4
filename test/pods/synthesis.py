"""Charts from the library, as the YAML that a user would apply."""

from __future__ import annotations

import functools
import json
import subprocess
from typing import Any

import yaml
from repository import ROOT


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


def relocation(**options: Any) -> list[dict[str, Any]]:
    """A chart of one ArtifactRelocation `relocation`; the options are those of synth-moves.ts."""
    return list(yaml.safe_load_all(_synthesize("relocation", json.dumps(options))))


def database_move(**options: Any) -> list[dict[str, Any]]:
    """A DatabaseMove `move` from the database `old-database` to `database`."""
    return list(yaml.safe_load_all(_synthesize("move", json.dumps(options))))


@functools.cache
def _synthesize(kind: str, argument: str) -> str:
    program = _program()
    assert program.stdin and program.stdout
    program.stdin.write(json.dumps([kind, argument]) + "\n")
    program.stdin.flush()
    answer = json.loads(program.stdout.readline())
    assert "yaml" in answer, answer["error"]
    return str(answer["yaml"])


@functools.cache
def _program() -> subprocess.Popen[str]:
    """One for all cases of this process: to compile the library takes longer than to use it."""
    command = ["node", "-r", "tsx/cjs", "test/pods/synth.ts"]
    return subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
