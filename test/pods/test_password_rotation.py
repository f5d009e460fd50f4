"""A password changes while people work: no pod restarts, no request fails."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
import synthesis
from kubelet.kubernetes import Namespace
from postgres import Postgres
from test_outage import Load, assert_alive
from tracking import client_of

pytestmark = pytest.mark.migrated


def test_rotation_under_load(namespace: Namespace, postgres: Postgres, tmp_path: Path) -> None:
    namespace.apply(synthesis.server(workers=2))
    [pod] = namespace.deployment()
    client = client_of(pod.wait_ready())
    # The kubelet brings a changed Secret into its volume.
    [secret] = tmp_path.rglob("volumes/*/password")
    load = Load(client, threads=4)
    load.wait_for(40)

    in_postgres(postgres, "the second")
    time.sleep(3)
    secret.write_text("the second")
    load.wait_for(load.done + 40)

    secret.write_text("the third")
    postgres.execute(END_SESSIONS)
    load.wait_for(load.done + 40)
    in_postgres(postgres, "the third")
    load.wait_for(load.done + 40)

    load.stop()
    assert load.errors == []
    for run_id, last in load.logged.items():
        assert {each.step for each in client.get_metric_history(run_id, "step")} == set(range(last + 1))
    assert_alive(pod)


END_SESSIONS = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'mlflow'"


def in_postgres(postgres: Postgres, password: str) -> None:
    """As those do that rotate passwords: sessions that logged in with the old one end."""
    postgres.execute(f"ALTER ROLE mlflow PASSWORD '{password}'")
    postgres.execute(END_SESSIONS)
