"""What SQLite stores and PostgreSQL refuses: found before anything is copied, all of it at once.

SQLite holds neither to the length nor to the type of a column, nor to foreign keys unless asked to
(https://sqlite.org/quirks.html). What can be repaired is, in the copy, if its repair is allowed.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator

from import_plan import Column, ForeignKey, Plan, Table, listed, quoted
from import_rows import TYPES
from working_copy import UnusableSource

RENUMBER, DROP_ORPHANS, REPLACE_NUL = "renumber-experiments", "drop-orphans", "replace-nul"
REPAIRS = {
    RENUMBER: "numbers of experiments above 2147483647 (mlflow migrate-filestore makes them)",
    DROP_ORPHANS: "rows whose run, experiment or model is gone",
    REPLACE_NUL: "NUL characters in text",
}
_SHOWN = 8
_LARGEST = {"int4": 2**31 - 1, "int8": 2**63 - 1}
# What a value may be in SQLite, by PostgreSQL's type.
_STORED = {
    "bool": ("integer",),
    "bytea": ("blob",),
    "float8": ("real", "integer"),
    "int4": ("integer",),
    "int8": ("integer",),
    "json": ("text", "integer", "real"),  # a column of JSON has numeric affinity
}


def check_schema(source: sqlite3.Connection, plan: Plan) -> list[str]:
    """The same tables and columns on both sides. Returns the tables that are none of MLflow's."""
    for table in plan.tables:
        unknown = [f"{column.name} {column.type}" for column in table.columns if column.type not in TYPES]
        # Without what SQLite computes (hidden is 2 or 3).
        found = {
            name.decode()
            for _, name, _, _, _, _, hidden in source.execute(f"PRAGMA table_xinfo({quoted(table.name)})")
            if hidden < 2
        }
        differ = sorted(found ^ {column.name for column in table.columns})
        if unknown or differ:
            raise UnusableSource(
                f"schema-differs: {table.name}: {', '.join(unknown + differ)} on one side only, or of a type"
                " that cannot be copied. Somebody changed one of the schemas by hand"
            )
    tables = source.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
    names = {name.decode() for (name,) in tables}
    return sorted(names - {table.name for table in plan.tables} - {"alembic_version", "sqlite_sequence"})


def repair(source: sqlite3.Connection, plan: Plan, allowed: Iterable[str]) -> Iterator[str]:
    """Repairs the copy and yields the lines of the report."""
    for name in REPAIRS:
        if name in allowed:
            yield from (f"{name}: {line}" for line in _REPAIR[name](source, plan))


def check_rows(source: sqlite3.Connection, plan: Plan) -> dict[str, int]:
    """The number of rows of each table, if each of them fits."""
    rows, misfits = {}, []
    for table in plan.tables:
        conditions = [each for column in table.columns for each in _misfits(column)]
        sums = "".join(f", sum({condition})" for _, _, condition in conditions)
        count, *bad = source.execute(f"SELECT count(*){sums} FROM {quoted(table.name)}").fetchone()
        rows[table.name] = count
        for (column, what, condition), number in zip(conditions, bad):
            if number:
                misfits.append(
                    f"{number} in {table.name}.{column} {what} ({_example(source, table, condition)})"
                )
    for key in plan.foreign_keys:
        [(orphans,)] = source.execute(f"SELECT count(*) FROM {quoted(key.child)} WHERE {_orphaned(key)}")
        if orphans:
            what = f"without their row in {key.parent}, which {DROP_ORPHANS} leaves out"
            misfits.append(f"{orphans} in {key.child} {what}")
    if misfits:
        more = f"; and {len(misfits) - _SHOWN} more kinds" if len(misfits) > _SHOWN else ""
        raise UnusableSource(
            f"misfits: PostgreSQL cannot store {'; '.join(misfits[:_SHOWN])}{more}. Allow the repairs"
            " that are named, or correct the rest in the old database"
        )
    return rows


def _misfits(column: Column) -> Iterator[tuple[str, str, str]]:
    """Column, what is wrong, and the condition in SQLite, never NULL."""
    name, kind = quoted(column.name), column.type
    stored = ", ".join(f"'{each}'" for each in (*_STORED.get(kind, ("text",)), "null"))
    yield column.name, f"of another type than {kind}", f"typeof({name}) NOT IN ({stored})"
    if not column.nullable:
        yield column.name, "NULL", f"{name} IS NULL"
    if kind == "bool":
        yield column.name, "neither 0 nor 1", f"ifnull({name} NOT IN (0, 1), 0)"
    if kind == "int4":
        advice = f", which {RENUMBER} numbers anew" if column.name == "experiment_id" else ""
        beyond = f"ifnull({name} NOT BETWEEN {-_LARGEST[kind] - 1} AND {_LARGEST[kind]}, 0)"
        yield column.name, f"above {_LARGEST[kind]}{advice}", f"typeof({name}) = 'integer' AND {beyond}"
    if kind in ("varchar", "text", "json"):
        nul = f"ifnull(instr({name}, char(0)) > 0, 0)"
        yield column.name, f"with NUL characters, which {REPLACE_NUL} replaces", nul
    if column.length is not None:
        yield column.name, f"longer than {column.length}", f"ifnull(length({name}) > {column.length}, 0)"
    if kind == "json":
        yield column.name, "no valid JSON (NaN?)", f"{name} IS NOT NULL AND NOT json_valid({name})"
    if kind == "date":
        pattern = "[0-9]" * 4 + "-" + "[0-9]" * 2 + "-" + "[0-9]" * 2
        yield column.name, "no date", f"ifnull({name} NOT GLOB '{pattern}', 0)"


