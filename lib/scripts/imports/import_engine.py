"""A working copy in SQLite into PostgreSQL: all of it, or nothing. A source makes the copy."""

from __future__ import annotations

import errno
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Any, Callable

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
from working_copy import open_copy, upgrade_copy

NOTHING_KEPT = "Nothing was kept: the database is as it was"
Say = Callable[[str], None]


class Differs(Failure):
    pass


class Source:
    """The data of an old server, which is only read."""

    def make_copy(self, settings: Settings, image: Revisions, say: Say) -> Path:
        """The SQLite file of a working copy, at a revision that the image knows."""
        raise NotImplementedError

    def check_unchanged(self) -> None:
        """Fails if somebody has written to it since it was copied."""

    def explain(self, error: Exception) -> str | None:
        """The line for an error of this source."""
        return None


def main(program: str, arguments: list[str], make_source: Callable[[], Source]) -> int:
    """The whole of a program. Its last line, and its exit code."""
    prepare(program)
    if arguments:
        return fail(f"{program}: bad-settings: arguments {arguments}. Give none", FAILED)
    source = Source()
    try:
        source = make_source()
        run = Import(program, read_settings(), source)
        run.say(run.whole())
        return DONE
    except Exception as error:
        text, code = explained(error, source)
        return fail(f"{program}: {redact(text)}", code)


class Import:
    def __init__(self, program: str, settings: Settings, source: Source) -> None:
        self._program, self._settings, self._source = program, settings, source

    def say(self, line: str) -> None:
        print(f"{self._program}: {one_line(line)}", flush=True)

    def whole(self) -> str:
        """Everything. Returns the last line."""
        started = time.monotonic()
        settings, image = self._settings, image_revisions()
        # What is wrong with the database shows before a large source is copied.
        decide(read_schema(settings.uri), image)
        with closing(connect(settings.uri)) as lock:
            wait_for_servers(lock, settings.seconds, self._program, DEADLINE)
        copy = self._source.make_copy(settings, image, self.say)
        self.say(f"source: revision {upgrade_copy(copy, image)} -> {image.head}")
        with closing(open_copy(copy)) as source, closing(connect(settings.uri)) as lock:
            take_lock(lock, settings.seconds, self._program, DEADLINE)
            self._bring_schema(image)
            with closing(connect(settings.uri)) as target:
                result = self._transfer(source, target)
        return f"{result} in {time.monotonic() - started:.1f} s"

    def _bring_schema(self, image: Revisions) -> None:
        """Under the lock. Empty tables are no loss in a dry run; an upgrade cannot be taken back."""
        uri = self._settings.uri
        before = read_schema(uri)
        action = decide(before, image)
        if action == "upgraded" and self._settings.dry_run:
            raise UnusableSchema(
                f"old-schema: the database is at revision {before.revision}, this image needs {image.head},"
                " and a dry run upgrades nothing. Run the import itself, or start the server once"
            )
        if action != "up-to-date":
            ensure_schema(uri)
            upgrade(uri, before.revision)
        self.say(f"database: {action}: revision {before.revision or 'none'} -> {image.head}")

    def _transfer(self, source: sqlite3.Connection, target: Any) -> str:
        target.set_client_encoding("UTF8")
        cursor = target.cursor()
        plan = read_plan(cursor, mlflow_tables())
        target.rollback()
        rows = self._prepare(source, plan)
        lock_tables(target, [table.name for table in plan.tables])
        there = content(cursor, plan)
        if there and is_imported(source, cursor, plan, rows):
            return f"already-imported: {sum(rows.values())} rows"
        if there and not self._settings.replace:
            counts = {table.name: count_rows(cursor, table) for table in plan.tables if table.name in there}
            found = ", ".join(f"{name} {count}" for name, count in counts.items())
            raise NotEmpty(
                f"not-empty: the database has data of its own, which an import cannot be mixed with (rows:"
                f" {found}). Import into an empty database, or let it replace what is there"
            )
        for name in there:
            self.say(f"replaced: {name}")
        digests = fill(source, cursor, plan, rows, self.say)
        self._source.check_unchanged()
        dry_run = self._settings.dry_run
        target.rollback() if dry_run else target.commit()
        did = "dry-run, nothing was kept" if dry_run else "imported"
        total = sum(digest.sum for digest in digests) % 2**64
        tables = sum(1 for count in rows.values() if count)
        return f"{did}: {sum(rows.values())} rows in {tables} tables, digest {total:016x},"

    def _prepare(self, source: sqlite3.Connection, plan: Plan) -> dict[str, int]:
        """Makes the copy fit. The number of rows of each table."""
        others = check_schema(source, plan)
        if others:
            self.say(f"not imported, for these are no tables of the tracking server: {', '.join(others)}")
        for line in repair(source, plan, self._settings.repairs):
            self.say(line)
        columns = {(table.name, column.name) for table in plan.tables for column in table.columns}
        rules = self._settings.rules
        counts = rewrite_locations(source.execute, columns, rules)
        check_matches(counts, rules)
        for count in counts:
            self.say(str(count))
        return check_rows(source, plan)


def mlflow_tables() -> list[str]:
    import mlflow.store.db.utils  # noqa: F401 (knows all models)
    from mlflow.store.db.base_sql_model import Base

    return list(Base.metadata.tables)


def is_imported(source: sqlite3.Connection, cursor: Any, plan: Plan, rows: dict[str, int]) -> bool:
    tables = [table for table in plan.tables if not leaves_no_trace(table)]
    return all(count_rows(cursor, table) == rows[table.name] for table in tables) and all(
        source_digest(source, table) == target_digest(cursor, table) for table in tables
    )


def fill(
    source: sqlite3.Connection, cursor: Any, plan: Plan, rows: dict[str, int], say: Say = print
) -> list[Digest]:
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


def explained(error: Exception, source: Source) -> tuple[str, int]:
    if isinstance(error, Failure):
        return str(error), error.code
    if (isinstance(error, OSError) and error.errno == errno.ENOSPC) or "disk is full" in str(error):
        return "no-space: the working copy's volume is full. Make it three times the source", BAD_SOURCE
    of_source = source.explain(error)
    if of_source is not None:
        return of_source, BAD_SOURCE
    database_error = find_database_error(error)
    if str(getattr(database_error, "pgcode", None) or "")[:2] in ("22", "23"):  # data, and constraints
        text = one_line(redact(str(database_error))).rstrip(".")
        return f"refused: PostgreSQL takes a row not as it is: {text}. {NOTHING_KEPT}", BAD_SOURCE
    return explain(error), FAILED
