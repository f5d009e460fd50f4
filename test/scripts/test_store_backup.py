from __future__ import annotations

import errno
import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import init_container
import pytest
import store_backup as script
from backup_files import Manifest, digest_of
from backup_location import FolderLocation
from conftest import manifest_of

NAME = "backup-20260102T030405Z-x7k2p"
ABOUT = f"{NAME}.dump (made 2026-01-02 03:04:05 UTC of mlflow, PostgreSQL 17.6, schema revision abc)"
Run = Callable[..., int]


@pytest.fixture
def volume(tmp_path: Path) -> Path:
    """What dump_database.sh has left, in the pod `backup-1-x7k2p`."""
    partial = tmp_path / "volume" / ".partial-backup-1-x7k2p"
    partial.mkdir(parents=True)
    (partial / "dump").write_bytes(b"content")
    with (partial / "dump").open("rb") as file:
        bytes_, digest = digest_of(file)
    facts = ["created 2026-01-02T03:04:05Z", "database mlflow", "server 17.6", "revision abc", "client 18"]
    (partial / "facts").write_text("\n".join([*facts, f"bytes {bytes_}", f"sha256 {digest}", ""]))
    (partial / "rows").write_text("1 public.experiments\n2 public.runs\n")
    return partial.parent


@pytest.fixture
def run(volume: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setattr(init_container, "_exit_on_sigterm", lambda program: None)

    def main(**changed: str) -> int:
        settings = {
            "BACKUP_NAME": "backup",
            "BACKUP_LOCATION": str(volume),
            "WORK_FOLDER": str(volume),
            "HOSTNAME": "backup-1-x7k2p",
            "STALE_MINUTES": "370",
            "KEEP_COUNT": "7",
        }
        for name, value in {**settings, **changed}.items():
            monkeypatch.setenv(name, value)
        return script.main()

    return main


def names(volume: Path) -> list[str]:
    return sorted(path.name for path in volume.iterdir())


def test_stores_the_dump_and_then_its_manifest(
    run: Run, volume: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run() == 0
    assert names(volume) == [f"{NAME}.dump", f"{NAME}.json"]
    assert (volume / f"{NAME}.json").read_text() == manifest_of(NAME).to_json()
    assert capsys.readouterr().out == (
        f"store-backup: stored: {ABOUT}, 7 B, 2 tables, 3 rows; kept 1, deleted none\n"
    )


def test_stores_only_what_was_planned(
    run: Run, volume: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plan = tmp_path / "plan"
    before = names(volume)
    assert run(MIGRATION_PLAN=str(plan)) == 0
    assert capsys.readouterr().out == "store-backup: not needed: no existing table changes\n"
    assert names(volume) == before
    plan.touch()
    assert run(MIGRATION_PLAN=str(plan)) == 0
    assert names(volume) == [f"{NAME}.dump", f"{NAME}.json"]


@pytest.mark.parametrize("content", [b"conten", b"Content", b""])
def test_a_dump_that_changed_meanwhile_is_not_kept(
    content: bytes, run: Run, volume: Path, termination_log: Path
) -> None:
    (volume / ".partial-backup-1-x7k2p" / "dump").write_bytes(content)
    assert run() == 1
    assert names(volume) == []
    line = termination_log.read_text()
    assert line.startswith(f"store-backup: damaged: {NAME}.dump has ")
    assert line.endswith(". It changed after it was made, and was not kept\n")


@pytest.mark.parametrize("broken", ["take", "write"])
def test_nothing_of_it_stays_where_it_cannot_be_stored(
    broken: str, run: Run, volume: Path, termination_log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "/backups/x")

    monkeypatch.setattr(FolderLocation, broken, full)
    assert run() == 1
    assert names(volume) == []
    assert termination_log.read_text() == (
        "store-backup: disk-full: [Errno 28] No space left on device: '/backups/x'."
        " Enlarge the volume, or keep fewer dumps\n"
    )


def test_a_dump_is_stored_even_if_old_ones_cannot_be_deleted(
    run: Run, volume: Path, termination_log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def locked(*_: object) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted", "/backups/x")

    old = manifest_of("backup-20251231T030405Z-old")
    old = old._replace(created=old.created - timedelta(days=2))
    (volume / old.dump).write_bytes(b"content")
    (volume / f"{old.name}.json").write_text(old.to_json())
    monkeypatch.setattr(FolderLocation, "delete", locked)
    assert run(KEEP_COUNT="1") == 3
    assert f"{NAME}.json" in names(volume)
    assert termination_log.read_text() == (
        f"store-backup: stored: {ABOUT}, 7 B, 2 tables, 3 rows; but old dumps could not be deleted: volume:"
        " [Errno 1] Operation not permitted: '/backups/x'. Check the volume, and that its files belong to the"
        " group of this pod\n"
    )


@pytest.mark.parametrize(
    ("changed", "text"),
    [
        ({"KEEP_COUNT": "0"}, "KEEP_COUNT, KEEP_SECONDS and STALE_MINUTES must be whole numbers from 1"),
        ({"KEEP_SECONDS": "x"}, "KEEP_COUNT, KEEP_SECONDS and STALE_MINUTES must be whole numbers from 1"),
        (
            {"BACKUP_LOCATION": "gs://x"},
            "BACKUP_LOCATION must be a folder or s3://bucket/prefix, got 'gs://x'",
        ),
    ],
)
def test_bad_settings(changed: dict[str, str], text: str, run: Run, termination_log: Path) -> None:
    assert run(**changed) == 1
    assert termination_log.read_text() == f"store-backup: bad-settings: {text}\n"


def settings(count: int = 100, age: timedelta | None = None) -> script.Settings:
    return script.Settings(
        "a", "/backups", "host", Path("/backups/.partial-host"), timedelta(hours=6), count, age
    )


def dumps(*days: int, backup: str = "a") -> list[Manifest]:
    """Dumps of these days, which are also in their names."""
    first = manifest_of(f"{backup}-20260101T000000Z-0").created
    made = [first + timedelta(days=day) for day in days]
    return [
        manifest_of(f"{backup}-{at:%Y%m%dT%H%M%SZ}-{day}")._replace(created=at) for at, day in zip(made, days)
    ]


@pytest.mark.parametrize(
    ("days", "count", "age", "old"),
    [
        ([1], 1, None, []),
        ([1, 2, 3], 3, None, []),
        ([1, 2, 3], 2, None, [1]),
        ([1, 2, 3], 1, None, [1, 2]),
        ([1, 2, 9], 100, 7, [1]),
        ([1, 2, 9], 100, 8, []),
        ([1, 100], 100, 7, [1]),
        ([1], 100, 0, []),
        ([1, 2, 3, 4], 3, 2, [1]),
        ([1, 2, 3, 4], 3, 1, [1, 2]),
    ],
)
def test_what_is_old(days: list[int], count: int, age: int | None, old: list[int]) -> None:
    limit = None if age is None else timedelta(days=age)
    found = script.too_many(dumps(*days), settings(count, limit))
    assert [int(each.name.rpartition("-")[2]) for each in found] == old


def test_others_are_neither_old_nor_counted() -> None:
    mixed = sorted(dumps(1, 3) + dumps(2, 4, 5, backup="b"), key=lambda each: each.created)
    assert script.too_many(mixed, settings(2)) == []
    assert script.too_many(mixed, settings(1)) == dumps(1)


def test_what_a_killed_pod_has_left() -> None:
    [newest] = dumps(8)  # 2026-01-10 03:04:05
    left = ["a-20260109T000000Z-x", "a-20260109T235959Z-y", "a-20260111T000000Z-z", "b-20260101T000000Z-x"]
    assert script.stale(left, settings(), newest) == ["a-20260109T000000Z-x"]
