"""Packets of established connections are dropped, as by a NAT that forgot them: requests recover."""

from __future__ import annotations

import subprocess
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import synthesis
from kubelet.kubernetes import Namespace
from kubelet.pod import Pod
from tracking import request

USER_TIMEOUT = 4  # seconds; the default is 20
# A request that takes its turn in each of four threads, so that each has a connection.
SEARCH = "/api/2.0/mlflow/experiments/search?max_results=1"


@pytest.mark.usefixtures("postgres")
@pytest.mark.parametrize("is_pooled", [False, True], ids=["direct", "pooled"])
def test_requests_on_dead_connections(is_pooled: bool, namespace: Namespace) -> None:
    """Between server and database, or between its PgBouncer and the database."""
    pooled = {"pooled": {}} if is_pooled else {}
    namespace.apply(synthesis.server(threads=4, userTimeout=USER_TIMEOUT, **pooled))
    poolers = [pod.wait_ready() for pod in namespace.deployment("pgbouncer")] if is_pooled else []
    if poolers:
        namespace.hosts["pgbouncer"] = poolers[0].address
    [pod] = namespace.deployment()
    pod.wait_ready()
    for _ in range(3):
        at_once(pod)
    client = poolers[0] if poolers else pod
    ports = ports_to_database(client)
    assert len(ports) >= 2
    drop_packets(client, ports)
    answers = at_once(pod)
    assert [status for status, _ in answers] == [200] * 4
    longest = max(seconds for _, seconds in answers)
    # At least one request was given a dead connection, and none waited for two.
    assert USER_TIMEOUT - 1 < longest < 2 * USER_TIMEOUT + 4


def at_once(pod: Pod) -> list[tuple[int, float]]:
    """Status and seconds of four requests at the same time."""

    def one(_: int) -> tuple[int, float]:
        began = time.monotonic()
        return request(pod, SEARCH).status, time.monotonic() - began

    with ThreadPoolExecutor(4) as threads:
        return list(threads.map(one, range(4)))


def ports_to_database(pod: Pod) -> list[int]:
    """The ports of a pod's connections to PostgreSQL, at its end."""
    command = ["ip", "netns", "exec", pod.address, "ss", "-Htn", "dport = :5432"]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    return [int(line.split()[3].rpartition(":")[2]) for line in lines]


def drop_packets(pod: Pod, ports: list[int]) -> None:
    """Both ways: what the pod sends from these ports, and what it gets at them."""
    dropped = f"{{ {', '.join(map(str, ports))} }} drop"
    lines = ["add table inet dropped"]
    for way, end in (("output", "sport"), ("input", "dport")):
        lines.append(f"add chain inet dropped {way} {{ type filter hook {way} priority 0; }}")
        lines.append(f"add rule inet dropped {way} tcp {end} {dropped}")
    command = ["ip", "netns", "exec", pod.address, "nft", "-f", "-"]
    subprocess.run(command, input="\n".join(lines), text=True, check=True)
