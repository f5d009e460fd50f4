"""A HorizontalPodAutoscaler under clients: out, in, and what else wants to set the number of pods."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator

import pytest
from cluster import Failed
from controllers import require
from release import Release, is_ready
from waiting import eventually
from watch import FIGURES, Watch

from examples import Example

MOST = 3
CONNECTIONS = 97  # of BitnamiPostgres: 100, of which PostgreSQL keeps 3


@pytest.fixture(scope="module", autouse=True)
def installed() -> None:
    require("metrics-server", "apiservice/v1beta1.metrics.k8s.io")


@pytest.fixture(scope="module")
def release(installed: None, deploy) -> Iterator[Release]:
    with deploy(Example("autoscaled")) as release:
        yield release


def ready(release: Release) -> int:
    [server] = release.servers()
    pods = release.pods_of(server)
    return len(pods) if all(map(is_ready, pods)) and len(pods) == server["spec"]["replicas"] else 0


def wanted(release: Release) -> int:
    return int(release.servers()[0]["spec"]["replicas"])


def connections(release: Release) -> int:
    count = "SELECT count(*) FROM pg_stat_activity WHERE usename = 'mlflow'"
    login = ["env", "PGPASSWORD=mlflow_password", "psql", "-h", "127.0.0.1", "-U", "mlflow", "-d", "mlflow"]
    return int(release.namespace.kubectl("exec", "postgres-0", "--", *login, "-tAc", count))


def test_out_and_in_without_a_lost_request(release: Release) -> None:
    # Starting costs CPU, too: begin with the pod that idles.
    eventually(lambda: ready(release) == 1, "one idle pod", 600)
    started = time.monotonic()
    with Watch(release.namespace, "autoscaled, out", log_metric=12, search=4) as out:
        eventually(lambda: ready(release) == MOST, "all pods are ready", 600)
        FIGURES.append(f"from 1 to {MOST} ready pods: {time.monotonic() - started:.0f} s")
        used = connections(release)
        # Whoever applies again, by either way, leaves the number to the autoscaler.
        release.apply()
        assert wanted(release) == MOST
        release.apply("--server-side", "--force-conflicts")
        release.apply("--server-side")
        assert wanted(release) == MOST
        assert release.namespace.kubectl("diff", "--server-side", "-f", "-", stdin=release.manifest) == ""
        evict(release)
    FIGURES.append(f"connections of {MOST} pods under load: {used} of {CONNECTIONS}")
    assert used < CONNECTIONS
    started = time.monotonic()
    with Watch(release.namespace, "autoscaled, in", pause=2, log_metric=2) as back:
        eventually(lambda: ready(release) == 1, "one pod is left", 900)
        FIGURES.append(f"from {MOST} pods to 1: {time.monotonic() - started:.0f} s")
    for seen in (out.seen, back.seen):
        assert seen["log-metric"]["failed"] == 0
        assert seen["missing"] == 0


def evict(release: Release) -> None:
    """As a drain does: the budget lets one pod go, and the next when there is another."""
    [server] = release.servers()
    first, second, *_ = [pod["metadata"]["name"] for pod in release.pods_of(server)]
    request(release, first)
    with pytest.raises(Failed, match="disruption budget"):
        request(release, second)
    eventually(lambda: ready(release) == MOST, "the evicted pod has a successor", 600)


def request(release: Release, pod: str) -> None:
    place = {"name": pod, "namespace": release.namespace.name}
    body = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": place}
    path = f"/api/v1/namespaces/{place['namespace']}/pods/{pod}/eviction"
    release.namespace.kubectl("create", "--raw", path, "-f", "-", stdin=json.dumps(body))
