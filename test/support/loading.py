"""Many clients at once, and what came back."""

from __future__ import annotations

import itertools
import threading
import time
from collections import Counter
from collections.abc import Sequence
from typing import Callable

from tracking_api import Answer, Caller

Operation = Callable[[Caller, int], Answer]


def log_batch(caller: Caller, i: int) -> Answer:
    """Holds one database connection while it asks for a second."""
    metrics = [{"key": f"m{k}", "value": k, "timestamp": i, "step": i} for k in range(20)]
    return caller.post("runs/log-batch", {"run_id": caller.run_id, "metrics": metrics})


def create_model(caller: Caller, i: int) -> Answer:
    """Uses the engine of the model registry."""
    return caller.post("registered-models/create", {"name": f"model-{caller.run_id}-{i}"})


def search(caller: Caller, _: int) -> Answer:
    return caller.post("runs/search", {"experiment_ids": ["0"], "max_results": 5})


class Load:
    """Runs operations in turn, a thread for each caller, for some seconds. Counts what came back."""

    def __init__(self, callers: Sequence[Caller], operations: Sequence[Operation], seconds: float) -> None:
        self.codes: Counter[int] = Counter()
        self.texts: Counter[str] = Counter()
        self.latencies: list[float] = []
        self._lock = threading.Lock()
        began = time.monotonic()
        self._until = began + seconds
        threads = [threading.Thread(target=self._work, args=(caller, operations)) for caller in callers]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.seconds = time.monotonic() - began

    def _work(self, caller: Caller, operations: Sequence[Operation]) -> None:
        for i in itertools.count():
            began = time.monotonic()
            if began > self._until:
                return
            answer = operations[i % len(operations)](caller, i)
            with self._lock:
                self.latencies.append(time.monotonic() - began)
                self.codes[answer.status] += 1
                if answer.status != 200:
                    self.texts[str(answer)[:200]] += 1


class Sampler:
    """The most connections of a client that PostgreSQL saw at once."""

    def __init__(self, count: Callable[[], int]) -> None:
        self.most = 0
        self._count, self._stop = count, threading.Event()
        self._thread = threading.Thread(target=self._work, daemon=True)

    def __enter__(self) -> Sampler:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _work(self) -> None:
        while not self._stop.wait(0.05):
            self.most = max(self.most, self._count())
