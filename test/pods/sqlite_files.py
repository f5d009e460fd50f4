"""SQLite databases of old servers, on the claim that an import reads."""

from __future__ import annotations

import fcntl
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import synthesis
from kubelet.container import Ended
from kubelet.kubernetes import Namespace
from kubelet.pod import Pod

RUNS, POINTS = 2_000, 100
_CLAIM = {"kind": "PersistentVolumeClaim", "metadata": {"name": "old-mlflow"}, "spec": {}}


def make_files(folder: Path) -> tuple[Path, Path]:
    """A large and a small one, once for all processes of pytest-xdist."""
    folder.mkdir(exist_ok=True)
    large, small = folder / "large.db", folder / "small.db"
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "complete").exists():
            script = str(Path(__file__).with_name("sqlite_server.py"))
            command = [sys.executable, script, str(large), str(small), str(RUNS), str(POINTS)]
            environment = {**os.environ, "MLFLOW_ENABLE_ASYNC_TRACE_LOGGING": "false"}
            process = subprocess.run(command, env=environment, cwd=folder, capture_output=True, text=True)
            assert process.returncode == 0, process.stderr
            (folder / "complete").touch()
    return large, small


def put(namespace: Namespace, *files: Path) -> Path:
    """The first becomes `mlflow.db`; the others lie beside it, with their suffixes."""
    namespace.apply([_CLAIM])
    source = namespace.claim_folder("old-mlflow") / "mlflow.db"
    for file in files:
        target = Path(f"{source}{file.name.removeprefix(files[0].name)}")
        shutil.copyfile(file, target)
        target.chmod(0o644)
    return source


def start(namespace: Namespace, **options: Any) -> Pod:
    documents = synthesis.sqlite_import(**options)
    namespace.apply(documents)
    [name] = [each["metadata"]["name"] for each in documents if each["kind"] == "Job"]
    return namespace.job(name)


def run(namespace: Namespace, **options: Any) -> Ended:
    [ended] = start(namespace, **options).wait_completed(300)
    return ended


@contextmanager
def changed(path: Path) -> Iterator[sqlite3.Connection]:
    """As somebody would with the sqlite3 shell."""
    connection = sqlite3.connect(path)
    with connection:
        yield connection
    connection.close()
