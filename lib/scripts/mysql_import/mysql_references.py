"""References that are equal to MySQL, but not spelled alike: its collations ignore case and accents."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from typing import Any

from import_plan import ForeignKey, parents_first
from import_plan import quoted as quoted_in_sqlite
from mysql_schema import Table, foreign_keys, quoted, rows_of


def respell(source: Any, target: sqlite3.Connection, tables: list[Table]) -> Iterator[str]:
    """Gives them the spelling of the row that they refer to, in the working copy."""
    texts = {(table.name, column.name) for table in tables for column in table.columns if column.is_text}
    keys = [key for key in foreign_keys(source) if key.child in {table.name for table in tables}]
    children_first = reversed(parents_first([table.name for table in tables], keys))
    for child in children_first:
        for key in keys:
            if key.child != child or not any((child, column) in texts for column in key.columns):
                continue
            pairs = _pairs_of(source, key, texts)
            rows = sum(_rename(target, keys, key, old, new) for old, new in pairs)
            if rows:
                yield f"spelled as in {key.parent}: {rows} rows of {child}.{', '.join(key.columns)}"


def _pairs_of(source: Any, key: ForeignKey, texts: set[tuple[str, str]]) -> list[tuple[list[Any], list[Any]]]:
    joined = list(zip(key.columns, key.parent_columns))
    is_text = [(key.child, own) in texts for own, _ in joined]
    shown = [
        f"CAST(CONVERT({side}.{quoted(name)} USING utf8mb4) AS BINARY)" if text else f"{side}.{quoted(name)}"
        for side, names in (("child", key.columns), ("parent", key.parent_columns))
        for name, text in zip(names, is_text)
    ]
    same = " AND ".join(f"child.{quoted(own)} = parent.{quoted(other)}" for own, other in joined)
    size = len(joined)
    differ = " OR ".join(f"{shown[i]} <> {shown[size + i]}" for i in range(size) if is_text[i])
    rows = rows_of(
        source,
        f"SELECT DISTINCT {', '.join(shown)} FROM {quoted(key.child)} AS child"
        f" JOIN {quoted(key.parent)} AS parent ON {same} WHERE {differ}",
    )
    return [(list(row[:size]), list(row[size:])) for row in rows]


def _rename(
    target: sqlite3.Connection, keys: list[ForeignKey], key: ForeignKey, old: list[Any], new: list[Any]
) -> int:
    """Gives rows of the child another spelling, and what refers to them by it."""
    where = " AND ".join(f"{quoted_in_sqlite(each)} = ?" for each in key.columns)
    become = ", ".join(f"{quoted_in_sqlite(each)} = ?" for each in key.columns)
    rows = target.execute(
        f"UPDATE {quoted_in_sqlite(key.child)} SET {become} WHERE {where}", [*new, *old]
    ).rowcount
    for other in keys:
        shared = [
            (column, key.columns.index(parent))
            for column, parent in zip(other.columns, other.parent_columns)
            if parent in key.columns
        ]
        if rows and other.parent == key.child and len(shared) == len(key.columns):
            below = other._replace(columns=tuple(column for column, _ in shared))
            _rename(target, keys, below, [old[i] for _, i in shared], [new[i] for _, i in shared])
    return rows
