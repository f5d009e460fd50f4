"""Which tables there are to fill, what fits into them, and in which order: as PostgreSQL itself says."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple


class Column(NamedTuple):
    name: str
    type: str  # PostgreSQL's own name: int4, int8, varchar, ...
    length: int | None  # characters at the most
    nullable: bool
    sequence: str | None  # what gives the next number


class Table(NamedTuple):
    name: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]  # without those that PostgreSQL computes


class ForeignKey(NamedTuple):
    name: str
    child: str
    columns: tuple[str, ...]
    parent: str
    parent_columns: tuple[str, ...]


class Plan(NamedTuple):
    tables: list[Table]  # parents first
    foreign_keys: list[ForeignKey]
    circular: list[ForeignKey]  # their parents are filled after them, or with them


_OURS = "c.oid = ANY (SELECT to_regclass(quote_ident(name)) FROM unnest(%(names)s) AS name)"
_COLUMNS = f"""
SELECT c.relname, a.attname, t.typname,
  CASE WHEN t.typname = 'varchar' AND a.atttypmod > 4 THEN a.atttypmod - 4 END,
  NOT a.attnotnull, pg_get_serial_sequence(c.oid::regclass::text, a.attname),
  EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisprimary AND a.attnum = ANY (i.indkey))
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid JOIN pg_type t ON t.oid = a.atttypid
WHERE {_OURS} AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
ORDER BY c.relname, a.attnum
"""
_FOREIGN_KEYS = f"""
SELECT f.conname, c.relname,
  ARRAY(SELECT attname::text FROM unnest(f.conkey) WITH ORDINALITY AS k(n, o) JOIN pg_attribute
    ON attrelid = f.conrelid AND attnum = n ORDER BY o),
  p.relname,
  ARRAY(SELECT attname::text FROM unnest(f.confkey) WITH ORDINALITY AS k(n, o) JOIN pg_attribute
    ON attrelid = f.confrelid AND attnum = n ORDER BY o)
FROM pg_constraint f JOIN pg_class c ON c.oid = f.conrelid JOIN pg_class p ON p.oid = f.confrelid
WHERE f.contype = 'f' AND {_OURS}
ORDER BY c.relname, f.conname
"""


def read_plan(cursor: Any, names: Iterable[str]) -> Plan:
    parameters = {"names": sorted(names)}
    cursor.execute(_COLUMNS, parameters)
    columns: dict[str, list[Column]] = {}
    keys: dict[str, list[str]] = {}
    for table, name, kind, length, nullable, sequence, in_key in cursor.fetchall():
        columns.setdefault(table, []).append(Column(name, kind, length, nullable, sequence))
        keys.setdefault(table, []).extend([name] if in_key else [])
    cursor.execute(_FOREIGN_KEYS, parameters)
    foreign_keys = [
        ForeignKey(name, child, tuple(own), parent, tuple(others))
        for name, child, own, parent, others in cursor.fetchall()
        if parent in columns
    ]
    tables = {name: Table(name, tuple(keys[name]), tuple(each)) for name, each in columns.items()}
    order = parents_first(tables, foreign_keys)
    circular = [key for key in foreign_keys if order.index(key.parent) >= order.index(key.child)]
    return Plan([tables[name] for name in order], foreign_keys, circular)


def parents_first(names: Iterable[str], foreign_keys: list[ForeignKey]) -> list[str]:
    """Where tables need each other, the one that needs the fewest comes first."""
    left, order = set(names), []
    while left:
        needs = {name: {key.parent for key in foreign_keys if key.child == name} - {name} for name in left}
        order.append(min(left, key=lambda name: (len(needs[name] & left), name)))
        left.remove(order[-1])
    return order


def quoted(name: str) -> str:
    """An identifier, for both databases."""
    return '"' + name.replace('"', '""') + '"'


def listed(names: Iterable[str]) -> str:
    return ", ".join(map(quoted, names))
