"""Watches a change of a Deployment."""

from __future__ import annotations

import time
from typing import Any

from release import Release, is_ready
from settings import READY_SECONDS
from waiting import eventually


def roll(release: Release) -> None:
    """Waits until each server runs its newest template, with never too many or too few pods meanwhile."""
    for server in release.servers():
        name = server["metadata"]["name"]
        eventually(
            lambda name=name: _observed(release.namespace.get("deployment", name)), f"{name} is observed"
        )
    deadline = time.monotonic() + READY_SECONDS
    while not all(_look(release, server) for server in release.servers()):
        assert time.monotonic() < deadline, release.namespace.kubectl("describe", "pods")
        time.sleep(0.5)


def _observed(server: dict[str, Any]) -> bool:
    return bool(server["metadata"]["generation"] == server["status"].get("observedGeneration"))


def _look(release: Release, server: dict[str, Any]) -> bool:
    replicas, pods = server["spec"]["replicas"], release.pods_of(server)
    if server["spec"]["strategy"]["type"] == "Recreate":
        assert len(pods) <= replicas, "a pod was started before the old one had ended"
    else:
        live = [pod for pod in pods if "deletionTimestamp" not in pod["metadata"]]
        surge = server["spec"]["strategy"]["rollingUpdate"]["maxSurge"]
        assert len(live) <= replicas + surge, "more pods than the strategy allows"
        assert sum(map(is_ready, pods)) >= replicas, "a ready pod was stopped before its successor was ready"
    done = server["status"].get("updatedReplicas") == server["status"].get("replicas") == replicas
    return done and release.settled(server)
