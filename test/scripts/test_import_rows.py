from __future__ import annotations

import sqlite3

import pytest
from import_plan import Column, Table
from import_rows import TYPES, Digest, Progress, copy_table, source_digest

LONG = b"\0\0\0\x08"


@pytest.mark.parametrize(
    ("kind", "value", "field"),
    [
        ("bool", 1, b"\0\0\0\x01\x01"),
        ("bool", 0, b"\0\0\0\x01\0"),
        ("int4", -2, b"\0\0\0\x04\xff\xff\xff\xfe"),
        ("int8", 2**63 - 1, LONG + b"\x7f" + 7 * b"\xff"),
        ("float8", -0.0, LONG + b"\x80" + 7 * b"\0"),
        ("float8", 3, LONG + b"\x40\x08" + 6 * b"\0"),
        ("float8", float("inf"), LONG + b"\x7f\xf0" + 6 * b"\0"),
        ("varchar", "ü\t\\N".encode(), b"\0\0\0\x05\xc3\xbc\t\\N"),
        ("text", b"", b"\0\0\0\0"),
        ("json", b"{}", b"\0\0\0\x02{}"),
        ("json", 12, b"\0\0\0\x0212"),
        ("json", 0.5, b"\0\0\0\x030.5"),
        ("bytea", b"\0\xff", b"\0\0\0\x02\0\xff"),
        ("date", b"2000-01-03", b"\0\0\0\x04\0\0\0\x02"),
        ("date", b"1999-12-31", b"\0\0\0\x04\xff\xff\xff\xff"),
    ],
)
def test_fields_are_those_of_binary_copy(kind: str, value: object, field: bytes) -> None:
    assert TYPES[kind].encode(value) == field


class Target:
    def __init__(self) -> None:
        self.copies: list[tuple[str, bytes]] = []

    def copy_expert(self, statement: str, file: object, size: int) -> None:
        self.copies.append((statement, file.read()))


def source(rows: int) -> sqlite3.Connection:
    connection = sqlite3.connect(":memory:")
    connection.text_factory = bytes
    connection.execute('CREATE TABLE t (n INTEGER, "key" TEXT)')
    connection.executemany("INSERT INTO t VALUES (?, ?)", [(i, None if i % 2 else "x") for i in range(rows)])
    return connection


TABLE = Table("t", ("n",), (Column("n", "int8", None, False, None), Column("key", "text", None, True, None)))


def test_rows_go_in_batches_and_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("import_rows._ROWS", 2)
    said: list[str] = []
    target = Target()
    digest = copy_table(source(5), target, TABLE, 5, Progress(said.append, 10))
    assert [statement for statement, _ in target.copies] == 3 * [
        'COPY "t" ("n", "key") FROM STDIN (FORMAT binary)'
    ]
    row = b"\0\x02" + LONG + 7 * b"\0"
    assert target.copies[1][1] == (
        b"PGCOPY\n\xff\r\n\0"
        + 8 * b"\0"
        + row
        + b"\x02\0\0\0\x01x"
        + row
        + b"\x03\xff\xff\xff\xff"
        + b"\xff\xff"
    )
    assert digest.rows == 5
    assert len(said) == 1 and said[0].startswith("t: 5 of 5 rows, ") and said[0].endswith(", 50% of all rows")


def test_a_large_row_ends_a_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("import_rows._BYTES", 1)
    target = Target()
    copy_table(source(3), target, TABLE, 3, Progress(print, 3))
    assert len(target.copies) == 3


def test_an_empty_table_is_not_copied() -> None:
    target = Target()
    assert copy_table(source(0), target, TABLE, 0, Progress(print, 0)) == Digest(0, 0)
    assert target.copies == []


def test_a_digest_knows_no_order_but_each_bit() -> None:
    one, other, third = source(3), source(0), source(3)
    other.execute("INSERT INTO t VALUES (2, 'x'), (0, 'x'), (1, NULL)")
    third.execute("UPDATE t SET key = '' WHERE n = 1")
    assert source_digest(one, TABLE) == source_digest(other, TABLE)
    assert source_digest(one, TABLE) != source_digest(third, TABLE)
