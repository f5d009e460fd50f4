"""Choose a dump, prove that it is whole, and put it where restore_database.sh reads it.

Environment besides that of backup_location.py:
  BACKUP_LOCATION  a folder, or s3://bucket/prefix
  DUMP             the name of a dump, or `newest`
  BACKUP_NAME      where set: only dumps of this backup count
  WORK_FOLDER      where its description goes, and the dump itself if it comes from a bucket

Writes into WORK_FOLDER: path (of the dump), rows (`rows name` of each table), about (the dump in words).
Last line when it ends well: fetch-backup: whole: <dump in words>

Exit codes: 0 fetched; 1 failed (the cause is named); 4 there is no such dump, or it is not whole; 143 stopped
by SIGTERM. The line of a failure is also the termination message.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from backup_files import CHUNK, Damaged, Inventory, Manifest, check_whole, in_words, read_inventory
from backup_location import FolderLocation, Location, explain_location, location_at
from exit_codes import DONE, FAILED, UNUSABLE_DUMP
from init_container import Failure, fail, prepare, required

PROGRAM = "fetch-backup"


class Unusable(Failure):
    code = UNUSABLE_DUMP


def of_backup(inventory: Inventory, backup: str | None) -> Inventory:
    def its(dumps: list[Manifest]) -> list[Manifest]:
        return [each for each in dumps if backup in (None, each.backup)]

    return inventory._replace(whole=its(inventory.whole), cut=its(inventory.cut))


def choose(inventory: Inventory, wanted: str) -> Manifest:
    """The newest is not silently an older one: a dump that is not whole has to be passed over by name."""
    found = sorted(inventory.whole + inventory.cut, key=lambda each: (each.created, each.name))
    if not found:
        raise Unusable("no-dump: there is no dump with a manifest. Check the place and its prefix")
    if wanted == "newest":
        if len({each.backup for each in found}) > 1:
            raise Unusable(
                f"ambiguous: there are dumps of several backups, the newest {_names(found)}. Name one of them"
            )
        chosen = found[-1]
    else:
        named = [each for each in found if wanted in (each.name, each.dump)]
        if not named:
            raise Unusable(f"no-dump: there is no {wanted}. The newest are {_names(found)}")
        chosen = named[0]
    if chosen in inventory.cut:
        raise Unusable(f"damaged: {chosen.dump} is not whole. {_way_out(inventory, chosen)}")
    return chosen


def fetch(location: Location, manifest: Manifest, folder: Path) -> Path:
    """Where the dump is. From a bucket it is copied, and what is checked is the copy."""
    if isinstance(location, FolderLocation):
        path = location.path_of(manifest.dump)
    else:
        path = folder / "dump"
        with location.open(manifest.dump) as source, path.open("wb") as copy:
            shutil.copyfileobj(source, copy, CHUNK)
    with path.open("rb") as file:
        check_whole(file, manifest)
    return path


def describe(manifest: Manifest, path: Path, folder: Path) -> None:
    rows = "".join(f"{count} {table}\n" for table, count in manifest.rows.items())
    for name, text in (("path", f"{path}\n"), ("rows", rows), ("about", f"{in_words(manifest)}\n")):
        (folder / name).write_text(text, encoding="utf-8")


def _names(found: list[Manifest]) -> str:
    return ", ".join(each.name for each in reversed(found[-3:]))


def _way_out(inventory: Inventory, broken: Manifest) -> str:
    whole = [each for each in inventory.whole if each != broken]
    if not whole:
        return "There is no other"
    return f"The newest others are {_names(whole)}: name one of them to restore it"


def main() -> int:
    prepare(PROGRAM)
    try:
        location = location_at(required("BACKUP_LOCATION"))
        folder = Path(required("WORK_FOLDER"))
        wanted = required("DUMP")
        inventory = of_backup(read_inventory(location), os.environ.get("BACKUP_NAME"))
        manifest = choose(inventory, wanted)
        try:
            path = fetch(location, manifest, folder)
        except Damaged as error:
            raise Unusable(f"damaged: {error}. {_way_out(inventory, manifest)}") from error
        describe(manifest, path, folder)
        print(f"{PROGRAM}: whole: {in_words(manifest)}", flush=True)
        return DONE
    except Unusable as error:
        return fail(f"{PROGRAM}: {error}", error.code)
    except Exception as error:
        return fail(f"{PROGRAM}: {explain_location(error)}", FAILED)


if __name__ == "__main__":
    sys.exit(main())
