"""A pod that is deleted answers what it has begun, and what still arrives until its endpoints are gone."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import synthesis
from kubelet.kubernetes import Namespace
from kubelet.pod import Pod
from postgres import Postgres
from tracking import DEFAULT_EXPERIMENT, request
from waiting import eventually

pytestmark = pytest.mark.migrated

IN_FLIGHT = 5
ENDPOINTS_LAG = 4  # seconds that other nodes may still send requests to a deleted pod
QUERIES = (
    "SELECT count(*) = {count} FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND usename = 'mlflow'"
)


@pytest.mark.parametrize("direct_api", [False, True])
def test_requests_in_flight_are_answered(direct_api: bool, namespace: Namespace, postgres: Postgres) -> None:
    namespace.apply(synthesis.server(directApi=direct_api))
    [pod] = namespace.deployment()
    pod.wait_ready()
    if direct_api:
        pod.wait_for_line("paths of the REST API have a short way")
    assert request(pod, DEFAULT_EXPERIMENT).status == 200
    with ThreadPoolExecutor(IN_FLIGHT + 2) as pool:
        with postgres.connect("mlflow") as connection, connection.cursor() as cursor:
            # Whoever reads experiments waits until this transaction ends.
            cursor.execute("BEGIN")
            cursor.execute("LOCK TABLE experiments IN ACCESS EXCLUSIVE MODE")
            answers = [pool.submit(request, pod, DEFAULT_EXPERIMENT) for _ in range(IN_FLIGHT)]
            postgres.wait_for(QUERIES.format(count=IN_FLIGHT), "mlflow", 60)
            began = time.monotonic()
            deletion = pool.submit(pod.delete)
            wait_until_out_of_service(pod)
            late = pool.submit(request, pod, DEFAULT_EXPERIMENT)
            postgres.wait_for(QUERIES.format(count=IN_FLIGHT + 1), "mlflow", 60)
            pod.wait_for_line("Shutting down")  # uvicorn has got SIGTERM
            assert time.monotonic() - began >= ENDPOINTS_LAG
            assert not any(each.done() for each in [*answers, late, deletion])
        assert [each.result().status for each in [*answers, late]] == [200] * (IN_FLIGHT + 1)
        stopped = deletion.result()
    assert (stopped.killed, [each.code for each in stopped.ended]) == (False, [0])


def test_idle_pod_ends_soon(namespace: Namespace, postgres: Postgres) -> None:
    namespace.apply(synthesis.server(workers=2))
    [pod] = namespace.deployment()
    stopped = pod.wait_ready().delete()
    assert (stopped.killed, [each.code for each in stopped.ended]) == (False, [0])
    assert stopped.seconds < pod.template.grace / 2
    assert postgres.value("SELECT count(*) FROM pg_stat_activity WHERE usename = 'mlflow'") == 0


def wait_until_out_of_service(pod: Pod) -> None:
    eventually(lambda: not pod.ready, "the pod is not ready", 10, 0.01)
