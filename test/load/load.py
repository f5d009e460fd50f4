#!/usr/bin/env python3
"""Load on a tracking server over plain HTTP, and what came of it, as one line of JSON.

    load.py http://host:5000 log-metric,log-batch,search --clients 16 --seconds 10 [--fresh]

`--fresh`: each request on a connection of its own, so that a refused or reset connection shows, too.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

from loading import Load, Operation
from tracking_api import Answer, Caller


def operation_of(name: str, experiment_id: str) -> Operation:
    def log_metric(caller: Caller, i: int) -> Answer:
        point = {"key": "m", "value": random.random(), "timestamp": now(), "step": i}
        return caller.post("runs/log-metric", {"run_id": caller.run_id, **point})

    def log_batch(caller: Caller, i: int) -> Answer:
        at = {"timestamp": now(), "step": i}
        metrics = [{"key": f"b{k}", "value": random.random(), **at} for k in range(100)]
        return caller.post("runs/log-batch", {"run_id": caller.run_id, "metrics": metrics})

    def search(caller: Caller, _: int) -> Answer:
        order = ["attributes.start_time DESC"]
        wanted = {"experiment_ids": [experiment_id], "max_results": 50, "order_by": order}
        return caller.post("runs/search", wanted)

    known = {"log-metric": log_metric, "log-batch": log_batch, "search": search}
    if name not in known:
        raise SystemExit(f"unknown operation {name}: one of {', '.join(known)}")
    return known[name]


def now() -> int:
    return int(time.time() * 1000)


def measure(url: str, name: str, clients: int, seconds: float, fresh: bool) -> dict[str, object]:
    created = Caller(url).post("experiments/create", {"name": f"load-{time.time_ns()}"})
    experiment_id = json.loads(created.text)["experiment_id"]
    callers = [Caller(url, fresh=fresh, experiment_id=experiment_id) for _ in range(clients)]
    load = Load(callers, [operation_of(name, experiment_id)], seconds)
    latencies = sorted(load.latencies)
    return {
        "operation": name,
        "requests": len(latencies),
        "failed": len(latencies) - load.codes[200],
        "per second": round(load.codes[200] / load.seconds, 1),
        "p50 ms": round(1000 * latencies[len(latencies) // 2]),
        "p95 ms": round(1000 * latencies[int(0.95 * len(latencies))]),
        "failures": load.texts.most_common(3),
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("url")
    parser.add_argument("operations")
    parser.add_argument("--clients", type=int, default=16)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--fresh", action="store_true")
    options = parser.parse_args()
    for name in options.operations.split(","):
        result = measure(options.url, name, options.clients, options.seconds, options.fresh)
        print(json.dumps(result, ensure_ascii=False), flush=True)


if __name__ == "__main__":
    main()
