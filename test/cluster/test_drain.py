"""A node is drained under clients, as by `kubectl drain`, with our own pods alone: what it waits for."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from cluster import MADE_BY_US, Failed, Namespace, new_namespace, run
from controllers import require
from release import CLIENT, Release, is_ready
from settings import MAY_RESTART_CONTROLLERS, MLFLOW_IMAGE
from waiting import eventually
from watch import FIGURES, Watch

from examples import Example

APPS = ("two-pods", "two-pods-pooled", "cloud-native")
LIMIT = 180  # seconds until a drain is done


@pytest.fixture(scope="module", autouse=True)
def installed() -> None:
    if not MAY_RESTART_CONTROLLERS:
        pytest.skip("cordons a node for everybody: set TEST_RESTART_CONTROLLERS=true")
    if len(nodes()) < 2:
        pytest.skip("there is only one node")


def nodes() -> list[str]:
    items = json.loads(run("kubectl", "get", "nodes", "-o", "json"))["items"]
    return [each["metadata"]["name"] for each in items if not each["spec"].get("unschedulable")]


@pytest.mark.parametrize("name", APPS)
def test_a_node_is_drained(name: str, synthesized) -> None:
    if name == "cloud-native":
        require("CloudNativePG", "crd/clusters.postgresql.cnpg.io")
    with new_namespace("drain") as namespace:
        namespace.create_pod(CLIENT, MLFLOW_IMAGE, 1001)
        release = Release(Example(name), namespace, synthesized)
        release.manifest = re.sub(r"cpu: (250|100)m\n", "cpu: 20m\n", release.manifest)
        release.start()
        eventually(lambda: settled(release), "every pod is ready", 300, pause=1)
        where = {each["metadata"]["name"]: each["spec"]["nodeName"] for each in ours(namespace)}
        print(where)
        node = where[primary(release)]
        with Watch(namespace, f"{name}, {node} drained", log_metric=4, search=1) as watch, cordoned(node):
            waited = drain(namespace, node)
            eventually(lambda: settled(release), "every pod is ready elsewhere", 300, pause=1)
        FIGURES.append(f"{name}, {node} drained: {json.dumps(waited)}")
        assert watch.seen["missing"] == 0


def ours(namespace: Namespace) -> list[dict[str, Any]]:
    """The pods of the release, without those of Jobs, which are over."""
    items = namespace.get("pods", "-l", f"!{MADE_BY_US}")["items"]
    return [each for each in items if each["status"].get("phase") not in ("Succeeded", "Failed")]


def primary(release: Release) -> str:
    if release.example.name == "cloud-native":
        return str(
            release.namespace.get("clusters.postgresql.cnpg.io", "postgres")["status"]["currentPrimary"]
        )
    return "postgres-0"


def settled(release: Release) -> bool:
    """All that can run with one node less: standbys of a cluster whose disks are on the other wait for it."""
    pods = ours(release.namespace)
    return all(map(is_ready, pods)) and all(map(release.settled, release.servers()))


@contextmanager
def cordoned(node: str) -> Iterator[None]:
    run("kubectl", "cordon", node)
    try:
        yield
    finally:
        run("kubectl", "uncordon", node)


def drain(namespace: Namespace, node: str) -> dict[str, float]:
    """Evicts each pod again until it may go, and waits until it is gone. Seconds by pod."""
    begun, waited = time.monotonic(), {}
    left = {
        each["metadata"]["name"]: each["metadata"]["uid"]
        for each in ours(namespace)
        if each["spec"]["nodeName"] == node
    }
    evicted: set[str] = set()
    while left:
        assert time.monotonic() - begun < LIMIT, f"still on {node}: {sorted(left)}"
        for name in sorted(set(left) - evicted):
            if evict(namespace, name):
                evicted.add(name)
        alive = {each["metadata"]["uid"] for each in namespace.get("pods")["items"]}
        for name in [name for name, uid in left.items() if uid not in alive]:
            waited[name] = round(time.monotonic() - begun, 1)
            del left[name]
        time.sleep(1)
    return waited


def evict(namespace: Namespace, pod: str) -> bool:
    """Whether the pod may go. Another answer than that of a budget is an error."""
    body = {
        "apiVersion": "policy/v1",
        "kind": "Eviction",
        "metadata": {"name": pod, "namespace": namespace.name},
    }
    path = f"/api/v1/namespaces/{namespace.name}/pods/{pod}/eviction"
    try:
        namespace.kubectl("create", "--raw", path, "-f", "-", stdin=json.dumps(body))
    except Failed as error:
        if "disruption budget" in str(error):
            return False
        if "NotFound" in str(error):
            return True
        raise
    return True
