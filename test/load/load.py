#!/usr/bin/env python3
"""Load on a tracking server over plain HTTP, and what came of it, as one line of JSON.

    load.py http://host:5000 log-metric,log-batch,search --clients 16 --seconds 10 [--fresh]

No client library that tries again and hides what the server answered. `--fresh`: each request on a connection of its
own, so that a refused or reset connection shows, too.
"""

from __future__ import annotations

import argparse
import http.client
import json
import random
import threading
import time
from collections import Counter
from urllib.parse import urlsplit

API = "/api/2.0/mlflow/"


class Client:
    def __init__(self, url: str, fresh: bool) -> None:
        self._place, self._fresh = urlsplit(url), fresh
        self._connection: http.client.HTTPConnection | None = None

    def post(self, path: str, body: dict[str, object]) -> tuple[int | str, str]:
        try:
            connection = self._connection or self._connect()
            connection.request("POST", API + path, json.dumps(body), {"Content-Type": "application/json"})
            response = connection.getresponse()
            answer: tuple[int | str, str] = response.status, response.read().decode(errors="replace")
        except (OSError, http.client.HTTPException) as error:
            answer = type(error).__name__, str(error)
            self._connection = None
        if self._fresh and self._connection is not None:
            self._connection.close()
            self._connection = None
        return answer

    def _connect(self) -> http.client.HTTPConnection:
        self._connection = http.client.HTTPConnection(self._place.hostname, self._place.port, timeout=120)
        return self._connection


def body(operation: str, run_id: str, experiment_id: str, i: int) -> tuple[str, dict[str, object]]:
    now = int(time.time() * 1000)
    if operation == "log-metric":
        return "runs/log-metric", {"run_id": run_id, "key": "m", "value": random.random(), "timestamp": now, "step": i}
    if operation == "log-batch":
        metrics = [{"key": f"b{k}", "value": random.random(), "timestamp": now, "step": i} for k in range(100)]
        return "runs/log-batch", {"run_id": run_id, "metrics": metrics}
    if operation == "search":
        order = ["attributes.start_time DESC"]
        return "runs/search", {"experiment_ids": [experiment_id], "max_results": 50, "order_by": order}
    raise SystemExit(f"unknown operation {operation}")


def measure(url: str, operation: str, clients: int, seconds: float, fresh: bool) -> dict[str, object]:
    setup = Client(url, fresh=False)
    experiment_id = json.loads(setup.post("experiments/create", {"name": f"load-{time.time_ns()}"})[1])["experiment_id"]
    runs = [setup.post("runs/create", {"experiment_id": experiment_id, "start_time": 0}) for _ in range(clients)]
    codes: Counter[str] = Counter()
    latencies: list[float] = []
    texts: Counter[str] = Counter()
    lock = threading.Lock()
    until = time.monotonic() + seconds

    def work(run_id: str) -> None:
        client, i = Client(url, fresh), 0
        while time.monotonic() < until:
            began, i = time.monotonic(), i + 1
            code, text = client.post(*body(operation, run_id, experiment_id, i))
            with lock:
                latencies.append(time.monotonic() - began)
                codes[str(code)] += 1
                if code != 200:
                    texts[f"{code} {text[:100]}"] += 1

    threads = [threading.Thread(target=work, args=(json.loads(text)["run"]["info"]["run_id"],)) for _, text in runs]
    began = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    latencies.sort()
    return {
        "operation": operation,
        "requests": len(latencies),
        "failed": len(latencies) - codes["200"],
        "per second": round(codes["200"] / (time.monotonic() - began), 1),
        "p50 ms": round(1000 * latencies[len(latencies) // 2]),
        "p95 ms": round(1000 * latencies[int(0.95 * len(latencies))]),
        "failures": texts.most_common(3),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("url")
    parser.add_argument("operations")
    parser.add_argument("--clients", type=int, default=16)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--fresh", action="store_true")
    options = parser.parse_args()
    for operation in options.operations.split(","):
        result = measure(options.url, operation, options.clients, options.seconds, options.fresh)
        print(json.dumps(result, ensure_ascii=False), flush=True)


if __name__ == "__main__":
    main()
