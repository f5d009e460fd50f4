"""Rows from SQLite into PostgreSQL, and the proof that they arrived.

Both sides are compared by the fields of COPY's binary format, which is what each value is and not how it is
written (https://www.postgresql.org/docs/current/sql-copy.html). A table's digest is the sum of its rows'
SHA-256, 8 bytes of each, so that neither side has to sort anything.
"""

from __future__ import annotations

import io
import sqlite3
import time
from collections.abc import Iterator
from datetime import date
from hashlib import sha256
from struct import Struct
from typing import Any, Callable, NamedTuple

from import_plan import Column, Table, listed, quoted

_HEADER, _TRAILER = b"PGCOPY\n\xff\r\n\0" + bytes(8), b"\xff\xff"
_FIELDS = Struct(">h").pack
_LENGTH = Struct(">i").pack
_NULL = _LENGTH(-1)
_EPOCH = date(2000, 1, 1)
# A COPY queues its foreign keys' checks in the server's memory, and its rows are in ours.
_ROWS, _BYTES = 50_000, 8 << 20
_SECONDS = 10.0


class Digest(NamedTuple):
    rows: int
    sum: int


def _fixed(form: str, length: int) -> Callable[[Any], bytes]:
    pack = Struct(">i" + form).pack
    return lambda value: pack(length, value)


def _text(value: Any) -> bytes:
    if not isinstance(value, bytes):
        value = repr(value).encode()  # a column of JSON has SQLite's numeric affinity
    return _LENGTH(len(value)) + value


def _date(value: bytes) -> bytes:
    return _LENGTH(4) + _LENGTH((date.fromisoformat(value.decode()) - _EPOCH).days)


class Type(NamedTuple):
    encode: Callable[[Any], bytes]
    send: str  # PostgreSQL's own function for the same bytes


TYPES = {
    "bool": Type(_fixed("?", 1), "boolsend"),
    "bytea": Type(_text, "byteasend"),
    "date": Type(_date, "date_send"),
    "float8": Type(_fixed("d", 8), "float8send"),
    "int4": Type(_fixed("i", 4), "int4send"),
    "int8": Type(_fixed("q", 8), "int8send"),
    "json": Type(_text, "json_send"),
    "text": Type(_text, "textsend"),
    "varchar": Type(_text, "varcharsend"),
}


class Progress:
    """A line for each table, and one every ten seconds."""

    def __init__(self, say: Callable[[str], None], total: int) -> None:
        self._say, self._total, self._started = say, total, time.monotonic()
        self._said, self.done = self._started, 0

    def __call__(self, table: str, rows: int, total: int, more: int) -> None:
        self.done += more
        now = time.monotonic()
        if rows == total or now - self._said >= _SECONDS:
            self._said = now
            of_all = 100 * self.done // max(1, self._total)
            self._say(f"{table}: {rows} of {total} rows, {self.rate} rows/s, {of_all}% of all rows")

    @property
    def rate(self) -> int:
        return round(self.done / max(0.001, time.monotonic() - self._started))


def encoded_rows(source: sqlite3.Connection, table: Table) -> Iterator[bytes]:
    """The fields of each row, one row in memory at a time."""
    encoders = [TYPES[column.type].encode for column in table.columns]
    names = listed(column.name for column in table.columns)
    for row in source.execute(f"SELECT {names} FROM {quoted(table.name)}"):
        yield b"".join([_NULL if value is None else encode(value) for encode, value in zip(encoders, row)])


def number_of(fields: bytes) -> int:
    return int.from_bytes(sha256(fields).digest()[:8], "big", signed=True)


def source_digest(source: sqlite3.Connection, table: Table) -> Digest:
    rows = total = 0
    for fields in encoded_rows(source, table):
        rows += 1
        total += number_of(fields)
    return Digest(rows, total)


def copy_table(
    source: sqlite3.Connection, cursor: Any, table: Table, expected: int, progress: Progress
) -> Digest:
    names = listed(column.name for column in table.columns)
    statement = f"COPY {quoted(table.name)} ({names}) FROM STDIN (FORMAT binary)"
    head = _FIELDS(len(table.columns))
    rows = total = size = 0
    batch: list[bytes] = []

    def send() -> None:
        cursor.copy_expert(statement, io.BytesIO(b"".join([_HEADER, *batch, _TRAILER])), 1 << 16)
        progress(table.name, rows, expected, len(batch))
        batch.clear()

    for fields in encoded_rows(source, table):
        rows += 1
        size += len(fields)
        total += number_of(fields)
        batch.append(head + fields)
        if len(batch) >= _ROWS or size >= _BYTES:
            send()
            size = 0
    if batch:
        send()
    return Digest(rows, total)


def target_digest(cursor: Any, table: Table) -> Digest:
    """Computed by PostgreSQL from what it has stored."""
    fields = " || ".join(map(_field, table.columns))
    number = f"('x' || encode(substr(sha256({fields}), 1, 8), 'hex'))::bit(64)::bigint"
    cursor.execute(f"SELECT count(*), coalesce(sum({number}), 0) FROM {quoted(table.name)}")
    rows, total = cursor.fetchone()
    return Digest(rows, int(total))


def _field(column: Column) -> str:
    sent = f"{TYPES[column.type].send}({quoted(column.name)})"
    return f"coalesce(int4send(octet_length({sent})) || {sent}, int4send(-1))"