def _example(source: sqlite3.Connection, table: Table, condition: str) -> str:
    names = table.key or tuple(column.name for column in table.columns[:1])
    query = f"SELECT {listed(names)} FROM {quoted(table.name)} WHERE {condition} LIMIT 1"
    values = source.execute(query).fetchone()
    shown = (each.decode(errors="replace") if isinstance(each, bytes) else each for each in values)
    return ", ".join(f"{name} {str(value)[:40]!r}" for name, value in zip(names, shown))


def _orphaned(key: ForeignKey) -> str:
    """As PostgreSQL sees it: a key with a NULL in it refers to nothing."""
    child, parent = quoted(key.child), quoted(key.parent)
    given = " AND ".join(f"{child}.{quoted(own)} IS NOT NULL" for own in key.columns)
    same = " AND ".join(
        f"parent.{quoted(other)} = {child}.{quoted(own)}"
        for own, other in zip(key.columns, key.parent_columns)
    )
    return f"{given} AND NOT EXISTS (SELECT 1 FROM {parent} AS parent WHERE {same})"


def _drop_orphans(source: sqlite3.Connection, plan: Plan) -> Iterator[str]:
    dropped = True
    while dropped:  # what refers to a dropped row is an orphan then
        dropped = False
        for key in plan.foreign_keys:
            rows = source.execute(f"DELETE FROM {quoted(key.child)} WHERE {_orphaned(key)}").rowcount
            if rows:
                dropped = True
                yield f"{rows} rows of {key.child} without their row in {key.parent} left out"


def _replace_nul(source: sqlite3.Connection, plan: Plan) -> Iterator[str]:
    # SQLite's own replace() takes a NUL for the end of the pattern.
    source.create_function("without_nul", 1, lambda text: text.replace("\0", "\ufffd"), deterministic=True)
    for table in plan.tables:
        for column in table.columns:
            if column.type in ("varchar", "text", "json"):
                name = quoted(column.name)
                update = f"UPDATE {quoted(table.name)} SET {name} = without_nul({name})"
                rows = source.execute(f"{update} WHERE instr({name}, char(0))").rowcount
                if rows:
                    yield f"{rows} texts in {table.name}.{column.name} have U+FFFD in its place"


def _renumber(source: sqlite3.Connection, plan: Plan) -> Iterator[str]:
    """Small numbers for large ones, in each column that holds them."""
    large = source.execute(
        "SELECT experiment_id, name FROM experiments WHERE experiment_id > ? ORDER BY creation_time, 1",
        (_LARGEST["int4"],),
    ).fetchall()
    if not large:
        return
    [(last,)] = source.execute(
        "SELECT ifnull(max(experiment_id), 0) FROM experiments WHERE experiment_id <= ?", (_LARGEST["int4"],)
    )
    source.execute("CREATE TEMP TABLE renumbered (old INTEGER PRIMARY KEY, new INTEGER)")
    for new, (old, name) in enumerate(large, last + 1):
        source.execute("INSERT INTO renumbered VALUES (?, ?)", (old, new))
        yield f"experiment {old} ({name.decode(errors='replace')!r}) is {new}"
    for table in plan.tables:
        names = {column.name for column in table.columns}
        if "experiment_id" in names:
            source.execute(
                f"UPDATE {quoted(table.name)} SET experiment_id = (SELECT new FROM renumbered WHERE old ="
                " experiment_id) WHERE experiment_id IN (SELECT old FROM renumbered)"
            )
        for end in ("source", "destination") if table.name == "entity_associations" else ():
            source.execute(
                f"UPDATE entity_associations SET {end}_id = (SELECT CAST(new AS TEXT) FROM renumbered WHERE"
                f" old = CAST({end}_id AS INTEGER)) WHERE {end}_type = 'experiment'"
                f" AND CAST({end}_id AS INTEGER) IN (SELECT old FROM renumbered)"
            )


_REPAIR = {RENUMBER: _renumber, DROP_ORPHANS: _drop_orphans, REPLACE_NUL: _replace_nul}
