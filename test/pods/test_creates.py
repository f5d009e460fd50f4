"""What a restart or a crash costs MLflow's own client that creates runs: 3.18 repeats a create less often.

`npm run test:e2e -- -m slow -k creates`, with E2E_MLFLOW=3.18.0 for that client and server.
"""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
import synthesis
from kubelet.kubernetes import Namespace
from kubelet.pod import Pod
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
from mlflow.version import VERSION
from postgres import Postgres
from test_kills import workers
from test_pgbouncer import start
from tracking import client_of
from waiting import eventually

pytestmark = [pytest.mark.migrated, pytest.mark.slow]

CLIENTS = 8


class Creators:
    """Clients that create one run after the other, and go on after a failure."""

    def __init__(self, client: MlflowClient) -> None:
        self.created: set[str] = set()
        self.failed: Counter[str] = Counter()
        self._client, self._stop = client, threading.Event()
        self._threads = [threading.Thread(target=self._work, daemon=True) for _ in range(CLIENTS)]
        for thread in self._threads:
            thread.start()

    def wait_for_more(self, runs: int = 40) -> None:
        wanted = len(self.created) + runs
        eventually(lambda: len(self.created) >= wanted, f"{wanted} runs", 180)

    def stop(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(180)

    def _work(self) -> None:
        while not self._stop.is_set():
            try:
                self.created.add(self._client.create_run("0").info.run_id)
            except MlflowException as error:
                self.failed[str(error)[:60]] += 1

    def report(self, what: str) -> None:
        failed = f"{self.failed.total()} failed: {dict(self.failed)}"
        print(f"MLflow {VERSION}, {what}: {len(self.created)} runs created, {failed}")

    def check(self) -> None:
        """What was acknowledged is there."""
        found, token = set(), None
        while token != "":
            page = self._client.search_runs(["0"], max_results=5000, page_token=token)
            found |= {run.info.run_id for run in page}
            token = page.token or ""
        assert self.created <= found


@pytest.mark.parametrize("pooled", [False, True])
def test_creates_while_the_database_restarts(namespace: Namespace, postgres: Postgres, pooled: bool) -> None:
    creators = Creators(client_of(server_of(namespace, pooled)))
    creators.wait_for_more()
    postgres.stop("fast")
    postgres.start()
    creators.wait_for_more()
    creators.stop()
    creators.report(f"database restarted, PgBouncer: {pooled}")
    creators.check()


def test_creates_while_a_worker_is_killed(namespace: Namespace, postgres: Postgres) -> None:
    pod = server_of(namespace, pooled=False)
    creators = Creators(client_of(pod))
    creators.wait_for_more()
    os.kill(workers(pod)[0], signal.SIGKILL)
    creators.wait_for_more()
    creators.stop()
    creators.report("a worker killed")
    # What the worker had in its hands, and no more.
    assert creators.failed.total() <= CLIENTS
    creators.check()


@pytest.mark.parametrize("is_drained", [False, True])
def test_creates_while_a_pod_goes(namespace: Namespace, postgres: Postgres, is_drained: bool) -> None:
    namespace.apply(synthesis.server(replicas=2))
    going, staying = (pod.wait_ready() for pod in namespace.deployment())
    with service(namespace.new_address(), going, staying) as (uri, point_to):
        creators = Creators(MlflowClient(uri, uri))
        creators.wait_for_more()
        if is_drained:
            point_to(staying)
            going.delete()
        else:
            going.kill()
            # Until the kubelet has told the API server, and that kube-proxy.
            time.sleep(2)
            point_to(staying)
        creators.wait_for_more()
        creators.stop()
        creators.report("one of two pods drained" if is_drained else "one of two pods killed")
        creators.check()
    if is_drained:
        # A create that is sent on an open connection just when the pod closes it.
        assert creators.failed.total() <= 2


@contextmanager
def service(address: str, *pods: Pod) -> Iterator[tuple[str, Callable[..., None]]]:
    """An address whose new connections go to the pods in turn, as kube-proxy makes it. Open ones stay."""

    def nft(*lines: str) -> None:
        subprocess.run(["nft", "-f", "-"], input="\n".join(lines), text=True, check=True)

    def point_to(*pods: Pod) -> None:
        chosen = ", ".join(f"{i} : {pod.address}" for i, pod in enumerate(pods))
        nft(
            f"flush chain ip {table} output",
            f"add rule ip {table} output ip daddr {address}"
            f" dnat to numgen inc mod {len(pods)} map {{ {chosen} }}",
        )

    table = f"service-{address}".replace(".", "-")
    nft(
        f"add table ip {table}",
        f"add chain ip {table} output {{ type nat hook output priority -100; }}",
    )
    try:
        point_to(*pods)
        yield f"http://{address}:5000", point_to
    finally:
        nft(f"delete table ip {table}")


def server_of(namespace: Namespace, pooled: bool) -> Pod:
    if pooled:
        return start(namespace, pooled={})[1]
    namespace.apply(synthesis.server(workers=2))
    [pod] = namespace.deployment()
    return pod.wait_ready()
