"""The event loop of an MLflow worker, with a bound on the requests that it works on at once.

MLflow runs each request in a thread of anyio's default pool, which has 40. A request may hold one database
connection while it waits for a second, so a pool that is not larger than the threads can wait for itself.
uvicorn calls `new_loop` (`--loop=bounded_loop:new_loop`, uvicorn 0.36 or later).

Environment:
  SERVER_THREADS  threads of each worker (default 40, anyio's own)
"""

from __future__ import annotations

import asyncio
import os

import anyio.to_thread

# asyncio itself keeps only a weak reference to a task.
_bounding: asyncio.Task[None] | None = None


def new_loop() -> asyncio.AbstractEventLoop:
    global _bounding
    loop = _fastest_loop()
    # The limiter belongs to a running loop, so the first thing that the loop runs sets it.
    _bounding = loop.create_task(_bound_threads(int(os.environ.get("SERVER_THREADS", "40"))))
    return loop


def _fastest_loop() -> asyncio.AbstractEventLoop:
    try:
        import uvloop
    except ImportError:
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()


async def _bound_threads(threads: int) -> None:
    anyio.to_thread.current_default_thread_limiter().total_tokens = threads
