"""Wait until PostgreSQL lets MLflow in: a real login with libpq's PG* environment, and a query.

Environment besides libpq's own:
  DATABASE_WAIT_SECONDS  how long to go on trying (default 120)
  DATABASE_MAY_APPEAR    "true": something else makes the database and its role, so wait for them as well
  PGCONNECT_TIMEOUT      seconds for each host and attempt (default 5)

One line on stdout for each attempt: `wait-for-database: <cause>: <what was seen>. <what to do> (<attempt>)`.
The causes are those of database_errors.py.

Exit codes: 0 usable; 1 waiting cannot heal this; 2 the deadline passed; 143 stopped by SIGTERM.
The last line of a failure is also the container's termination message.
"""

from __future__ import annotations

import itertools
import os
import random
import sys
import threading
import time
from typing import Callable, Union

from database_errors import BAD_IMAGE, CAUSES, Cause, Problem, classify
from init_container import BadSetting, fail, prepare, seconds_from

PROGRAM = "wait-for-database"
USABLE, CANNOT_HEAL, DEADLINE_PASSED = 0, 1, 2
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 5.0
# libpq bounds neither a DNS look-up nor a query on a server that stopped answering.
HANG_GRACE = 30.0
# What a database that is being made looks like: an unknown role gets the same answer as a wrong password.
APPEARING = {
    "missing-database",
    "wrong-password",
    "rds-iam",
    "no-login",
    "no-connect-privilege",
    "no-create-privilege",
}

# has_*_privilege(x, 'A, B') means any of them, hence one call each. Without USAGE current_schema() is null.
QUERY = """
SELECT current_user, current_database(), current_schema(),
       pg_is_in_recovery() OR current_setting('transaction_read_only')::boolean,
       coalesce(has_schema_privilege(current_schema(), 'USAGE')
                AND has_schema_privilege(current_schema(), 'CREATE'), false),
       (SELECT bool_and(has_table_privilege(to_regclass(tab), privilege))
          FROM unnest(ARRAY['experiments', 'runs', 'alembic_version']) AS tab,
               unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']) AS privilege
         WHERE to_regclass('experiments') IS NOT NULL)
"""

Outcome = Union[str, Problem]  # a description of what can be used, or what is wrong


def check() -> Outcome:
    try:
        import psycopg2
    except ImportError as error:
        return Problem(BAD_IMAGE, str(error))
    try:
        connection = psycopg2.connect("")
        connection.autocommit = True  # PgBouncer drops a server connection that is left inside a transaction
        try:
            with connection.cursor() as cursor:
                cursor.execute(QUERY)
                return judge(*cursor.fetchone())
        finally:
            connection.close()
    except psycopg2.Error as error:
        return classify(error)


def judge(
    user: str,
    database: str,
    schema: str | None,
    read_only: bool,
    may_create: bool,
    tables_usable: bool | None,
) -> Outcome:
    """`tables_usable` is None where MLflow has no tables yet."""
    where = f'user "{user}", database "{database}", schema "{schema or ""}"'
    if read_only:
        return Problem(CAUSES["read-only"], f"the session is read-only ({where})")
    if tables_usable is False:
        return Problem(
            CAUSES["no-table-privilege"], f"MLflow's tables exist, but not for this user ({where})"
        )
    if not may_create and tables_usable is None:
        return Problem(CAUSES["no-create-privilege"], f"no USAGE or no CREATE on the schema ({where})")
    return f"{where}, {'with' if tables_usable else 'without'} MLflow's tables"


def worth_waiting(cause: Cause, may_appear: bool) -> bool:
    return cause.retry or (may_appear and cause.name in APPEARING)


def wait(
    seconds: float,
    may_appear: bool,
    check: Callable[[], Outcome] = check,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> int:
    started, pause = clock(), FIRST_PAUSE
    for attempt in itertools.count(1):
        outcome = check()
        elapsed = clock() - started
        count = f"attempt {attempt} at {elapsed:.1f} of {seconds:g} s"
        if isinstance(outcome, str):
            print(f"{PROGRAM}: ready: {outcome} ({count})", flush=True)
            return USABLE
        if not worth_waiting(outcome.cause, may_appear):
            return fail(f"{PROGRAM}: {outcome} ({count}: waiting cannot heal this)", CANNOT_HEAL)
        if elapsed >= seconds:
            return fail(f"{PROGRAM}: {outcome} ({count}: giving up)", DEADLINE_PASSED)
        nap = min(pause * random.uniform(0.5, 1), seconds - elapsed)
        print(f"{PROGRAM}: {outcome} ({count}, next in {nap:.1f} s)", flush=True)
        sleep(nap)
        pause = min(pause * 2, LONGEST_PAUSE)
    raise AssertionError("unreachable")


def give_up_if_hanging(seconds: float) -> None:
    def give_up() -> None:
        problem = Problem(CAUSES["timeout"], f"an attempt still had no answer after {seconds:g} s")
        os._exit(fail(f"{PROGRAM}: {problem}", DEADLINE_PASSED))

    timer = threading.Timer(seconds, give_up)
    timer.daemon = True
    timer.start()


def main() -> int:
    prepare(PROGRAM)
    try:
        seconds = seconds_from("DATABASE_WAIT_SECONDS", 120)
    except BadSetting as error:
        return fail(f"{PROGRAM}: {Problem(CAUSES['bad-settings'], str(error))}", CANNOT_HEAL)
    give_up_if_hanging(seconds + HANG_GRACE)
    return wait(seconds, os.environ.get("DATABASE_MAY_APPEAR", "").lower() == "true")


if __name__ == "__main__":
    sys.exit(main())
