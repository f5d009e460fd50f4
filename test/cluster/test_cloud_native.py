"""CloudNativePG under clients: a primary that leaves, a password that changes, several databases."""

from __future__ import annotations

import base64
import json
import re
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cluster import Namespace, new_namespace, run
from controllers import require
from release import CLIENT, Release
from settings import HAS_BOTH_MAJORS, MLFLOW_IMAGE
from waiting import eventually
from watch import FIGURES, Watch

from examples import Example

CLUSTER = "cluster.postgresql.cnpg.io/postgres"
APPS = ("cloud-native", "cloud-native-pooled")
NEW_PASSWORD = "the 'second' $password"


@pytest.fixture(scope="module", autouse=True)
def installed() -> None:
    require("CloudNativePG", "crd/clusters.postgresql.cnpg.io", "crd/databases.postgresql.cnpg.io")


@pytest.fixture(scope="module", params=APPS)
def release(request: pytest.FixtureRequest, installed: None, synthesized) -> Iterator[Release]:
    with new_namespace(request.param) as namespace:
        namespace.create_pod(CLIENT, MLFLOW_IMAGE, 1001)
        yield started(request.param, namespace, synthesized)


def started(name: str, namespace: Namespace, directory) -> Release:
    release = Release(Example(name), namespace, directory)
    release.manifest = on_one_node(release.manifest)
    release.start()
    FIGURES.append(f"{name}, from apply to ready: {release.seconds_to_ready:.0f} s")
    namespace.kubectl("wait", CLUSTER, "--for=condition=Ready", "--timeout=300s", seconds=310)
    return release


def on_one_node(manifest: str) -> str:
    """Three servers ask for less CPU."""
    return re.sub(r"cpu: (250|200|100)m\n", "cpu: 20m\n", manifest)


def primary(release: Release) -> str:
    return str(release.namespace.get(CLUSTER)["status"]["currentPrimary"])


def all_ready(release: Release) -> bool:
    status = release.namespace.get(CLUSTER)["status"]
    return status.get("readyInstances") == status.get("instances") == 3


def server_of(release: Release) -> dict[str, Any]:
    """Without the operator's own Deployment, of the pooler."""
    [server] = [each for each in release.servers() if each["metadata"]["name"] == "mlflow"]
    return server


def uids(release: Release) -> set[str]:
    return {pod["metadata"]["uid"] for pod in release.pods_of(server_of(release))}


def sql(release: Release, statement: str, pod: str = "") -> str:
    """By the primary, or by the pod."""
    inside = ["-c", "postgres", "--", "psql", "-XqtA", "-d", "mlflow", "-c", statement]
    return release.namespace.kubectl("exec", pod or primary(release), *inside).strip()


def end_idle_sessions(release: Release) -> None:
    sql(
        release,
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE usename = 'mlflow'"
        " AND state = 'idle' AND state_change < now() - interval '2 s'",
    )


def servers(release: Release) -> list[str]:
    pods = release.namespace.pods({"cnpg.io/podRole": "instance"})
    return [each["metadata"]["name"] for each in pods]


@pytest.mark.parametrize("how", ["with grace", "by force"])
def test_a_primary_leaves(release: Release, how: str) -> None:
    eventually(lambda: all_ready(release), "three servers", 300)
    old, pods = primary(release), uids(release)
    options = ["--grace-period=0", "--force"] if how == "by force" else []
    title = f"{release.example.name}, primary deleted {how}"
    with Watch(release.namespace, title, log_metric=6, search=1) as watch:
        before = time.monotonic()
        release.namespace.kubectl("delete", "pod", old, "--wait=false", *options)
        eventually(lambda: primary(release) != old or all_ready(release), "a primary", 240)
        FIGURES.append(f"{title}: {primary(release)} after {old}, {time.monotonic() - before:.1f} s")
        time.sleep(20)
    assert watch.seen["missing"] == 0
    assert watch.seen["log-metric"]["gap"] < 60
    assert uids(release) == pods


