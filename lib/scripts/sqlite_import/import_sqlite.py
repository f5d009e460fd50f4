"""Copy the SQLite database of an MLflow server into PostgreSQL: all of it, or nothing.

usage: import_sqlite.py

Environment besides libpq's own (PG*):
  MLFLOW_BACKEND_STORE_URI  default postgresql+psycopg2://
  IMPORT_SOURCE             the SQLite file, which is only read
  IMPORT_FOLDER             where its working copy goes
  IMPORT_LOCATION_RULES     JSON, [["old prefix", "new prefix"], ...]: the first that fits a location counts
  IMPORT_REPAIRS            names of repairs, with commas: renumber-experiments, drop-orphans, replace-nul
  IMPORT_EXISTING_DATA      refuse (default), or replace: delete what is there, in the same transaction
  IMPORT_DRY_RUN            true: do everything, and roll it back
  IMPORT_DEADLINE_SECONDS   how long to wait for servers to stop and for the lock (default 600)

Last line on stdout when it ends well:
  import-sqlite: imported|already-imported|dry-run: <n> rows in <n> tables, digest <16 digits>, in <s> s

Exit codes: 0 done; 1 failed (the cause is named); 3 the deadline passed, or others use the tables; 4 the
schema of the database is newer than this image; 5 the database has data already; 6 the source cannot be
imported as it is; 143 stopped by SIGTERM. The line of a failure is also the termination message. Whatever the
code, and if it is killed: one transaction, so that nothing is half-done, and it can be started again.
"""

from __future__ import annotations

import errno
import sqlite3
import sys
import time
from contextlib import closing
from typing import Any

from artifact_locations import check_matches, rewrite_locations
from database_errors import explain, find_database_error
from database_lock import take_lock
from database_writers import lock_tables, wait_for_servers
from exit_codes import BAD_SOURCE, DONE, FAILED
from import_fit import check_rows, check_schema, repair
from import_plan import Plan, read_plan
from import_rows import Digest, Progress, copy_table, source_digest, target_digest
from import_settings import DEADLINE, Settings, read_settings
from import_target import (
    NotEmpty,
    check_circular,
    clear,
    content,
    count_rows,
    defer_circular,
    leaves_no_trace,
    set_sequences,
)
from init_container import Failure, fail, one_line, prepare, redact
from mlflow_schema import (
    Revisions,
    UnusableSchema,
    connect,
    decide,
    ensure_schema,
    image_revisions,
    read_schema,
    upgrade,
)
from sqlite_copy import make_copy, open_copy, upgrade_copy

PROGRAM = "import-sqlite"
NOTHING_KEPT = "Nothing was kept: the database is as it was"


class Differs(Failure):
    pass


def say(line: str) -> None:
    print(f"{PROGRAM}: {one_line(line)}", flush=True)


def import_file(settings: Settings) -> str:
    started = time.monotonic()
    image = image_revisions()
    # What is wrong with the database shows before a large file is copied.
    decide(read_schema(settings.uri), image)
    with closing(connect(settings.uri)) as lock:
        wait_for_servers(lock, settings.seconds, PROGRAM, DEADLINE)
    copy = make_copy(settings.source, settings.folder)
    say(f"copied {settings.source}: {copy.stat().st_size >> 10} KiB")
    say(f"source: revision {upgrade_copy(copy, image)} -> {image.head}")
    with closing(open_copy(copy)) as source, closing(connect(settings.uri)) as lock:
        take_lock(lock, settings.seconds, PROGRAM, DEADLINE)
        bring_schema(settings, image)
        with closing(connect(settings.uri)) as target:
            result = transfer(settings, source, target)
    return f"{result} in {time.monotonic() - started:.1f} s"


def bring_schema(settings: Settings, image: Revisions) -> None:
    """Under the lock. Empty tables are no loss in a dry run; an upgrade cannot be taken back."""
    before = read_schema(settings.uri)
    action = decide(before, image)
    if action == "upgraded" and settings.dry_run:
        raise UnusableSchema(
            f"old-schema: the database is at revision {before.revision}, this image needs {image.head}, and a"
            " dry run upgrades nothing. Run the import itself, or start the server once"
        )
    if action != "up-to-date":
        ensure_schema(settings.uri)
        upgrade(settings.uri, before.revision)
    say(f"database: {action}: revision {before.revision or 'none'} -> {image.head}")


