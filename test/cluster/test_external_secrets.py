"""The example with External Secrets, and a password that its store changes under clients."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import stand_in
from cluster import Failed, run
from controllers import require
from release import Release
from waiting import eventually
from watch import FIGURES, Watch

from examples import Example

EXAMPLE = Example("external-secrets", host="your-postgres-host")
STORE = "clustersecretstore/vault"  # as the example calls it
LOGIN, BUCKET = "mlflow/postgres", "mlflow/bucket"
NEW = 'the "second" $password'


@pytest.fixture(scope="module", autouse=True)
def installed() -> None:
    require("External Secrets", "crd/externalsecrets.external-secrets.io")


@pytest.fixture(scope="module")
def release(installed: None, deploy) -> Iterator[Release]:
    with fake_store(EXAMPLE.password), deploy(EXAMPLE) as release:
        yield release


@contextmanager
def fake_store(password: str) -> Iterator[None]:
    """The store of the example, with External Secrets' own fake of one."""
    try:
        run("kubectl", "create", "-f", "-", stdin=json.dumps(store_with(password)))
    except Failed as error:
        pytest.skip(f"the cluster has a {STORE} of its own: {error}")
    try:
        yield
    finally:
        run("kubectl", "delete", STORE)


def store_with(password: str) -> dict[str, Any]:
    values = {
        LOGIN: {"username": EXAMPLE.user, "password": password},
        BUCKET: {"id": "id", "key": "key"},
    }
    data = [{"key": key, "value": json.dumps(value)} for key, value in values.items()]
    spec = {"provider": {"fake": {"data": data}}}
    kind = {"apiVersion": "external-secrets.io/v1", "kind": "ClusterSecretStore"}
    return {**kind, "metadata": {"name": "vault"}, "spec": spec}


def pods(release: Release) -> list[tuple[str, int]]:
    """Each pod of the server, and how often its containers were restarted."""
    [server] = release.servers()
    found = release.pods_of(server)
    statuses = [(pod["metadata"]["uid"], pod["status"].get("containerStatuses", [])) for pod in found]
    return [(uid, sum(each["restartCount"] for each in status)) for uid, status in statuses]


def secret_of(release: Release) -> str:
    return str(release.namespace.get("externalsecret", "postgres-login")["spec"]["target"]["name"])


def test_a_rotated_password_costs_no_request(release: Release) -> None:
    namespace, before = release.namespace, pods(release)
    secret = secret_of(release)
    old = namespace.get("secret", secret)["data"]["password"]
    with Watch(namespace, "password rotated", log_metric=2) as watch:
        started = time.monotonic()
        stand_in.sql(namespace, f"ALTER ROLE {EXAMPLE.user} PASSWORD :'password';", password=NEW)
        run("kubectl", "apply", "-f", "-", stdin=json.dumps(store_with(NEW)))
        # What refreshInterval would do within the hour.
        now = f"force-sync={time.time():.0f}"
        namespace.kubectl("annotate", "externalsecret", "postgres-login", now, "--overwrite")
        eventually(lambda: namespace.get("secret", secret)["data"]["password"] != old, "the Secret follows")
        FIGURES.append(f"from the store to the Secret: {time.monotonic() - started:.1f} s")
        [server] = release.servers()
        name = f"deployment/{server['metadata']['name']}"
        read = ["exec", name, "-c", "mlflow", "--", "sh", "-c", 'cat "$DATABASE_PASSWORD_FILE"']
        eventually(lambda: namespace.kubectl(*read) == NEW, "the pod follows", 180)
        FIGURES.append(f"from the store to the pod: {time.monotonic() - started:.0f} s")
        ended = stand_in.sql(namespace, END_IDLE_SESSIONS, user=EXAMPLE.user)
        # More clients than there are connections left: new ones log in with the new password.
        with Watch(namespace, "after the rotation", log_metric=6) as after:
            pass
        logins = stand_in.sql(namespace, NEW_SESSIONS, user=EXAMPLE.user)
    FIGURES.append(f"sessions ended: {ended}, with the new password: {logins}")
    assert int(logins) > 0
    assert pods(release) == before
    for seen in (watch.seen, after.seen):
        assert seen["log-metric"]["failed"] == 0
        assert seen["missing"] == 0


# Not those of a request that runs: it would fail whatever the password.
END_IDLE_SESSIONS = (
    "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
    " WHERE usename = :'user' AND state = 'idle' AND state_change < now() - interval '2 s';"
)
NEW_SESSIONS = (
    "SELECT count(*) FROM pg_stat_activity"
    " WHERE usename = :'user' AND backend_start > now() - interval '60 s';"
)
