"""kill -9 of PostgreSQL and of a worker under clients that log, and workers that a node has no CPU for."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest
import synthesis
from kubelet.kubernetes import Namespace
from kubelet.pod import Pod
from logging_clients import CLIENTS, LoggingClients
from postgres import Postgres
from test_outage import assert_alive
from waiting import eventually

pytestmark = pytest.mark.migrated

WORKERS = 2
NO_CPU = 8  # seconds; uvicorn's own patience is 5


def test_kills_lose_nothing_acknowledged(namespace: Namespace, postgres: Postgres) -> None:
    namespace.apply(synthesis.server(workers=WORKERS))
    [pod] = namespace.deployment()
    points = LoggingClients(pod.wait_ready())
    points.wait_for_more()

    postgres.crash()
    postgres.start()
    started = time.monotonic()
    points.wait_for_more()
    served = points.served_after(started)
    print(f"PostgreSQL killed: {dict(points.failed)}, served {served - started:.1f} s after its start")
    # Clients try this again.
    assert points.failed.keys() <= {503}

    points.forget_failures()
    victim, *_ = workers(pod)
    os.kill(victim, signal.SIGKILL)
    eventually(lambda: victim not in workers(pod), "the worker has gone", 60)
    eventually(lambda: len(workers(pod)) == WORKERS, "there is another worker", 60)
    points.wait_for_more()
    points.stop()
    print(f"one of two workers killed: {dict(points.failed)}")
    # What the worker had in its hands is lost with its connections, and no more.
    assert points.failed.keys() <= {0}
    assert points.failed.total() <= CLIENTS
    assert points.missing() == 0
    assert_alive(pod)


def test_workers_without_cpu_are_not_killed(namespace: Namespace, postgres: Postgres) -> None:
    namespace.apply(synthesis.server(workers=WORKERS))
    [pod] = namespace.deployment()
    points = LoggingClients(pod.wait_ready())
    points.wait_for_more()
    before = workers(pod)
    for worker in before:
        os.kill(worker, signal.SIGSTOP)
    time.sleep(NO_CPU)
    for worker in before:
        os.kill(worker, signal.SIGCONT)
    points.wait_for_more()
    points.stop()
    assert workers(pod) == before
    # A connection that seems idle for 5 s is closed, on the client that is about to use it, too.
    assert points.failed.keys() <= {0}
    assert points.failed.total() <= CLIENTS
    assert points.missing() == 0


def workers(pod: Pod) -> list[int]:
    """The processes of the pod that serve."""

    def descendants(process: int) -> list[int]:
        text = Path(f"/proc/{process}/task/{process}/children").read_text()
        children = [int(each) for each in text.split()]
        return children + [each for child in children for each in descendants(child)]

    found = descendants(pod.running[0].pid)
    return sorted(each for each in found if "spawn_main" in Path(f"/proc/{each}/cmdline").read_text())
