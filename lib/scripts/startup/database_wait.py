"""Wait until PostgreSQL lets MLflow in: for wait_for_database.py and migrate_database.py."""

from __future__ import annotations

import itertools
import os
import random
import threading
import time
from typing import Callable

from database_check import Outcome, check
from database_errors import CAUSES, Cause, Problem, explain
from exit_codes import DONE, FAILED, UNREACHABLE
from init_container import BadSetting, fail, seconds_from

PROGRAM = "wait-for-database"
WAIT = "DATABASE_WAIT_SECONDS"
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 5.0
# libpq bounds neither a DNS look-up nor a query on a server that stopped answering.
HANG_GRACE = 30.0


def worth_waiting(cause: Cause, may_appear: bool) -> bool:
    return cause.retry or (may_appear and cause.may_appear)


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
            return DONE
        if not worth_waiting(outcome.cause, may_appear):
            return fail(f"{PROGRAM}: {outcome} ({count}: waiting cannot heal this)", FAILED)
        if elapsed >= seconds:
            return fail(f"{PROGRAM}: {outcome} ({count}: giving up)", UNREACHABLE)
        nap = min(pause * random.uniform(0.5, 1), seconds - elapsed)
        print(f"{PROGRAM}: {outcome} ({count}, next in {nap:.1f} s)", flush=True)
        sleep(nap)
        pause = min(pause * 2, LONGEST_PAUSE)
    raise AssertionError("unreachable")


def give_up_if_hanging(seconds: float) -> threading.Timer:
    def give_up() -> None:
        problem = Problem(CAUSES["timeout"], f"an attempt still had no answer after {seconds:g} s")
        os._exit(fail(f"{PROGRAM}: {problem}", UNREACHABLE))

    timer = threading.Timer(seconds, give_up)
    timer.daemon = True
    timer.start()
    return timer


def wait_as_set() -> int:
    """Wait as the environment says, and return the exit code."""
    try:
        seconds = seconds_from(WAIT, 120)
    except BadSetting as error:
        return fail(f"{PROGRAM}: {explain(error)}", FAILED)
    timer = give_up_if_hanging(seconds + HANG_GRACE)
    try:
        return wait(seconds, os.environ.get("DATABASE_MAY_APPEAR", "").lower() == "true")
    finally:
        timer.cancel()
