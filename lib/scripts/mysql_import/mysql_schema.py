"""The tables of a MySQL or MariaDB database, and how the server tells each value exactly."""

from __future__ import annotations

import sqlite3
import struct
from typing import Any, Callable, NamedTuple

from import_plan import ForeignKey
from import_plan import quoted as quoted_in_sqlite
from mlflow_schema import Revisions
from working_copy import UnusableSource, check_revision

_COLUMNS = """
SELECT table_name, column_name, lower(data_type) FROM information_schema.columns
WHERE table_schema = database() AND coalesce(generation_expression, '') = ''
ORDER BY table_name, ordinal_position
"""
_FOREIGN_KEYS = """
SELECT constraint_name, table_name, column_name, referenced_table_name, referenced_column_name
FROM information_schema.key_column_usage
WHERE table_schema = database() AND referenced_table_name IS NOT NULL
ORDER BY table_name, constraint_name, ordinal_position
"""
_OTHERS = ("alembic_version", "sqlite_sequence")


class Column(NamedTuple):
    name: str
    expression: str  # what the server sends: the bytes of a text, or of a number as one
    decode: Callable[[bytes], Any]
    is_text: bool = False
    inexact: str = ""  # SQL that is true where the text of a number is another number


class Table(NamedTuple):
    name: str
    columns: list[Column]


def quoted(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"


def text_of(value: bytes) -> str:
    return value.decode()


def _double(value: bytes) -> float:
    return float(value) + 0.0  # SQLite keeps no sign of zero


def _single(value: bytes) -> float:
    """The shortest number that is the same in four bytes: 0.1, not 0.10000000149011612."""
    number = _double(value)
    same = struct.pack("f", number)
    return next(
        each for each in (float(f"{number:.{i}g}") for i in range(6, 18)) if struct.pack("f", each) == same
    )


def _column(name: str, kind: str) -> Column | None:
    """None for a type that MLflow does not use."""
    stored = quoted(name)
    number = f"CAST(CAST({stored} AS CHAR) AS BINARY)"
    if kind.endswith("int"):
        return Column(name, number, int)
    if kind == "double":
        return Column(name, number, _double, inexact=f"{stored} <> CAST({stored} AS CHAR) + 0e0")
    if kind == "float":  # its own text has six digits
        exact = f"{stored} + 0e0"
        inexact = f"{exact} <> CAST({exact} AS CHAR) + 0e0"
        return Column(name, f"CAST(CAST({exact} AS CHAR) AS BINARY)", _single, inexact=inexact)
    if kind == "date":
        return Column(name, number, text_of)
    if kind.endswith("blob") or kind.endswith("binary"):
        return Column(name, stored, bytes)
    if kind.endswith("char") or kind.endswith("text") or kind == "json":
        return Column(name, f"CAST(CONVERT({stored} USING utf8mb4) AS BINARY)", text_of, is_text=True)
    return None


def read_revision(source: Any, image: Revisions) -> str:
    names = {name for name, *_ in rows_of(source, _COLUMNS)}
    if "experiments" not in names or "alembic_version" not in names:
        raise UnusableSource(
            "not-mlflow: the MySQL database has no tables experiments and alembic_version. Name the database"
            " of the tracking server, of MLflow 1.0 or later"
        )
    found = "+".join(version for (version,) in rows_of(source, "SELECT version_num FROM alembic_version"))
    check_revision(found, image)
    return found


def mlflow_tables_of(source: Any, target: sqlite3.Connection, say: Callable[[str], None]) -> list[Table]:
    """Those of MLflow's schema, if they are the same on both sides."""
    kinds = kinds_of(source)
    names = [
        name.decode()
        for (name,) in target.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY 1")
    ]
    wanted = [name for name in names if name not in _OTHERS]
    others = sorted(set(kinds) - set(names))
    if others:
        say(f"not imported, for these are no tables of the tracking server: {', '.join(others)}")
    tables = []
    for name in wanted:
        columns = target.execute(f"PRAGMA table_xinfo({quoted_in_sqlite(name)})")
        expected = {column.decode() for _, column, _, _, _, _, hidden in columns if hidden < 2}
        found = kinds.get(name, {})
        unknown = [f"{column} {kind}" for column, kind in found.items() if _column(column, kind) is None]
        differ = sorted(expected ^ found.keys()) + unknown
        if differ:
            raise UnusableSource(
                f"schema-differs: {name}: {', '.join(differ)} on one side only, or of a type that cannot be"
                " copied. Somebody changed one of the schemas by hand"
            )
        tables.append(table_of(name, found))
    return tables


def kinds_of(source: Any) -> dict[str, dict[str, str]]:
    kinds: dict[str, dict[str, str]] = {}
    for table, column, kind in rows_of(source, _COLUMNS):
        kinds.setdefault(table, {})[column] = kind
    return kinds


def table_of(name: str, kinds: dict[str, str]) -> Table:
    return Table(name, [column for each in kinds.items() if (column := _column(*each))])


def foreign_keys(source: Any) -> list[ForeignKey]:
    found: dict[tuple[str, str], tuple[str, list[str], list[str]]] = {}
    for name, table, column, parent, parent_column in rows_of(source, _FOREIGN_KEYS):
        _, own, others = found.setdefault((table, name), (parent, [], []))
        own.append(column)
        others.append(parent_column)
    return [
        ForeignKey(name, table, tuple(own), parent, tuple(others))
        for (table, name), (parent, own, others) in found.items()
    ]


def rows_of(source: Any, query: str) -> list[tuple[Any, ...]]:
    """A small result. Text as such."""
    with source.cursor() as cursor:
        cursor.execute(query)
        return [
            tuple(each.decode() if isinstance(each, bytes) else each for each in row)
            for row in cursor.fetchall()
        ]
