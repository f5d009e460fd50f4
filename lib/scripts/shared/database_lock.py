"""One at a time on a database's schema and content, however many pods there are."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from typing import Any

from exit_codes import DEADLINE_PASSED
from init_container import Failure

# Keys of advisory locks, which are scoped to the database.
SCHEMA_LOCK = 0x6D6C666C6F77  # "mlflow"; dump_database.sql and restore_begin.sql take it too
COLLECTION_LOCK = 0x6D6C67635F31  # "mlgc_1"
BOOTSTRAP_LOCK = 0x6D6C626F6F74  # "mlboot"
POLL_SECONDS = 1.0


class DeadlinePassed(Failure):
    code = DEADLINE_PASSED


def ticks(seconds: float) -> Iterator[float]:
    """Seconds waited so far, once for each try; the last try is at the deadline."""
    started, waited = time.monotonic(), 0.0
    while waited < seconds:
        yield waited
        nap = POLL_SECONDS * random.uniform(0.5, 1)  # pods that started together shall not meet each time
        time.sleep(max(0.0, min(nap, started + seconds - time.monotonic())))
        waited = time.monotonic() - started
    yield waited


def try_lock(connection: Any, key: int) -> bool:
    """For as long as the transaction is open: behind PgBouncer, a lock of the session leaks."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", (key,))
        return bool(cursor.fetchone()[0])


def take_lock(connection: Any, seconds: float, program: str, setting: str) -> float:
    """One transaction a try: behind PgBouncer a blocking lock starves its pool."""
    for waited in ticks(seconds):
        if try_lock(connection, SCHEMA_LOCK):
            return waited
        connection.rollback()
        if waited == 0:
            print(f"{program}: waiting for the lock: another migration is running", flush=True)
    raise DeadlinePassed(
        f"lock-timeout: another migration still held the lock after {seconds:g} s."
        f" Look at the other init-mlflow containers, or raise {setting}"
    )