def test_a_password_changes(release: Release) -> None:
    """Somebody writes another one into the Secret, and the operator gives it to the role."""
    eventually(lambda: all_ready(release), "three servers", 300)
    namespace, pods = release.namespace, uids(release)
    # The file has to be there with the new password before sessions end; the clients' pools keep theirs.
    before = sql(release, "SELECT rolpassword FROM pg_authid WHERE rolname = 'mlflow'")
    with Watch(namespace, f"{release.example.name}, password changed", log_metric=2) as watch:
        encoded = base64.b64encode(NEW_PASSWORD.encode()).decode()
        patch = json.dumps({"data": {"password": encoded}})
        namespace.kubectl("patch", "secret", "postgres-app", "--type=merge", "-p", patch)
        begun = time.monotonic()
        stored = "SELECT rolpassword FROM pg_authid WHERE rolname = 'mlflow'"
        eventually(lambda: sql(release, stored) != before, "the role has another password", 180, pause=1)
        FIGURES.append(
            f"{release.example.name}, from the Secret to the role: {time.monotonic() - begun:.0f} s"
        )
        name = f"deployment/{server_of(release)['metadata']['name']}"
        read = ["exec", name, "-c", "mlflow", "--", "sh", "-c", 'cat "$DATABASE_PASSWORD_FILE"']
        eventually(lambda: namespace.kubectl(*read) == NEW_PASSWORD, "the pod follows", 180, pause=1)
        FIGURES.append(
            f"{release.example.name}, from the Secret to the pod: {time.monotonic() - begun:.0f} s"
        )
        end_idle_sessions(release)
        with Watch(namespace, f"{release.example.name}, new logins", log_metric=6) as after:
            pass
    assert uids(release) == pods
    for seen in (watch.seen, after.seen):
        assert seen["log-metric"]["failed"] == 0, seen
        assert seen["missing"] == 0


def test_a_certificate_is_renewed(release: Release) -> None:
    """The operator signs another one, as before the old one expires; clients verify it with the same CA."""
    eventually(lambda: all_ready(release), "three servers", 300)
    namespace, pods = release.namespace, uids(release)
    presented = ["-c", "postgres", "--", "cat", "/controller/certificates/server.crt"]

    def certificates() -> set[str]:
        return {namespace.kubectl("exec", each, *presented) for each in servers(release)}

    [old] = certificates()
    title = f"{release.example.name}, certificate renewed"
    with Watch(namespace, title, log_metric=4, search=1) as watch:
        namespace.kubectl("delete", "secret", "postgres-server")
        begun = time.monotonic()
        eventually(
            lambda: len(certificates()) == 1 and certificates() != {old}, "all servers have it", 180, pause=1
        )
        FIGURES.append(f"{title}: {time.monotonic() - begun:.0f} s")
        end_idle_sessions(release)
        time.sleep(10)
    assert uids(release) == pods
    assert [watch.seen[each]["failed"] for each in ("log-metric", "search")] == [0, 0], watch.seen
    assert watch.seen["missing"] == 0


def test_a_ca_is_renewed(release: Release) -> None:
    """As a week before it expires: with the same key, so that files with the old one verify, too."""
    eventually(lambda: all_ready(release), "three servers", 300)
    namespace, pods = release.namespace, uids(release)
    first = namespace.get("secret/postgres-ca")["data"]
    about_to_expire = expiring(first)
    title = f"{release.example.name}, CA renewed"
    with Watch(namespace, title, log_metric=4, search=1) as watch:
        patch = json.dumps({"data": {"ca.crt": about_to_expire}})
        namespace.kubectl("patch", "secret", "postgres-ca", "--type=merge", "-p", patch)
        begun = time.monotonic()
        eventually(
            lambda: (
                namespace.get("secret/postgres-ca")["data"]["ca.crt"]
                not in (first["ca.crt"], about_to_expire)
            ),
            "the operator renews it",
            180,
        )
        FIGURES.append(f"{title}: {time.monotonic() - begun:.0f} s")
        end_idle_sessions(release)
        time.sleep(20)
    assert uids(release) == pods
    assert [watch.seen[each]["failed"] for each in ("log-metric", "search")] == [0, 0], watch.seen
    assert watch.seen["missing"] == 0


def expiring(ca: dict[str, str]) -> str:
    """The certificate of a CA once more, which ends tomorrow."""
    with tempfile.TemporaryDirectory() as directory:
        for name in ("ca.crt", "ca.key"):
            (Path(directory) / name).write_bytes(base64.b64decode(ca[name]))
        command = "openssl x509 -in ca.crt -signkey ca.key -days 1"
        return base64.b64encode(subprocess.check_output(command.split(), cwd=directory)).decode()


def test_second_apply_changes_nothing(release: Release) -> None:
    release.apply("--server-side", "--force-conflicts")
    release.apply("--server-side")
    assert release.namespace.kubectl("diff", "--server-side", "-f", "-", stdin=release.manifest) == ""


def test_removal_leaves_the_data(release: Release) -> None:
    release.remove()
    kinds = "clusters.postgresql.cnpg.io,persistentvolumeclaims"
    left = json.loads(run("kubectl", "get", "-n", release.namespace.name, kinds, "-o", "json"))["items"]
    found = [each["kind"] for each in left]
    assert found.count("Cluster") == 1
    assert found.count("PersistentVolumeClaim") >= 4, found


