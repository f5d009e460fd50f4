"""Nobody else writes to a database while a Job changes what is in it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from database_lock import DeadlinePassed, ticks
from exit_codes import DEADLINE_PASSED
from init_container import Failure

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


class InUse(Failure):
    code = DEADLINE_PASSED


def wait_for_servers(connection: Any, seconds: float, program: str, setting: str) -> None:
    for waited in ticks(seconds):
        count = servers(connection)
        if count == 0:
            return
        if waited == 0:
            print(
                f"{program}: waiting for MLflow's servers to stop: {count} connections."
                " Set their replicas to 0",
                flush=True,
            )
    raise DeadlinePassed(
        f"server-runs: an MLflow server still has {count} connections after {seconds:g} s. Give it"
        f" replicas: 0 meanwhile, or raise {setting}"
    )


def servers(connection: Any) -> int:
    """Connections of servers to this database."""
    with connection.cursor() as cursor:
        cursor.execute(_SERVERS)
        count = cursor.fetchone()[0]
    connection.rollback()
    return count


def lock_tables(connection: Any, tables: Iterable[str]) -> None:
    """For the rest of the transaction, nobody else reads or writes: a server that starts meanwhile waits."""
    names = list(tables)
    with connection.cursor() as cursor:
        for name in ("statement_timeout", "idle_in_transaction_session_timeout"):
            cursor.execute(f"SET LOCAL {name} = 0")
        cursor.execute("SET LOCAL lock_timeout = '30s'")
        listed = ", ".join(f'"{name}"' for name in names)
        try:
            cursor.execute(f"LOCK TABLE {listed} IN ACCESS EXCLUSIVE MODE")
        except Exception as error:
            if getattr(error, "pgcode", None) not in ("55P03", "40P01"):  # timed out, or a deadlock
                raise
            connection.rollback()
            cursor.execute(_OTHERS, (names,))
            raise InUse(
                f"in-use: other sessions work on MLflow's tables: {cursor.fetchone()[0] or 'none any more'}."
                " Stop every MLflow server on this database (replicas: 0), and start again"
            ) from None
