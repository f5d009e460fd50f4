"""The example `isolated`: each edge of its policies, and what has none."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cluster import Namespace, new_namespace, restricted_pod
from memory_store_pod import memory_store
from release import CLIENT, Release
from settings import MLFLOW_IMAGE, NETWORK_POLICIES_WORK
from waiting import eventually

from examples import Example

pytestmark = pytest.mark.skipif(
    not NETWORK_POLICIES_WORK, reason="this cluster has no network policies (TEST_NETWORK_POLICIES=off)"
)

URL = "http://mlflow:5000"
SERVER = "deployment/mlflow"
STORE, NEIGHBOUR, STRANGER = "minio", "neighbour", "stranger"

# Whether a TCP connection comes about. A policy may drop packets or refuse them.
CONNECT = """
import socket, sys
try:
    socket.create_connection((sys.argv[1], int(sys.argv[2])), timeout=4).close()
    print("open")
except OSError as error:
    print("closed:", error)
"""
RESOLVE = "import socket; print(socket.gethostbyname('postgres'))"

OPEN = [
    (CLIENT, "mlflow", 5000),
    (SERVER, "pgbouncer", 6432),
    (SERVER, "postgres", 5432),
    (SERVER, STORE, 9000),
    ("pooler", "postgres", 5432),
    ("migration", "postgres", 5432),
    # What is closed to others does listen.
    (STRANGER, STORE, 9001),
    (STRANGER, NEIGHBOUR, 9000),
    (STRANGER, "kubernetes.default", 443),
]
CLOSED = [
    (STRANGER, "mlflow", 5000),
    (STRANGER, "pgbouncer", 6432),
    (STRANGER, "postgres", 5432),
    (CLIENT, "pgbouncer", 6432),
    (CLIENT, "postgres", 5432),
    (SERVER, STORE, 9001),
    (SERVER, NEIGHBOUR, 9000),
    (SERVER, "kubernetes.default", 443),
    ("pooler", NEIGHBOUR, 9000),
    ("pooler", STORE, 9000),
    ("migration", "pgbouncer", 6432),
    ("migration", STORE, 9000),
    ("primary", NEIGHBOUR, 9000),
]


@pytest.fixture(scope="module")
def release(synthesized: Path) -> Iterator[Release]:
    with new_namespace("isolated") as namespace:
        provide(namespace)
        release = Release(Example("isolated"), namespace, synthesized)
        release.start()
        for name, kind, workload in (
            ("pooler", "deployment", "pgbouncer"),
            ("primary", "statefulset", "postgres"),
            ("migration", "job", name_of_job(namespace)),
        ):
            namespace.create(
                twin(name, namespace.get(kind, workload)["spec"]["template"]["metadata"]["labels"])
            )
            eventually(lambda name=name: is_running(namespace, name), f"{name} runs")
        yield release


def provide(namespace: Namespace) -> None:
    """What the example takes as given, and pods to try from."""
    namespace.kubectl(
        "create", "secret", "generic", "postgres-passwords", "--from-literal=password=only-here"
    )
    keys = ["--from-literal=AWS_ACCESS_KEY_ID=any", "--from-literal=AWS_SECRET_ACCESS_KEY=any"]
    namespace.kubectl("create", "secret", "generic", "minio-login", *keys)
    namespace.create_pod(CLIENT, MLFLOW_IMAGE, 1001, {"mlflow-client": "true"})
    namespace.create_pod(STRANGER, MLFLOW_IMAGE, 1001)
    namespace.create(*memory_store(STORE, 9000, 9001), *memory_store(NEIGHBOUR, 9000))


def twin(name: str, labels: dict[str, str]) -> dict[str, Any]:
    """A pod under the policy of a workload without Python. Never ready, so that no Service leads to it."""
    ours = {
        key: value for key, value in labels.items() if "controller-uid" not in key and "job-name" not in key
    }
    never = {"exec": {"command": ["false"]}}
    container = {
        "name": "main",
        "image": MLFLOW_IMAGE,
        "command": ["sleep", "86400"],
        "readinessProbe": never,
    }
    return restricted_pod(name, container, 1001, ours)


def name_of_job(namespace: Namespace) -> str:
    (job,) = namespace.get("jobs")["items"]
    return str(job["metadata"]["name"])


def is_running(namespace: Namespace, pod: str) -> bool:
    return bool(namespace.get("pod", pod)["status"].get("phase") == "Running")


def python(release: Release, source: str, program: str, *args: str) -> str:
    return release.namespace.kubectl("exec", "-i", source, "--", "python", "-", *args, stdin=program)


def is_open(release: Release, source: str, host: str, port: int) -> bool:
    answer = python(release, source, CONNECT, host, str(port))
    assert answer == "open\n" or "timed out" in answer or "refused" in answer, answer
    return answer == "open\n"


def test_works_within_its_policies(release: Release) -> None:
    run_id = release.log_run(URL)
    assert "read through" in release.client("read", run_id, URL)


def test_migration_job_gets_through(release: Release) -> None:
    (job,) = release.namespace.get("jobs")["items"]
    assert job["status"]["succeeded"] == 1


def test_every_policy_is_there(release: Release) -> None:
    policies = release.namespace.get("networkpolicies")["items"]
    assert {each["metadata"]["name"] for each in policies} == {
        "mlflow",
        "mlflow-migration",
        "pgbouncer",
        "postgres",
    }
    assert all(each["spec"]["policyTypes"] == ["Ingress", "Egress"] for each in policies)


@pytest.mark.parametrize("source, host, port", OPEN)
def test_open(release: Release, source: str, host: str, port: int) -> None:
    # The network may not have heard of a new pod yet.
    eventually(lambda: is_open(release, source, host, port), f"{source} reaches {host}:{port}", 60)


@pytest.mark.parametrize("source, host, port", CLOSED)
def test_closed(release: Release, source: str, host: str, port: int) -> None:
    address = release.namespace.get("service", host)["spec"]["clusterIP"] if "." not in host else host
    assert not is_open(release, source, address, port)


def test_names_are_resolved_where_there_is_something_to_reach(release: Release) -> None:
    address = release.namespace.get("service", "postgres")["spec"]["clusterIP"]
    assert python(release, SERVER, RESOLVE).strip() == address
    assert "unreachable" in python(
        release,
        "primary",
        "import socket\ntry: socket.gethostbyname('postgres')\nexcept OSError as e: print('unreachable', e)",
    )
