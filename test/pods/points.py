"""Clients that log points which nobody logs twice, to find each again that was acknowledged."""

from __future__ import annotations

import threading
import time
from collections import Counter

from kubelet.pod import Pod
from load import Caller
from postgres import Postgres
from test_outage import wait_until

CLIENTS = 8


class Points:
    """Each client logs one metric after the other into a run of its own, and none a second time."""

    def __init__(self, pod: Pod) -> None:
        self.acknowledged, self.served, self.failed = 0, [time.monotonic()], Counter[int]()
        self._stop, self._lock = threading.Event(), threading.Lock()
        self._points: set[tuple[str, int]] = set()
        self._threads = [
            threading.Thread(target=self._work, args=(Caller(pod.address),), daemon=True)
            for _ in range(CLIENTS)
        ]
        for thread in self._threads:
            thread.start()

    def wait_for_more(self, each: int = 3) -> None:
        """Until as many more points are acknowledged, for each client."""
        wanted = self.acknowledged + CLIENTS * each
        wait_until(lambda: self.acknowledged >= wanted, 120)

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