def mlflow_tables() -> list[str]:
    import mlflow.store.db.utils  # noqa: F401 (knows all models)
    from mlflow.store.db.base_sql_model import Base

    return list(Base.metadata.tables)


def transfer(settings: Settings, source: sqlite3.Connection, target: Any) -> str:
    target.set_client_encoding("UTF8")
    cursor = target.cursor()
    plan = read_plan(cursor, mlflow_tables())
    target.rollback()
    rows = prepare_source(settings, source, plan)
    lock_tables(target, [table.name for table in plan.tables])
    there = content(cursor, plan)
    if there and is_imported(source, cursor, plan, rows):
        return f"already-imported: {sum(rows.values())} rows"
    if there and not settings.replace:
        counts = {table.name: count_rows(cursor, table) for table in plan.tables if table.name in there}
        found = ", ".join(f"{name} {count}" for name, count in counts.items())
        raise NotEmpty(
            f"not-empty: the database has data of its own, which an import cannot be mixed with (rows:"
            f" {found}). Import into an empty database, or let it replace what is there"
        )
    for name in there:
        say(f"replaced: {name}")
    digests = fill(source, cursor, plan, rows)
    target.rollback() if settings.dry_run else target.commit()
    did = "dry-run, nothing was kept" if settings.dry_run else "imported"
    total = sum(digest.sum for digest in digests) % 2**64
    tables = sum(1 for count in rows.values() if count)
    return f"{did}: {sum(rows.values())} rows in {tables} tables, digest {total:016x},"


def prepare_source(settings: Settings, source: sqlite3.Connection, plan: Plan) -> dict[str, int]:
    others = check_schema(source, plan)
    if others:
        say(f"not imported, for these are no tables of the tracking server: {', '.join(others)}")
    for line in repair(source, plan, settings.repairs):
        say(line)
    columns = {(table.name, column.name) for table in plan.tables for column in table.columns}
    counts = rewrite_locations(source.execute, columns, settings.rules)
    check_matches(counts, settings.rules)
    for count in counts:
        say(str(count))
    return check_rows(source, plan)


def is_imported(source: sqlite3.Connection, cursor: Any, plan: Plan, rows: dict[str, int]) -> bool:
    tables = [table for table in plan.tables if not leaves_no_trace(table)]
    return all(count_rows(cursor, table) == rows[table.name] for table in tables) and all(
        source_digest(source, table) == target_digest(cursor, table) for table in tables
    )


def fill(source: sqlite3.Connection, cursor: Any, plan: Plan, rows: dict[str, int]) -> list[Digest]:
    clear(cursor, plan)
    defer_circular(cursor, plan)
    progress = Progress(say, sum(rows.values()))
    digests = [copy_table(source, cursor, table, rows[table.name], progress) for table in plan.tables]
    check_circular(cursor, plan)
    say(f"copied {progress.done} rows, {progress.rate} rows/s. Comparing")
    for table, digest in zip(plan.tables, digests):
        stored = target_digest(cursor, table)
        if stored != digest or digest.rows != rows[table.name]:
            raise Differs(f"different: {table.name}: {digest} was sent, {stored} is stored. {NOTHING_KEPT}")
    for line in set_sequences(cursor, plan):
        say(line)
    return digests


def explained(error: Exception) -> tuple[str, int]:
    if isinstance(error, Failure):
        return str(error), error.code
    if (isinstance(error, OSError) and error.errno == errno.ENOSPC) or "disk is full" in str(error):
        return "no-space: the working copy's volume is full. Make it three times the file's size", BAD_SOURCE
    if isinstance(error, sqlite3.Error):
        return f"source-damaged: SQLite cannot read the file: {error}. Look at it with `sqlite3`", BAD_SOURCE
    database_error = find_database_error(error)
    if str(getattr(database_error, "pgcode", None) or "")[:2] in ("22", "23"):  # data, and constraints
        text = one_line(redact(str(database_error))).rstrip(".")
        return f"refused: PostgreSQL takes a row not as it is: {text}. {NOTHING_KEPT}", BAD_SOURCE
    return explain(error), FAILED


def main(arguments: list[str]) -> int:
    prepare(PROGRAM)
    if arguments:
        return fail(f"{PROGRAM}: bad-settings: arguments {arguments}. Give none", FAILED)
    try:
        say(import_file(read_settings()))
        return DONE
    except Exception as error:
        text, code = explained(error)
        return fail(f"{PROGRAM}: {redact(text)}", code)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
