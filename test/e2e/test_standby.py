"""A streaming standby: reads go to it, and it takes over where the primary dies."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter

import synthesis
from cluster.kubernetes import Namespace
from cluster.pod import Pod
from conftest import MakePostgres
from load import Caller, log_batch, search
from postgres import Postgres
from test_outage import assert_alive, wait_until
from tracking import request

CAUGHT_UP = "SELECT pg_last_wal_replay_lsn() >= '{}'::pg_lsn"
SESSIONS = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'mlflow'"
CLIENTS = 8


def catch_up(primary: Postgres, standby: Postgres) -> None:
    position = primary.value("SELECT pg_current_wal_lsn()")
    standby.wait_for(CAUGHT_UP.format(position), "postgres", 30)


def test_reads_go_to_the_standby(
    namespace: Namespace, postgres: Postgres, make_postgres: MakePostgres
) -> None:
    standby = make_postgres("replica", primary=postgres).start()
    namespace.apply(synthesis.server(readHost="replica"))
    [pod] = namespace.deployment()
    caller = Caller(pod.wait_ready().address)

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
    assert log_batch(caller, 1)[0] == 200
    assert request(pod, "/health").status == 200
    standby.start()
    wait_until(lambda: search(caller, 1)[0] == 200)
    assert_alive(pod)


def start_run(caller: Caller, experiment_id: str) -> int:
    return caller.post("runs/create", {"experiment_id": experiment_id, "start_time": 0})[0]


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

    load = Points(pod)
    load.wait_for(CLIENTS * 3)
    primary.crash()
    crashed = time.monotonic()
    time.sleep(2)  # until somebody notices
    standby.promote()
    promoted = time.monotonic()
    load.wait_for(load.acknowledged + CLIENTS * 3)
    load.stop()

    served = next(at for at in load.served if at > promoted)
    print(f"served {served - crashed:.1f} s after the crash, {served - promoted:.1f} s after the promotion")
    print(f"{load.acknowledged} acknowledged, failed: {load.failed}")
    assert served - promoted < 10
    assert load.failed.keys() <= {503}  # which MLflow's client tries again
    assert load.missing(standby) == 0
    assert_alive(pod)


class Points:
    """Clients that log one metric after the other, each into a run of its own, and never try again."""

    def __init__(self, pod: Pod) -> None:
        self.acknowledged, self.served, self.failed = 0, [], Counter[int]()
        self._stop, self._lock = threading.Event(), threading.Lock()
        self._points: set[tuple[str, int]] = set()
        self._threads = [
            threading.Thread(target=self._work, args=(Caller(pod.address),), daemon=True)
            for _ in range(CLIENTS)
        ]
        for thread in self._threads:
            thread.start()

    def wait_for(self, acknowledged: int) -> None:
        wait_until(lambda: self.acknowledged >= acknowledged, 120)

    def stop(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(120)

    def missing(self, postgres: Postgres) -> int:
        """Points that were acknowledged, and are not in the database."""
        rows = postgres.execute("SELECT run_uuid, step FROM metrics WHERE key = 'point'", "mlflow")
        return len(self._points - set(rows))

    def _work(self, caller: Caller) -> None:
        step = 0
        while not self._stop.is_set():
            step += 1
            point = {"run_id": caller.run_id, "key": "point", "value": step, "timestamp": step, "step": step}
            status, _ = caller.post("runs/log-metric", point)
            with self._lock:
                if status == 200:
                    self.acknowledged += 1
                    self.served.append(time.monotonic())
                    self._points.add((caller.run_id, step))
                else:
                    self.failed[status] += 1
            if status != 200:
                time.sleep(0.2)
