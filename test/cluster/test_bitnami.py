"""PostgreSQL in the cluster: who reaches it, and what becomes of data when it stops or dies."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator

import pytest
from cluster import Failed
from release import Release
from settings import NETWORK_POLICIES_WORK, POSTGRES_IMAGE
from waiting import eventually

from examples import BY_NAME

POD = "postgres-0"
FRIEND, STRANGER = "postgres-test", "stranger"  # the first is named as in the guide
GENEROUS_STOP = 20.0  # seconds; a stop that waits for its clients takes the whole grace period


@pytest.fixture(scope="module", params=["bitnami", "bitnami-complete"])
def release(request: pytest.FixtureRequest, deploy) -> Iterator[Release]:
    with deploy(BY_NAME[request.param]) as release:
        release.namespace.create_pod(FRIEND, POSTGRES_IMAGE, 999, {"postgres-client": "true"})
        release.namespace.create_pod(STRANGER, POSTGRES_IMAGE, 999)
        yield release


@pytest.fixture(scope="module")
def run_id(release: Release) -> str:
    return release.log_run("http://mlflow:5000")


def psql(release: Release, pod: str, statement: str) -> list[str]:
    """The guide's "Test from within the cluster", in a pod that the namespace lets in."""
    example = release.example
    environment = [f"PGPASSWORD={example.password}", "PGCONNECT_TIMEOUT=5"]
    login = ["psql", "-h", "postgres", "-U", example.user, "-d", "mlflow"]
    return [pod, "--", "env", *environment, *login, "-tAc", statement]


def test_lets_pods_with_the_label_in(release: Release) -> None:
    def version() -> str:
        try:
            return release.namespace.kubectl("exec", *psql(release, FRIEND, "SELECT version()"))
        except Failed:
            return ""  # the network has not heard of the new pod yet

    assert eventually(version, "a client with the label gets through").startswith("PostgreSQL")


def test_keeps_other_pods_out(release: Release) -> None:
    if not NETWORK_POLICIES_WORK:
        pytest.skip("this cluster has no network policies (TEST_NETWORK_POLICIES=off)")
    with pytest.raises(Failed, match=r"timeout expired|Connection refused"):
        release.namespace.kubectl("exec", *psql(release, STRANGER, "SELECT version()"))


def test_runs_its_init_scripts(release: Release) -> None:
    if release.example.name != "bitnami-complete":
        pytest.skip("has none")
    statement = "SELECT pg_has_role('report', 'pg_read_all_data', 'member')"
    assert release.namespace.kubectl("exec", *psql(release, FRIEND, statement)).strip() == "t"


def test_guide_logs_of_postgres(release: Release) -> None:
    """The guide's `kubectl logs deployment/postgres`, for what a database should be."""
    assert "ready to accept connections" in release.namespace.kubectl("logs", "statefulset/postgres")


def test_stops_in_seconds_with_clients_connected(release: Release, run_id: str) -> None:
    sleeping = psql(release, FRIEND, "SELECT pg_sleep(300)")
    client = subprocess.Popen(
        ["kubectl", "exec", "-n", release.namespace.name, *sleeping],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        count = "SELECT count(*) FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(300)'"
        busy = psql(release, FRIEND, count)
        eventually(lambda: release.namespace.kubectl("exec", *busy).strip() == "1", "the client is connected")
        uid = release.namespace.get("pod", POD)["metadata"]["uid"]
        started = time.monotonic()
        release.namespace.kubectl("delete", "pod", POD, "--wait=false")
        eventually(lambda: uid_of_pod(release) != uid, "the pod has stopped", 300)
        took = time.monotonic() - started
    finally:
        client.terminate()
        client.wait()
    print(f"{POD} stopped in {took:.1f} s")
    assert took < GENEROUS_STOP
    release.wait_for_rollout()
    assert "was not properly shut down" not in release.namespace.kubectl("logs", POD)
    release.client("read", run_id, "http://mlflow:5000")


def test_keeps_data_when_it_is_killed(release: Release, run_id: str) -> None:
    uid = release.namespace.get("pod", POD)["metadata"]["uid"]
    release.namespace.kubectl("delete", "pod", POD, "--force", "--grace-period=0")
    eventually(lambda: uid_of_pod(release) not in ("", uid), "there is a new pod")
    release.wait_for_rollout()
    release.client("read", run_id, "http://mlflow:5000")


def uid_of_pod(release: Release) -> str:
    return release.namespace.kubectl(
        "get", "pod", POD, "--ignore-not-found", "-o", "jsonpath={.metadata.uid}"
    ).strip()
