from __future__ import annotations

import io
import json
from datetime import timedelta
from pathlib import Path

import backup_files as script
import pytest
from backup_files import Damaged
from backup_location import FolderLocation
from conftest import manifest_of

AT = script.time_from("2026-01-02T03:04:05Z")


def put(folder: Path, name: str, content: bytes = b"content", **changed: object) -> script.Manifest:
    manifest = manifest_of(name, content)._replace(**changed)
    (folder / manifest.dump).write_bytes(content)
    (folder / f"{name}.json").write_text(manifest.to_json())
    return manifest


def test_a_name_says_whose_when_and_which_pod() -> None:
    assert script.new_name("my-backup", AT, "my-backup-29384-x7k2p") == "my-backup-20260102T030405Z-x7k2p"
    with pytest.raises(ValueError, match="is no name of a dump"):
        script.new_name("my-backup", AT, "UPPER")


def test_a_manifest_is_read_as_it_was_written() -> None:
    manifest = manifest_of("backup-20260102T030405Z-x7k2p")
    assert script.manifest_from(manifest.name, manifest.to_json()) == manifest


@pytest.mark.parametrize(
    "change",
    [
        {"format": "other"},
        {"name": "backup-20260102T030405Z-other"},
        {"backup": "other"},
        {"created": "yesterday"},
        {"more": 1},
    ],
)
def test_what_is_no_manifest_of_this_dump(change: dict[str, object]) -> None:
    manifest = manifest_of("backup-20260102T030405Z-x7k2p")
    text = json.dumps({**json.loads(manifest.to_json()), **change})
    with pytest.raises(ValueError, match="is no manifest of a dump"):
        script.manifest_from(manifest.name, text)


@pytest.mark.parametrize("text", ["", "[]", "null", "{}", '{"format": "cdk8s-mlflow/backup-1"}'])
def test_what_is_no_manifest_at_all(text: str) -> None:
    with pytest.raises(ValueError, match="is no manifest of a dump"):
        script.manifest_from("backup-20260102T030405Z-x7k2p", text)


def test_inventory(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    newer = put(tmp_path, "a-20260102T030405Z-one")
    older = put(tmp_path, "b-20260101T030405Z-two", created=AT - timedelta(days=1))
    cut = put(tmp_path, "a-20260103T030405Z-cut", created=AT + timedelta(days=1))
    (tmp_path / cut.dump).write_bytes(b"cont")
    gone = put(tmp_path, "a-20260104T030405Z-gone", created=AT + timedelta(days=2))
    (tmp_path / gone.dump).unlink()
    (tmp_path / "a-20260105T030405Z-half.dump").write_bytes(b"never finished")
    (tmp_path / "a-20260106T030405Z-bad.json").write_text("{")
    for name in ("notes.txt", "notes.json", "notes.dump"):
        (tmp_path / name).write_text("mine")
    inventory = script.read_inventory(FolderLocation(tmp_path))
    assert inventory == script.Inventory([older, newer], [cut, gone], ["a-20260105T030405Z-half"])
    assert capsys.readouterr().out.startswith(
        "ignored: a-20260106T030405Z-bad.json is no manifest of a dump: "
    )


def test_whole() -> None:
    manifest = manifest_of("backup-20260102T030405Z-x7k2p", b"content")
    script.check_whole(io.BytesIO(b"content"), manifest)
    with pytest.raises(Damaged, match=r"x7k2p\.dump has 6 bytes instead of 7$"):
        script.check_whole(io.BytesIO(b"conten"), manifest)
    with pytest.raises(Damaged, match=r"x7k2p\.dump has the digest \w{64} instead of \w{64}$"):
        script.check_whole(io.BytesIO(b"Content"), manifest)


@pytest.mark.parametrize(
    ("amount", "words"),
    [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (2.5e9, "2.5 GB"), (3e15, "3000.0 TB")],
)
def test_size_in_words(amount: float, words: str) -> None:
    assert script.size_in_words(amount) == words


def test_in_words() -> None:
    manifest = manifest_of("backup-20260102T030405Z-x7k2p")
    about = "backup-20260102T030405Z-x7k2p.dump (made 2026-01-02 03:04:05 UTC of mlflow, PostgreSQL 17.6, "
    assert script.in_words(manifest) == about + "schema revision abc)"
    assert script.in_words(manifest._replace(revision=None)) == about + "without MLflow's schema)"
