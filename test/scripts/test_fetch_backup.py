from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import fetch_backup as script
import init_container
import pytest
from conftest import manifest_of

OLD, NEW = "backup-20260101T030405Z-old", "backup-20260102T030405Z-new"
ABOUT = f"{NEW}.dump (made 2026-01-02 03:04:05 UTC of mlflow, PostgreSQL 17.6, schema revision abc)"
Run = Callable[..., int]


def put(folder: Path, name: str, age: int = 0) -> None:
    manifest = manifest_of(name)
    manifest = manifest._replace(created=manifest.created - timedelta(days=age))
    (folder / manifest.dump).write_bytes(b"content")
    (folder / f"{name}.json").write_text(manifest.to_json())


@pytest.fixture
def volume(tmp_path: Path) -> Path:
    folder = tmp_path / "volume"
    folder.mkdir()
    put(folder, OLD, age=1)
    put(folder, NEW)
    return folder


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    (tmp_path / "scratch").mkdir()
    return tmp_path / "scratch"


@pytest.fixture
def run(volume: Path, scratch: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setattr(init_container, "_exit_on_sigterm", lambda program: None)

    def main(dump: str = "newest") -> int:
        monkeypatch.setenv("BACKUP_LOCATION", str(volume))
        monkeypatch.setenv("WORK_FOLDER", str(scratch))
        monkeypatch.setenv("DUMP", dump)
        return script.main()

    return main


@pytest.mark.parametrize("dump", ["newest", NEW, f"{NEW}.dump"])
def test_describes_a_whole_dump(
    dump: str, run: Run, volume: Path, scratch: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(dump) == 0
    assert (scratch / "path").read_text() == f"{volume}/{NEW}.dump\n"
    assert (scratch / "rows").read_text() == "1 public.experiments\n2 public.runs\n"
    assert (scratch / "about").read_text() == f"{ABOUT}\n"
    assert capsys.readouterr().out == f"fetch-backup: whole: {ABOUT}\n"


def test_the_newest_of_one_backup(
    run: Run, volume: Path, scratch: Path, monkeypatch: pytest.MonkeyPatch, termination_log: Path
) -> None:
    put(volume, "nightly-20260103T030405Z-newer", age=-1)
    assert run() == 4
    assert termination_log.read_text() == (
        "fetch-backup: ambiguous: there are dumps of several backups, the newest"
        f" nightly-20260103T030405Z-newer, {NEW}, {OLD}. Name one of them\n"
    )
    monkeypatch.setenv("BACKUP_NAME", "backup")
    assert run() == 0
    assert (scratch / "path").read_text() == f"{volume}/{NEW}.dump\n"


def test_one_by_name(run: Run, scratch: Path) -> None:
    assert run(OLD) == 0
    assert OLD in (scratch / "path").read_text()


@pytest.mark.parametrize(
    ("content", "why"),
    [(b"conten", "is not whole"), (b"Content", r"has the digest \w+ instead of \w+"), (None, "is not whole")],
)
def test_an_older_one_is_not_taken_silently(
    content: bytes | None, why: str, run: Run, volume: Path, scratch: Path, termination_log: Path
) -> None:
    (volume / f"{NEW}.dump").unlink() if content is None else (volume / f"{NEW}.dump").write_bytes(content)
    assert run() == 4
    line = termination_log.read_text()
    assert line.startswith(f"fetch-backup: damaged: {NEW}.dump ")
    assert line.endswith(f". The newest others are {OLD}: name one of them to restore it\n")
    assert list(scratch.iterdir()) == []


def test_the_only_one_is_damaged(run: Run, volume: Path, termination_log: Path) -> None:
    for path in volume.glob(f"{OLD}*"):
        path.unlink()
    (volume / f"{NEW}.dump").write_bytes(b"")
    assert run() == 4
    assert termination_log.read_text() == (
        f"fetch-backup: damaged: {NEW}.dump is not whole. There is no other\n"
    )


def test_there_is_none(run: Run, volume: Path, termination_log: Path) -> None:
    for path in volume.iterdir():
        path.unlink()
    (volume / f"{NEW}.dump").write_bytes(b"without a manifest")
    assert run() == 4
    assert termination_log.read_text() == (
        "fetch-backup: no-dump: there is no dump with a manifest. Check the place and its prefix\n"
    )


def test_there_is_none_of_this_name(run: Run, termination_log: Path) -> None:
    assert run("backup-20200101T000000Z-x") == 4
    assert termination_log.read_text() == (
        f"fetch-backup: no-dump: there is no backup-20200101T000000Z-x. The newest are {NEW}, {OLD}\n"
    )


def test_newest_of_several_backups(run: Run, volume: Path, termination_log: Path) -> None:
    put(volume, "other-20260101T030405Z-x", age=1)
    assert run() == 4
    assert termination_log.read_text() == (
        "fetch-backup: ambiguous: there are dumps of several backups, the newest"
        f" {NEW}, other-20260101T030405Z-x, {OLD}. Name one of them\n"
    )
    assert run(NEW) == 0
