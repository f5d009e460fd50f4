"""Waits for what comes about by itself."""

from __future__ import annotations

import time
from typing import Callable, TypeVar

T = TypeVar("T")


def eventually(
    check: Callable[[], T], what: str | Callable[[], object], seconds: float = 120, pause: float = 0.2
) -> T:
    """The first true answer. `what` was waited for, or tells what to look at when it did not come."""
    deadline = time.monotonic() + seconds
    while True:
        answer = check()
        if answer:
            return answer
        if time.monotonic() > deadline:
            described = what if isinstance(what, str) else what()
            raise AssertionError(f"after {seconds:g} s still not so: {described}; last answer: {answer!r}")
        time.sleep(pause)
