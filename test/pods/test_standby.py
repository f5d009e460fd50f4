"""A streaming standby: reads go to it, and it takes over where the primary dies."""

from __future__ import annotations

import json
import time

import synthesis
from conftest import MakePostgres
from kubelet.kubernetes import Namespace
from loading import log_batch, search
from logging_clients import LoggingClients
from postgres import Postgres
from test_outage import assert_alive
from tracking import request, url_of
from tracking_api import Caller
from waiting import eventually

CAUGHT_UP = "SELECT pg_last_wal_replay_lsn() >= '{}'::pg_lsn"
SESSIONS = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'mlflow'"


def catch_up(primary: Postgres, standby: Postgres) -> None:
    position = primary.value("SELECT pg_current_wal_lsn()")
    standby.wait_for(CAUGHT_UP.format(position), "postgres", 30)


def test_reads_go_to_the_standby(
    namespace: Namespace, postgres: Postgres, make_postgres: MakePostgres
) -> None:
    standby = make_postgres("replica", primary=postgres).start()
    namespace.apply(synthesis.server(readHost="replica"))
    [pod] = namespace.deployment()
    caller = Caller(url_of(pod.wait_ready()))

    def runs() -> int:
        status, text = caller.post("runs/search", {"experiment_ids": ["0"]})
        assert status == 200, text
        return len(json.loads(text)["runs"])

    catch_up(postgres, standby)
    assert runs() == 1
    # What the standby has not replayed is not seen: it is the standby that answers.
    standby.execute("SELECT pg_wal_replay_pause()")
    standby.wait_for("SELECT pg_get_wal_replay_pause_state() = 'paused'", "postgres", 30)
    assert start_run(caller, "0") == 200
    assert runs() == 1
    assert postgres.value("SELECT count(*) FROM runs") == 2
    # A run looks its experiment up there: one that was made a moment ago may not exist for it.
    status, text = caller.post("experiments/create", {"name": "new"})
    assert (status, start_run(caller, json.loads(text)["experiment_id"])) == (200, 404)
    standby.execute("SELECT pg_wal_replay_resume()")
    catch_up(postgres, standby)
    assert runs() == 2
    assert standby.value(SESSIONS) > 0
    assert postgres.value(SESSIONS) > 0

    # Without the standby, reads fail, and with them the start of a run; runs that have begun log on.
    standby.stop("immediate")
    began = time.monotonic()
    status, text = caller.post("runs/search", {"experiment_ids": ["0"]})
    assert (status, "Connection refused" in text) == (503, True), text
    assert time.monotonic() - began < 5
    assert start_run(caller, "0") == 503
    assert log_batch(caller, 1).status == 200
    assert request(pod, "/health").status == 200
    standby.start()
    eventually(lambda: search(caller, 1).status == 200, "the server reads again", 60)
    assert_alive(pod)


def start_run(caller: Caller, experiment_id: str) -> int:
    return caller.post("runs/create", {"experiment_id": experiment_id, "start_time": 0}).status


def test_failover(namespace: Namespace, make_postgres: MakePostgres) -> None:
    primary = make_postgres("first").start()
    primary.owned_database()
    standby = make_postgres("second", primary=primary).start()
    # A commit counts when the standby has it, so that a failover keeps all that was acknowledged.
    primary.execute("ALTER SYSTEM SET synchronous_standby_names = '*'")
    primary.execute("SELECT pg_reload_conf()")
    primary.wait_for("SELECT count(*) = 1 FROM pg_stat_replication WHERE sync_state = 'sync'", "postgres", 30)
    namespace.apply(synthesis.server(host="first", failoverHosts=["second"]))
    [pod] = namespace.deployment()
    pod.wait_ready()

    points = LoggingClients(pod)
    points.wait_for_more()
    primary.crash()
    crashed = time.monotonic()
    time.sleep(2)  # until somebody notices
    standby.promote()
    promoted = time.monotonic()
    points.wait_for_more()
    points.stop()

    served = points.served_after(promoted)
    print(f"served {served - crashed:.1f} s after the crash, {served - promoted:.1f} s after the promotion")
    print(f"{points.acknowledged} acknowledged, failed: {points.failed}")
    assert served - promoted < 10
    assert points.failed.keys() <= {503}  # which MLflow's client tries again
    assert points.missing() == 0
    assert_alive(pod)
