"""A working copy of a MySQL or MariaDB database in SQLite, at the schema that it has.

All tables are read in one snapshot. A table's digest is the sum of its rows' SHA-256, 8 bytes of each: the
server computes it of what it has stored, and we of what came.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from hashlib import sha256
from pathlib import Path
from typing import Any, Callable

from import_plan import listed
from import_plan import quoted as quoted_in_sqlite
from import_rows import Digest, Progress
from init_container import Failure
from mlflow_schema import Revisions, create_schema
from mysql_references import respell
from mysql_schema import (
    Table,
    kinds_of,
    mlflow_tables_of,
    quoted,
    read_revision,
    rows_of,
    table_of,
    text_of,
)
from working_copy import UnusableSource, open_copy, without_syncs

_SNAPSHOT = (
    "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ",
    "SET SESSION net_write_timeout = 600",
    "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY",
)
_SESSIONS = """
SELECT concat(user, '@', host) FROM information_schema.processlist
WHERE db = database() AND id <> connection_id()
"""
# In our memory.
_ROWS, _BYTES = 5_000, 8 << 20


class BadCopy(Failure):
    pass


def copy_database(source: Any, copy: Path, image: Revisions, say: Callable[[str], None]) -> dict[str, Digest]:
    """Fills a new file. The digest of each table, as the server computes it."""
    sessions = [each for (each,) in rows_of(source, _SESSIONS)]
    if sessions:
        say(f"source: other sessions, which must not write to it any more: {', '.join(sessions)}")
    for statement in _SNAPSHOT:
        source.query(statement)
    create_schema(f"sqlite:///{copy}", read_revision(source, image), without_syncs)
    with closing(open_copy(copy)) as target:
        target.execute("PRAGMA ignore_check_constraints = ON")  # PostgreSQL decides
        tables = mlflow_tables_of(source, target, say)
        digests = {table.name: server_digest(source, table) for table in tables}
        progress = Progress(
            lambda line: say(f"source: {line}"), sum(digest.rows for digest in digests.values())
        )
        target.execute("BEGIN")
        for table in tables:
            _copy_table(source, target, table, digests[table.name], progress)
        for line in respell(source, target, tables):
            say(line)
        target.execute("COMMIT")
    return digests


def server_digests(source: Any, names: Iterable[str]) -> dict[str, Digest]:
    """Of a snapshot of now."""
    for statement in _SNAPSHOT:
        source.query(statement)
    kinds = kinds_of(source)
    return {name: server_digest(source, table_of(name, kinds.get(name, {}))) for name in names}


def server_digest(source: Any, table: Table) -> Digest:
    fields = ", ".join(
        f"coalesce(concat(length({column.expression}), ':', {column.expression}), '-')"
        for column in table.columns
    )
    number = f"CAST(CONV(SUBSTR(SHA2(concat({fields}), 256), 1, 16), 16, 10) AS UNSIGNED)"
    wrong = "".join(f" + coalesce(sum({column.inexact}), 0)" for column in table.columns if column.inexact)
    numbers = ", ".join(
        f"CAST({each} AS CHAR)" for each in ("count(*)", f"coalesce(sum({number}), 0)", f"0{wrong}")
    )
    query = f"SELECT {numbers} FROM {quoted(table.name)}"
    [(rows, total, inexact)] = rows_of(source, query)
    if int(inexact):
        raise UnusableSource(
            f"mysql-inexact: {table.name}: the server tells {inexact} numbers not as they are. Correct them,"
            " or use a newer server"
        )
    return Digest(int(rows), int(total))


def _copy_table(
    source: Any, target: sqlite3.Connection, table: Table, expected: Digest, progress: Progress
) -> None:
    """A batch of rows in memory at a time."""
    name = quoted_in_sqlite(table.name)
    target.execute(f"DELETE FROM {name}")  # what migrations put in
    columns = listed(column.name for column in table.columns)
    marks = ", ".join("?" for _ in table.columns)
    insert = f"INSERT INTO {name} ({columns}) VALUES ({marks})"
    decode = [column.decode for column in table.columns]
    rows = total = stored = 0
    for batch in _batches(source, table):
        values = []
        for row in batch:
            fields = b"".join([b"-" if each is None else b"%d:%b" % (len(each), each) for each in row])
            total += int.from_bytes(sha256(fields).digest()[:8], "big")
            values.append([None if each is None else read(each) for read, each in zip(decode, row)])
        stored += sum(map(_number_of, values))
        target.executemany(insert, values)
        rows += len(batch)
        progress(table.name, rows, expected.rows, len(batch))
    if Digest(rows, total) != expected:
        raise BadCopy(
            f"different: {table.name}: {expected} is in the source, {Digest(rows, total)} came. Raise the"
            " MySQL server's max_allowed_packet if its rows are that large"
        )
    if stored != sum(_number_of(row) for row in _stored(target, table)):
        raise BadCopy(f"different: {table.name}: the working copy has other values than came. Start again")


def _stored(target: sqlite3.Connection, table: Table) -> Iterator[list[Any]]:
    is_text = [column.decode is text_of for column in table.columns]
    columns = listed(column.name for column in table.columns)
    for row in target.execute(f"SELECT {columns} FROM {quoted_in_sqlite(table.name)}"):
        yield [_as_text(each) if text else each for each, text in zip(row, is_text)]


def _as_text(value: Any) -> str | None:
    if isinstance(value, (int, float)):  # a column of JSON has SQLite's numeric affinity
        return repr(value)
    return None if value is None else value.decode()


def _number_of(row: list[Any]) -> int:
    """Of what Python has. Equal numbers of different types differ."""
    return int.from_bytes(sha256(repr(row).encode("utf-8", "surrogatepass")).digest()[:8], "big")


def _batches(source: Any, table: Table) -> Iterator[list[tuple[Any, ...]]]:
    from pymysql.cursors import SSCursor

    expressions = ", ".join(column.expression for column in table.columns)
    with source.cursor(SSCursor) as cursor:
        cursor.execute(f"SELECT {expressions} FROM {quoted(table.name)}")
        batch: list[tuple[Any, ...]] = []
        size = 0
        while row := cursor.fetchone():
            batch.append(row)
            size += sum(map(len, filter(None, row)))
            if len(batch) >= _ROWS or size >= _BYTES:
                yield batch
                batch, size = [], 0
        if batch:
            yield batch
