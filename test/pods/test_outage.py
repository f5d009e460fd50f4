"""The database is late, restarts, or goes away: the pods live on, and recover by themselves."""

from __future__ import annotations

import re
import threading
import time

import pytest
import synthesis
from conftest import MakePostgres
from kubelet.kubernetes import Namespace
from kubelet.pod import Pod
from mlflow import MlflowClient
from postgres import Postgres
from tracking import DEFAULT_EXPERIMENT, client_of, request
from waiting import eventually

pytestmark = pytest.mark.migrated

LATE = 20


def test_database_comes_late(namespace: Namespace, make_postgres: MakePostgres) -> None:
    postgres = make_postgres().start()
    postgres.owned_database()
    postgres.stop()
    namespace.apply(synthesis.server())
    [pod] = namespace.deployment()
    pod.wait_for_line("wait-for-database: refused: ")
    time.sleep(LATE)
    postgres.start()
    pod.wait_ready()
    check = pod.init[0]
    lines = [line for line in check.log.splitlines() if line.startswith("wait-for-database")]
    assert check.seconds >= LATE
    assert all(re.match("wait-for-database: (refused|starting-up): ", line) for line in lines[:-1])
    assert lines[-1].startswith("wait-for-database: ready: ")


def test_restart_under_load(namespace: Namespace, postgres: Postgres) -> None:
    namespace.apply(synthesis.server(workers=2))
    [pod] = namespace.deployment()
    client = client_of(pod.wait_ready())
    load = Load(client, threads=4)
    load.wait_for(40)
    postgres.stop("fast")
    postgres.start()
    load.wait_for(load.done + 40)
    load.stop()
    assert load.errors == []
    for run_id, last in load.logged.items():
        steps = [each.step for each in client.get_metric_history(run_id, "step")]
        assert set(steps) == set(range(last + 1))
    assert_alive(pod)


def test_answers_503_while_the_database_is_away(namespace: Namespace, postgres: Postgres) -> None:
    namespace.apply(synthesis.server())
    [pod] = namespace.deployment()
    pod.wait_ready()
    assert request(pod, DEFAULT_EXPERIMENT).status == 200
    postgres.stop("immediate")
    began = time.monotonic()
    assert request(pod, DEFAULT_EXPERIMENT).status == 503
    assert time.monotonic() - began < 10
    assert request(pod, "/health").status == 200
    time.sleep(12)  # more than two periods of the readiness probe
    assert pod.ready
    postgres.start()
    eventually(lambda: request(pod, DEFAULT_EXPERIMENT).status == 200, "the server answers", 60)
    assert [ready for _, ready in pod.ready_changes] == [True]
    assert_alive(pod)


def test_readiness_that_asks_the_database(namespace: Namespace, postgres: Postgres) -> None:
    namespace.apply(synthesis.server(readiness="database"))
    [pod] = namespace.deployment()
    pod.wait_ready()
    postgres.stop("immediate")
    pod.wait_unready(60)
    postgres.start()
    pod.wait_ready(60)
    assert [ready for _, ready in pod.ready_changes] == [True, False, True]
    assert_alive(pod)


class Load:
    """Clients that log one metric after the other, each into a run of its own, until `stop`."""

    def __init__(self, client: MlflowClient, threads: int) -> None:
        self.done, self.errors, self.logged = 0, [], {}
        self._client, self._stop, self._lock = client, threading.Event(), threading.Lock()
        self._threads = [threading.Thread(target=self._work, daemon=True) for _ in range(threads)]
        for thread in self._threads:
            thread.start()

    def wait_for(self, requests: int) -> None:
        eventually(lambda: self.done >= requests or self.errors, f"{requests} requests", 120)

    def stop(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(120)

    def _work(self) -> None:
        try:
            run_id = self._client.create_run("0").info.run_id
            step = 0
            while not self._stop.is_set():
                self._client.log_metric(run_id, "step", step, step=step)
                with self._lock:
                    self.done += 1
                    self.logged[run_id] = step
                step += 1
        except Exception as error:
            self.errors.append(error)


def assert_alive(pod: Pod) -> None:
    assert not pod.failure
    assert pod.running[0].poll() is None
