"""KEDA: by requests that Prometheus counts, out, in, and to the fallback while Prometheus is away."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from cluster import run
from controllers import require
from prometheus import require_prometheus
from release import Release, is_ready
from settings import MAY_RESTART_CONTROLLERS
from waiting import eventually
from watch import FIGURES, Watch

from examples import Example

MOST, FALLBACK = 3, 2


@pytest.fixture(scope="module", autouse=True)
def installed() -> None:
    require("KEDA", "crd/scaledobjects.keda.sh", "apiservice/v1beta1.external.metrics.k8s.io")
    require_prometheus()


@pytest.fixture(scope="module")
def release(installed: None, deploy) -> Iterator[Release]:
    with deploy(Example("scaled-by-requests", namespace="mlflow-scaled")) as release:
        yield release


def ready(release: Release) -> int:
    [server] = release.servers()
    pods = release.pods_of(server)
    return len(pods) if all(map(is_ready, pods)) and len(pods) == server["spec"]["replicas"] else 0


def test_out_and_in_without_a_lost_request(release: Release) -> None:
    eventually(lambda: ready(release) == 1, "one pod", 600, pause=1)
    started = time.monotonic()
    with Watch(release.namespace, "KEDA, out", log_metric=10) as out:
        eventually(lambda: ready(release) == MOST, f"{MOST} pods", 600, pause=1)
        FIGURES.append(f"KEDA, from 1 to {MOST} ready pods: {time.monotonic() - started:.0f} s")
        release.apply()
        time.sleep(10)
        assert ready(release) == MOST
    started = time.monotonic()
    with Watch(release.namespace, "KEDA, in", pause=2, log_metric=2) as back:
        eventually(lambda: ready(release) == 1, "one pod", 900, pause=2)
        FIGURES.append(f"KEDA, from {MOST} pods to 1: {time.monotonic() - started:.0f} s")
    for seen in (out.seen, back.seen):
        assert seen["log-metric"]["failed"] == 0
        assert seen["missing"] == 0


def test_the_fallback_without_prometheus(release: Release) -> None:
    started = time.monotonic()
    with prometheus_stopped():
        eventually(lambda: ready(release) == FALLBACK, f"{FALLBACK} pods", 300, pause=1)
        FIGURES.append(f"KEDA, from Prometheus' end to the fallback: {time.monotonic() - started:.0f} s")


@contextmanager
def prometheus_stopped() -> Iterator[None]:
    """For everybody: where the test may restart controllers."""
    if not MAY_RESTART_CONTROLLERS:
        pytest.skip("stops Prometheus for everybody: set TEST_RESTART_CONTROLLERS=true")
    items = json.loads(run("kubectl", "get", "prometheuses.monitoring.coreos.com", "-A", "-o", "json"))[
        "items"
    ]
    place = items[0]["metadata"]
    name = ("-n", place["namespace"], f"prometheuses.monitoring.coreos.com/{place['name']}")
    run("kubectl", "patch", *name, "--type=merge", "-p", '{"spec":{"replicas":0}}')
    try:
        yield
    finally:
        run("kubectl", "patch", *name, "--type=merge", "-p", '{"spec":{"replicas":1}}')
