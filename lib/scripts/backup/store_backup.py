"""Store the dump that dump_database.sh has made, prove that what is stored is that dump, and delete old ones.

Environment besides that of backup_location.py:
  BACKUP_NAME      what names begin with: only dumps of this name are ever deleted
  BACKUP_LOCATION  a folder, or s3://bucket/prefix
  WORK_FOLDER      where dump_database.sh has left the folder .partial-<host name>
  STALE_MINUTES    the age at which a dump that was never finished belongs to a pod that is gone
  KEEP_COUNT       how many dumps are kept (from 1)
  KEEP_SECONDS     the age at which a dump is deleted (default: none). The newest whole one is always kept
  MIGRATION_PLAN   where set: a file of migrate_database.py --plan. Without it, there is nothing to store

Last line when it ends well:
  store-backup: stored: <dump in words>, <size>, <n> tables, <n> rows; kept <n>, deleted <names or none>

Exit codes: 0 stored; 1 failed (the cause is named); 3 stored, but old dumps could not be deleted; 143 stopped
by SIGTERM. The line of a failure is also the termination message.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

from backup_files import (
    DUMP,
    MANIFEST,
    NAME,
    NAME_TIME,
    Damaged,
    Manifest,
    check_whole,
    in_words,
    new_name,
    read_inventory,
    size_in_words,
    time_from,
)
from backup_location import Location, explain_location, location_at
from exit_codes import DONE, FAILED, NOT_DELETED
from init_container import BadSetting, fail, prepare

PROGRAM = "store-backup"


class Settings(NamedTuple):
    backup: str
    location: str
    host: str
    partial: Path
    stale: timedelta
    count: int
    age: timedelta | None


def settings_from(env: Mapping[str, str]) -> Settings:
    try:
        host, count, age = env["HOSTNAME"], int(env["KEEP_COUNT"]), env.get("KEEP_SECONDS")
        if count < 1:
            raise ValueError
        return Settings(
            env["BACKUP_NAME"],
            env["BACKUP_LOCATION"],
            host,
            Path(env["WORK_FOLDER"]) / f".partial-{host}",
            timedelta(minutes=int(env["STALE_MINUTES"])),
            count,
            timedelta(seconds=int(age)) if age else None,
        )
    except KeyError as error:
        raise BadSetting(f"{error.args[0]} must be set") from error
    except ValueError as error:
        raise BadSetting("KEEP_COUNT, KEEP_SECONDS and STALE_MINUTES must be whole numbers from 1") from error


def read_manifest(settings: Settings) -> Manifest:
    partial = settings.partial
    facts = dict(line.split(" ", 1) for line in (partial / "facts").read_text("utf-8").splitlines())
    rows = [line.split(" ", 1) for line in (partial / "rows").read_text("utf-8").splitlines()]
    created = time_from(facts["created"])
    return Manifest(
        name=new_name(settings.backup, created, settings.host),
        backup=settings.backup,
        created=created,
        database=facts["database"],
        revision=facts.get("revision"),
        server=facts["server"],
        client=facts["client"],
        bytes=int(facts["bytes"]),
        sha256=facts["sha256"],
        rows={table: int(count) for count, table in rows},
    )


def store(location: Location, settings: Settings) -> Manifest:
    """The manifest comes last, after the dump has been read back from where it is stored."""
    manifest = read_manifest(settings)
    try:
        location.take(settings.partial / "dump", manifest.dump)
        with location.open(manifest.dump) as file:
            check_whole(file, manifest)
        location.write(manifest.name + MANIFEST, manifest.to_json())
    except Exception:
        forget(location, manifest)
        raise
    return manifest


def forget(location: Location, manifest: Manifest) -> None:
    try:
        location.delete(manifest.dump)
    except Exception as error:
        print(f"{PROGRAM}: {manifest.dump} is left behind: {explain_location(error)}", flush=True)


def too_many(whole: list[Manifest], settings: Settings) -> list[Manifest]:
    """What is old, of a list from old to new. Its last one is never in it, and is also the clock."""
    own = [each for each in whole if each.backup == settings.backup]
    old = own[: -settings.count]
    if settings.age is not None:
        old = [each for each in own[:-1] if each in old or own[-1].created - each.created > settings.age]
    return old


def stale(unfinished: list[str], settings: Settings, newest: Manifest) -> list[str]:
    """What pods that were killed have left, by this backup's name and the time in the dump's."""
    before = f"{newest.created - settings.stale:{NAME_TIME}}"
    matches = [match for match in map(NAME.fullmatch, unfinished) if match]
    return [each[0] for each in matches if each["backup"] == settings.backup and each["time"] < before]


def tidy(location: Location, settings: Settings, newest: Manifest) -> str:
    inventory = read_inventory(location)
    for cut in inventory.cut:
        print(f"{PROGRAM}: {cut.dump} is not whole and does not count: delete it", flush=True)
    own = [each for each in inventory.whole if each.backup == settings.backup]
    old = [each.name for each in too_many(own, settings)]
    gone = old + stale(inventory.unfinished, settings, newest)
    for name in gone:
        # In this order: a dump without a manifest is none, a manifest without a dump would promise one.
        location.delete(name + MANIFEST)
        location.delete(name + DUMP)
    return f"kept {len(own) - len(old)}, deleted {', '.join(gone) or 'none'}"


def main() -> int:
    prepare(PROGRAM)
    plan = os.environ.get("MIGRATION_PLAN")
    if plan and not os.path.exists(plan):
        print(f"{PROGRAM}: not needed: no existing table changes", flush=True)
        return DONE
    try:
        settings = settings_from(os.environ)
        try:
            location = location_at(settings.location)
            manifest = store(location, settings)
        finally:
            shutil.rmtree(settings.partial, ignore_errors=True)
    except Damaged as error:
        return fail(f"{PROGRAM}: damaged: {error}. It changed after it was made, and was not kept", FAILED)
    except Exception as error:
        return fail(f"{PROGRAM}: {explain_location(error)}", FAILED)
    rows = sum(manifest.rows.values())
    size = f"{size_in_words(manifest.bytes)}, {len(manifest.rows)} tables, {rows} rows"
    stored = f"{PROGRAM}: stored: {in_words(manifest)}, {size}"
    try:
        print(f"{stored}; {tidy(location, settings, manifest)}", flush=True)
        return DONE
    except Exception as error:
        return fail(f"{stored}; but old dumps could not be deleted: {explain_location(error)}", NOT_DELETED)


if __name__ == "__main__":
    sys.exit(main())
