"""The database that an import fills: nobody else is on it, it is empty, and afterwards it is complete."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from exit_codes import HAS_DATA
from import_plan import Plan, Table, listed, quoted
from init_container import Failure

# What a server's first start leaves behind, and what runs it leaves no trace of.
_DEFAULTS = {
    "experiments": "experiment_id <> 0",
    "experiment_tags": "experiment_id <> 0",
    "workspaces": "name <> 'default'",
    "scheduler_leases": "false",
    "job_locks": "false",
}


class NotEmpty(Failure):
    code = HAS_DATA


def leaves_no_trace(table: Table) -> bool:
    """What a server writes for itself while it runs."""
    return _DEFAULTS.get(table.name) == "false"


def content(cursor: Any, plan: Plan) -> list[str]:
    """The tables in which there is more than a server's first start leaves."""
    found = []
    for table in plan.tables:
        where = _DEFAULTS.get(table.name, "true")
        cursor.execute(f"SELECT EXISTS (SELECT FROM {quoted(table.name)} WHERE {where})")
        found += [table.name] if cursor.fetchone()[0] else []
    return found


def count_rows(cursor: Any, table: Table) -> int:
    cursor.execute(f"SELECT count(*) FROM {quoted(table.name)}")
    return cursor.fetchone()[0]


def clear(cursor: Any, plan: Plan) -> None:
    cursor.execute(f"TRUNCATE {listed(table.name for table in plan.tables)}")


def defer_circular(cursor: Any, plan: Plan) -> None:
    """Foreign keys whose rows come in any order are checked at the end."""
    for key in plan.circular:
        constraint = f"ALTER TABLE {quoted(key.child)} ALTER CONSTRAINT {quoted(key.name)}"
        cursor.execute(f"{constraint} DEFERRABLE INITIALLY DEFERRED")


def check_circular(cursor: Any, plan: Plan) -> None:
    if plan.circular:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    for key in plan.circular:
        cursor.execute(f"ALTER TABLE {quoted(key.child)} ALTER CONSTRAINT {quoted(key.name)} NOT DEFERRABLE")


def set_sequences(cursor: Any, plan: Plan) -> Iterator[str]:
    """The next number comes after the last. In the transaction, which setval() would not be."""
    for table in plan.tables:
        for column in table.columns:
            if column.sequence:
                cursor.execute(f"SELECT max({quoted(column.name)}) FROM {quoted(table.name)}")
                number = max(0, cursor.fetchone()[0] or 0) + 1
                cursor.execute(f"ALTER SEQUENCE {column.sequence} RESTART WITH {number}")
                yield f"{table.name}.{column.name} goes on with {number}"
