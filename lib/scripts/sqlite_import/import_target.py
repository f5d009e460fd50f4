"""The database that an import fills: nobody else is on it, it is empty, and afterwards it is complete."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from exit_codes import DEADLINE_PASSED, HAS_DATA
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
# The name under which a server of this library connects.
_SERVERS = """
SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'mlflow'
"""
_OTHERS = """
SELECT string_agg(DISTINCT concat(coalesce(nullif(a.application_name, ''), 'a session'), ' ', a.pid), ', ')
FROM pg_locks l JOIN pg_stat_activity a USING (pid)
WHERE l.relation = ANY (SELECT to_regclass(quote_ident(name)) FROM unnest(%s) AS name)
  AND l.pid <> pg_backend_pid() AND l.granted
"""


class NotEmpty(Failure):
    code = HAS_DATA


class InUse(Failure):
    code = DEADLINE_PASSED


def servers(connection: Any) -> int:
    """Connections of servers to this database."""
    with connection.cursor() as cursor:
        cursor.execute(_SERVERS)
        count = cursor.fetchone()[0]
    connection.rollback()
    return count


def lock_tables(connection: Any, plan: Plan) -> None:
    """For the rest of the transaction, nobody else reads or writes: a server that starts meanwhile waits."""
    names = [table.name for table in plan.tables]
    with connection.cursor() as cursor:
        for name in ("statement_timeout", "idle_in_transaction_session_timeout"):
            cursor.execute(f"SET LOCAL {name} = 0")
        cursor.execute("SET LOCAL lock_timeout = '30s'")
        try:
            cursor.execute(f"LOCK TABLE {listed(names)} IN ACCESS EXCLUSIVE MODE")
        except Exception as error:
            if getattr(error, "pgcode", None) not in ("55P03", "40P01"):  # timed out, or a deadlock
                raise
            connection.rollback()
            cursor.execute(_OTHERS, (names,))
            raise InUse(
                f"in-use: other sessions work on MLflow's tables: {cursor.fetchone()[0] or 'none any more'}."
                " Stop every MLflow server on this database (replicas: 0), and start again"
            ) from None


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
