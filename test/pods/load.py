"""Many clients at once, over plain HTTP: nothing tries again and hides what a server answered."""

from __future__ import annotations

import base64
import http.client
import itertools
import json
import threading
import time
from collections import Counter
from collections.abc import Callable

API = "/api/2.0/mlflow/"
Operation = Callable[["Caller", int], tuple[int, str]]


class Caller:
    """One client, with a connection that it keeps and a run of its own."""

    def __init__(self, address: str, timeout: float = 120, user: tuple[str, str] | None = None) -> None:
        self._headers = {"Content-Type": "application/json"}
        if user:
            token = base64.b64encode(":".join(user).encode()).decode()
            self._headers["Authorization"] = f"Basic {token}"
        self._connection = http.client.HTTPConnection(address, 5000, timeout=timeout)
        self.model = f"model-{id(self)}"
        created = self.post("runs/create", {"experiment_id": "0", "start_time": 0})
        self.run_id = json.loads(created[1])["run"]["info"]["run_id"]
        self._connection.close()  # the server closes what is idle for 5 s, perhaps under the next request

    def post(self, path: str, body: dict[str, object]) -> tuple[int, str]:
        return self._call("POST", API + path, json.dumps(body))

    def get(self, path: str) -> tuple[int, str]:
        return self._call("GET", API + path, None)

    def _call(self, method: str, path: str, body: str | None) -> tuple[int, str]:
        try:
            self._connection.request(method, path, body, self._headers)
            response = self._connection.getresponse()
            return response.status, response.read().decode(errors="replace")
        except OSError as error:
            self._connection.close()
            return 0, repr(error)


def log_batch(caller: Caller, i: int) -> tuple[int, str]:
    """Holds one database connection while it asks for a second."""
    metrics = [{"key": f"m{k}", "value": k, "timestamp": i, "step": i} for k in range(20)]
    return caller.post("runs/log-batch", {"run_id": caller.run_id, "metrics": metrics})


def create_model(caller: Caller, i: int) -> tuple[int, str]:
    """Uses the engine of the model registry."""
    return caller.post("registered-models/create", {"name": f"{caller.model}-{i}"})


def search(caller: Caller, _: int) -> tuple[int, str]:
    return caller.post("runs/search", {"experiment_ids": ["0"], "max_results": 5})


class Load:
    """Runs operations in turn, a thread for each caller, for some seconds. Counts what came back."""

    def __init__(self, callers: list[Caller], operations: list[Operation], seconds: float) -> None:
        self.codes: Counter[int] = Counter()
        self.texts: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._until = time.monotonic() + seconds
        threads = [threading.Thread(target=self._work, args=(caller, operations)) for caller in callers]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _work(self, caller: Caller, operations: list[Operation]) -> None:
        for i in itertools.count():
            if time.monotonic() > self._until:
                return
            code, text = operations[i % len(operations)](caller, i)
            with self._lock:
                self.codes[code] += 1
                if code != 200:
                    self.texts[text[:200]] += 1


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
