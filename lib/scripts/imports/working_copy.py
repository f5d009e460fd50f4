"""The working copy of a source, in SQLite, and how it gets this image's schema."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from exit_codes import BAD_SOURCE
from init_container import Failure
from mlflow_schema import Revisions, upgrade

# A database, and what SQLite keeps beside it.
SUFFIXES = ("", "-wal", "-journal")


class UnusableSource(Failure):
    code = BAD_SOURCE


def new_copy(folder: Path) -> Path:
    """Its path, where nothing of a former one is left."""
    copy = folder / "import.db"
    for suffix in (*SUFFIXES, "-shm"):
        Path(f"{copy}{suffix}").unlink(missing_ok=True)
    return copy


def upgrade_copy(copy: Path, image: Revisions) -> str:
    """Brings the copy to the image's schema with MLflow's own migrations. Returns the revision before."""
    found = _revision(copy)
    check_revision(found, image)
    if found == image.head:
        return found
    upgrade(f"sqlite:///{copy}", found, without_syncs)
    after = _revision(copy)
    if after != image.head:
        raise UnusableSource(f"incomplete: the copy is at {after} instead of {image.head}. Start again")
    return found or "none"


def check_revision(found: str | None, image: Revisions) -> None:
    if found is not None and found not in image.known:
        raise UnusableSource(
            f"newer-source: the source is at revision {found}, which this image does not know: its newest is"
            f" {image.head}. Use the MLflow image that made it, or a later one"
        )


def open_copy(copy: Path) -> sqlite3.Connection:
    """Text comes as the bytes that are stored, without a detour through str."""
    connection = sqlite3.connect(copy, isolation_level=None)
    connection.text_factory = bytes
    without_syncs(connection)
    return connection


def without_syncs(connection: Any, *_: object) -> None:
    """Nobody needs the copy after a crash. Not the journal: migrations roll back."""
    connection.execute("PRAGMA synchronous = OFF")


def _revision(copy: Path) -> str | None:
    with closing(sqlite3.connect(copy)) as connection:
        names = {
            name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        }
        if "experiments" not in names:
            raise UnusableSource(
                "not-mlflow: the SQLite file has no table experiments. Name the file of the tracking server"
            )
        if "alembic_version" not in names:
            return None
        return connection.execute("SELECT group_concat(version_num, '+') FROM alembic_version").fetchone()[0]
