from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path

import pytest
import sqlite_file
from mlflow_schema import Revisions
from sqlite_file import make_copy
from working_copy import UnusableSource, open_copy, upgrade_copy

IMAGE = Revisions("c3", frozenset({"a1", "c3"}))


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "source" / "mlflow.db"
    path.parent.mkdir()
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE experiments (name TEXT)")
    connection.execute("CREATE TABLE alembic_version (version_num TEXT)")
    connection.execute("INSERT INTO alembic_version VALUES ('c3')")
    connection.commit()
    connection.close()
    return path


def refused(source: Path, folder: Path) -> str:
    with pytest.raises(UnusableSource) as raised:
        make_copy(source, folder)
    return str(raised.value)


def names(copy: Path) -> list[bytes]:
    return [name for (name,) in open_copy(copy).execute("SELECT name FROM experiments")]


def crashed(source: Path, mode: str, folder: Path) -> Path:
    """The files as a process leaves them that is killed before its log or journal is gone."""
    connection = sqlite3.connect(source, isolation_level=None)
    connection.execute(f"PRAGMA journal_mode = {mode}")
    connection.execute("PRAGMA cache_size = 1")
    connection.execute("PRAGMA wal_autocheckpoint = 0")
    connection.execute("BEGIN")
    connection.executemany("INSERT INTO experiments VALUES (?)", [("x" * 1000,) for _ in range(100)])
    if mode == "WAL":
        connection.execute("COMMIT")
    folder.mkdir()
    for file in source.parent.glob("mlflow.db*"):
        if not file.name.endswith("-shm"):
            shutil.copyfile(file, folder / file.name)
    return folder / "mlflow.db"


def test_a_log_that_is_beside_the_file_counts(source: Path, tmp_path: Path) -> None:
    left = crashed(source, "WAL", tmp_path / "left")
    assert Path(f"{left}-wal").stat().st_size > 0
    before = {path.name: path.read_bytes() for path in left.parent.iterdir()}
    assert names(make_copy(left, tmp_path)) == 100 * [1000 * b"x"]
    assert {path.name: path.read_bytes() for path in left.parent.iterdir()} == before


def test_a_transaction_that_was_cut_is_rolled_back(source: Path, tmp_path: Path) -> None:
    left = crashed(source, "DELETE", tmp_path / "left")
    assert Path(f"{left}-journal").stat().st_size > 0
    assert names(make_copy(left, tmp_path)) == []


def test_nothing_of_a_former_copy_stays(source: Path, tmp_path: Path) -> None:
    (tmp_path / "import.db-wal").write_bytes(b"old")
    assert names(make_copy(source, tmp_path)) == []


def test_a_file_that_is_not_there(source: Path, tmp_path: Path) -> None:
    assert refused(source.with_name("other.db"), tmp_path) == (
        f"no-source: there is no file {source.with_name('other.db')}; in its folder: mlflow.db. Correct the"
        " path, which starts at the top of the volume"
    )


def test_a_file_that_is_something_else(source: Path, tmp_path: Path) -> None:
    source.write_text("<html>")
    assert refused(source, tmp_path) == (
        f"not-sqlite: {source} is no SQLite 3 database. Name MLflow's file, mlflow.db"
    )


def test_a_file_that_changes(source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def copy(old: str, new: str) -> None:
        Path(new).write_bytes(Path(old).read_bytes())
        source.write_bytes(source.read_bytes() + b"more")

    monkeypatch.setattr(sqlite_file.shutil, "copyfile", copy)
    assert refused(source, tmp_path) == (
        f"source-in-use: {source} changed while it was imported. Stop the server that writes to it"
    )


def test_a_volume_that_is_too_small(source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite_file.shutil, "disk_usage", lambda folder: type("Usage", (), {"free": 100}))
    assert refused(source, tmp_path).startswith(f"no-space: {tmp_path} has 0 MiB, the copy needs ")


def test_a_file_that_is_damaged(source: Path, tmp_path: Path) -> None:
    data = bytearray(source.read_bytes())
    data[4096 : 4096 + 64] = bytes(64)
    source.write_bytes(data)
    assert refused(source, tmp_path).startswith(f"source-damaged: {source}: ")


def test_the_schema_decides(source: Path, tmp_path: Path) -> None:
    copy = make_copy(source, tmp_path)
    assert upgrade_copy(copy, IMAGE) == "c3"
    with pytest.raises(UnusableSource) as raised:
        upgrade_copy(copy, Revisions("b2", frozenset({"a1", "b2"})))
    assert str(raised.value) == (
        "newer-source: the source is at revision c3, which this image does not know: its newest is b2. Use"
        " the MLflow image that made it, or a later one"
    )
    with sqlite3.connect(copy) as connection:
        connection.execute("DROP TABLE experiments")
    with pytest.raises(UnusableSource, match="not-mlflow: the SQLite file has no table experiments"):
        upgrade_copy(copy, IMAGE)