def test_several_databases(installed: None, synthesized) -> None:
    """The example: each server has a database and an owner of its own, which sees no other."""
    with new_namespace("cloud-native-databases") as namespace:
        namespace.create_pod(CLIENT, MLFLOW_IMAGE, 1001)
        for owner in ("vision", "text"):
            login = [f"--from-literal=username={owner}", f"--from-literal=password=of-{owner}"]
            namespace.kubectl(
                "create", "secret", "generic", f"{owner}-login", "--type=kubernetes.io/basic-auth", *login
            )
            namespace.kubectl("label", "secret", f"{owner}-login", "cnpg.io/reload=true")
        release = started("cloud-native-databases", namespace, synthesized)
        runs = {
            server["metadata"]["name"]: release.log_run(release.urls_of(server)[0])
            for server in release.servers()
        }
        assert len(runs) == 3
        for server in release.servers():
            release.client("read", runs[server["metadata"]["name"]], release.urls_of(server)[0])
        owners = sql(
            release,
            "SELECT string_agg(datname || '=' || rolname, ' ' ORDER BY datname) FROM pg_database d"
            " JOIN pg_roles r ON r.oid = d.datdba WHERE datname IN ('mlflow', 'vision', 'text')",
        )
        assert owners == "mlflow=mlflow text=text vision=vision"
        synchronous = sql(release, "SELECT count(*) > 0 FROM pg_stat_replication WHERE sync_state = 'quorum'")
        assert synchronous == "t"


def test_a_primary_leaves_where_reads_go_to_standbys(installed: None, synthesized) -> None:
    """A standby becomes the primary under those that read from it."""
    with new_namespace("cloud-native-replicas") as namespace:
        namespace.create_pod(CLIENT, MLFLOW_IMAGE, 1001)
        release = started("cloud-native-replicas", namespace, synthesized)
        eventually(lambda: all_ready(release), "three servers", 300)
        run_id, [url, *_] = release.log_run("http://mlflow:5000"), release.urls_of(server_of(release))
        readers = "SELECT count(*) FROM pg_stat_activity WHERE usename = 'mlflow'"
        on_standbys = sum(
            int(sql(release, readers, pod)) for pod in servers(release) if pod != primary(release)
        )
        assert on_standbys > 0
        for how in ("with grace", "by force"):
            eventually(lambda: all_ready(release), "three servers", 300)
            old, pods = primary(release), uids(release)
            options = ["--grace-period=0", "--force"] if how == "by force" else []
            title = f"cloud-native-replicas, primary deleted {how}"
            with Watch(namespace, title, log_metric=6, search=2) as watch:
                namespace.kubectl("delete", "pod", old, "--wait=false", *options)
                eventually(lambda old=old: primary(release) != old or all_ready(release), "a primary", 240)
                time.sleep(20)
            assert watch.seen["missing"] == 0
            assert max(watch.seen[each]["gap"] for each in ("log-metric", "search")) < 60
            assert uids(release) == pods
        release.client("read", run_id, url)


def major_of(release: Release) -> int:
    """Of the data of the primary, which the operator writes down after an upgrade."""
    return int(release.namespace.get(CLUSTER)["status"]["pgDataImageInfo"]["majorVersion"])


@pytest.mark.skipif(
    not HAS_BOTH_MAJORS,
    reason="pulls CloudNativePG's images of PostgreSQL 15 and 18: set TEST_MAJOR_UPGRADE=true",
)
def test_a_major_upgrade(installed: None, synthesized) -> None:
    """By another `imageName`: all servers stop, and the operator upgrades the data and copies it anew."""
    old, new = (f"ghcr.io/cloudnative-pg/postgresql:{major}" for major in (15, 18))
    with new_namespace("cloud-native-upgrade") as namespace:
        namespace.create_pod(CLIENT, MLFLOW_IMAGE, 1001)
        release = started("cloud-native-upgrade", namespace, synthesized)
        eventually(lambda: all_ready(release), "three servers", 300)
        assert sql(release, "SHOW server_version").startswith("15")
        run_id, pods = release.log_run("http://mlflow:5000"), uids(release)
        with Watch(namespace, "PostgreSQL 15 to 18", log_metric=2, search=1) as watch:
            release.manifest = release.manifest.replace(old, new)
            release.apply()
            begun = time.monotonic()
            eventually(
                lambda: all_ready(release) and major_of(release) == 18, "three servers of PostgreSQL 18", 600
            )
            FIGURES.append(f"PostgreSQL 15 to 18, three servers ready: {time.monotonic() - begun:.0f} s")
            time.sleep(20)
        assert sql(release, "SHOW server_version").startswith("18")
        assert watch.seen["missing"] == 0
        assert uids(release) == pods
        release.client("read", run_id, "http://mlflow:5000")
