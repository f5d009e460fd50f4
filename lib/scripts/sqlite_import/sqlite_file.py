"""The SQLite file of an old server, which is only read, and its working copy.

The file is copied together with what SQLite keeps beside it, and SQLite recovers the copy when it is opened:
a write-ahead log is applied, a hot journal rolled back. On a read-only mount it could do neither with the
original (https://sqlite.org/wal.html#read_only_databases), and `immutable=1` would ignore the log.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

from working_copy import SUFFIXES, UnusableSource, new_copy

MAGIC = b"SQLite format 3\0"
# Size and time of change of the file and what is beside it, by suffix.
FileState = dict[str, tuple[int, int]]


def state_of(source: Path) -> FileState:
    paths = {suffix: Path(f"{source}{suffix}") for suffix in SUFFIXES}
    states = {suffix: path.stat() for suffix, path in paths.items() if path.exists()}
    return {suffix: (state.st_size, state.st_mtime_ns) for suffix, state in states.items()}


def make_copy(source: Path, folder: Path) -> Path:
    """The copy, recovered and whole."""
    _check_file(source)
    before = state_of(source)
    size = sum(each[0] for each in before.values())
    free = shutil.disk_usage(folder).free
    if free < size:
        raise UnusableSource(
            f"no-space: {folder} has {free >> 20} MiB, the copy needs {size >> 20} and as much again for an"
            " upgrade. Make the working copy's volume larger"
        )
    copy = new_copy(folder)
    for suffix in before:
        shutil.copyfile(f"{source}{suffix}", f"{copy}{suffix}")
    check_same(source, before)
    with closing(sqlite3.connect(copy)) as connection:
        # Out of WAL mode, so that the copy is one file; a log that is there is applied by that.
        connection.execute("PRAGMA journal_mode = DELETE")
        [(verdict,), *_] = connection.execute("PRAGMA quick_check(1)")
    if verdict != "ok":
        raise UnusableSource(
            f"source-damaged: {source}: {verdict}. Repair it with `sqlite3 {source.name} .recover`"
        )
    return copy


def check_same(source: Path, before: FileState) -> None:
    if state_of(source) != before:
        raise UnusableSource(
            f"source-in-use: {source} changed while it was imported. Stop the server that writes to it"
        )


def _check_file(source: Path) -> None:
    if not source.is_file():
        beside = sorted(each.name for each in source.parent.iterdir()) if source.parent.is_dir() else []
        raise UnusableSource(
            f"no-source: there is no file {source}; in its folder: {', '.join(beside[:10]) or 'nothing'}."
            " Correct the path, which starts at the top of the volume"
        )
    if not os.access(source, os.R_OK):
        raise UnusableSource(f"no-access: user {os.getuid()} may not read {source}. chmod a+r the file")
    with source.open("rb") as file:
        if file.read(len(MAGIC)) != MAGIC:
            raise UnusableSource(
                f"not-sqlite: {source} is no SQLite 3 database. Name MLflow's file, mlflow.db"
            )
