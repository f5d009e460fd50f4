"""Each example, from `kubectl apply` to `kubectl delete`. Its tests build on each other, in this order."""

from __future__ import annotations

import base64
import re
import socket
import subprocess
import urllib.request
from collections.abc import Iterator

import pytest
import stand_in
from cluster import MADE_BY_US, Failed
from release import CLIENT, CLIENT_PROGRAM, Release, is_ready
from rolling import roll
from waiting import eventually

from examples import ADMINISTRATOR, ADMINISTRATOR_PASSWORD, EXAMPLES


@pytest.fixture(scope="module", params=EXAMPLES, ids=lambda example: example.name)
def release(request: pytest.FixtureRequest, deploy) -> Iterator[Release]:
    with deploy(request.param) as release:
        yield release


@pytest.fixture(scope="module")
def runs(release: Release) -> dict[str, str]:
    """The id of a run in each server, logged through the short name of its Service."""
    servers = release.servers()
    return {server["metadata"]["name"]: release.log_run(release.urls_of(server)[0]) for server in servers}


def test_serves_under_each_name_of_its_service(release: Release, runs: dict[str, str]) -> None:
    for server in release.servers():
        urls = release.urls_of(server)
        answer = release.client("read", runs[server["metadata"]["name"]], *urls)
        assert answer.count("read through") == len(urls)


def test_keeps_runs_when_its_pods_are_deleted(release: Release, runs: dict[str, str]) -> None:
    for server in release.servers():
        before = {pod["metadata"]["name"] for pod in release.pods_of(server)}
        release.namespace.kubectl("delete", "pods", *before)
        eventually(lambda server=server: release.settled(server), "the server is back", 600)
        assert not before & {pod["metadata"]["name"] for pod in release.pods_of(server)}
        release.client("read", runs[server["metadata"]["name"]], release.urls_of(server)[0])


def test_guide_get_pods(release: Release) -> None:
    lines = release.namespace.kubectl("get", "pods").splitlines()
    servers = [line for line in lines if line.startswith("mlflow")]
    assert servers
    assert all(re.search(r"\s1/1\s+Running\s+0\s", line) for line in servers)


def test_guide_verify_database_connection(release: Release) -> None:
    """The guide greps the server's log, which names no database: `--all-containers` adds the check's."""
    for server in release.servers():
        name = f"deployment/{server['metadata']['name']}"
        log = release.namespace.kubectl("logs", name, "--all-containers")
        assert re.search(r"wait-for-database: ready: user \".+\", database \"mlflow\"", log)


def test_guide_check_migration_status(release: Release) -> None:
    for server in release.servers():
        name = f"deployment/{server['metadata']['name']}"
        log = release.namespace.kubectl("logs", name, "-c", "init-mlflow")
        assert "init-mlflow: up-to-date: revision " in log


def test_guide_access_the_ui(release: Release) -> None:
    for server in release.servers():
        with socket.socket() as free:  # the guide's local port, 5000, may be taken
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        command = ["kubectl", "port-forward", f"svc/{server['metadata']['name']}"]
        forward = subprocess.Popen(
            [*command, "-n", release.namespace.name, f"{port}:5000"], stdout=subprocess.PIPE, text=True
        )
        try:
            assert forward.stdout is not None
            assert "Forwarding from" in forward.stdout.readline()
            url = urllib.request.Request(f"http://localhost:{port}")
            if release.example.auth_secret:
                login = f"{ADMINISTRATOR}:{ADMINISTRATOR_PASSWORD}".encode()
                url.add_header("Authorization", f"Basic {base64.b64encode(login).decode()}")
            with urllib.request.urlopen(url, timeout=60) as page:
                assert page.status == 200
                assert "<title>MLflow</title>" in page.read().decode()
        finally:
            forward.terminate()
            forward.communicate()


def test_guide_database_secret(release: Release) -> None:
    if release.example.secret is None:
        pytest.skip("makes its own Secret")
    assert "password: " in release.namespace.kubectl("get", "secret", release.example.secret, "-o", "yaml")


def test_guide_connection_details_of_postgres_in_the_cluster(release: Release) -> None:
    if release.example.superuser is None:
        pytest.skip("no superuser of PostgreSQL in the cluster")
    key = "jsonpath={.data.postgres-password}"
    password = release.namespace.kubectl("get", "secret", "postgres", "-o", key)
    assert base64.b64decode(password).decode() == release.example.superuser
    address = release.namespace.kubectl("get", "svc", "postgres", "-o", "jsonpath={.spec.clusterIP}")
    assert re.fullmatch(r"[\d.]+|[\da-f:]+", address)


def test_encrypts_its_connections(release: Release) -> None:
    if release.example.host is None:
        pytest.skip("its own server, without TLS")
    answer = stand_in.sql(
        release.namespace,
        "SELECT count(*) > 0 AND bool_and(ssl) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid)"
        " WHERE usename = :'user' AND application_name LIKE 'mlflow%';",
        user=release.example.user,
    )
    assert answer == "t"


def test_asks_for_a_login(release: Release) -> None:
    if release.example.auth_secret is None:
        pytest.skip("asks nobody")
    for password in ("", "another password"):
        command = ["env", f"MLFLOW_TRACKING_USERNAME={ADMINISTRATOR}", f"MLFLOW_TRACKING_PASSWORD={password}"]
        with pytest.raises(Failed, match="401"):
            release.namespace.kubectl(
                *("exec", "-i", CLIENT, "--", *command, "python", "-", "write", "http://mlflow:5000"),
                stdin=CLIENT_PROGRAM,
            )


def test_second_apply_changes_nothing(release: Release) -> None:
    release.wait_until_settled()
    before = release.state()
    release.apply()
    assert release.namespace.kubectl("diff", "-f", "-", stdin=release.manifest) == ""
    assert release.state() == before
    # Server-side apply has to take the fields over once, and is quiet from then on.
    release.apply("--server-side", "--force-conflicts")
    release.apply("--server-side")
    assert release.namespace.kubectl("diff", "--server-side", "-f", "-", stdin=release.manifest) == ""
    assert release.state() == before


def test_changed_setting_rolls(release: Release, runs: dict[str, str]) -> None:
    level = re.compile(r"(- name: MLFLOW_LOGGING_LEVEL\n\s+value: )INFO\n")
    release.manifest, count = level.subn(r"\1WARNING\n", release.manifest)
    assert count == len(release.servers())
    release.apply()
    roll(release)
    for server in release.servers():
        assert all(map(is_ready, release.pods_of(server)))
        release.client("read", runs[server["metadata"]["name"]], release.urls_of(server)[0])


def test_removal_leaves_only_claims(release: Release) -> None:
    namespace = release.namespace
    claims = {f"persistentvolumeclaim/{each['metadata']['name']}" for each in namespace.get("pvc")["items"]}
    release.remove()
    eventually(lambda: namespace.everything() - release.before == claims, "nothing is left but claims")
    ours = namespace.kubectl("get", "pods", "-l", f"{MADE_BY_US}=true", "-o", "name").split()
    assert namespace.kubectl("get", "pods", "-o", "name").split() == ours
    with pytest.raises(Failed, match="NotFound"):
        namespace.kubectl("get", "deployment", "mlflow")
