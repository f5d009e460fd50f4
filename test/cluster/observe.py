"""Runs in a pod of the cluster: clients that work until the file STOP is there, and what they saw, as JSON.

usage: observe.py URL PAUSE OPERATION=CLIENTS...      log-metric=8 search=1 create-model=1

PAUSE: seconds of each client between two requests.
MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD: the login, if the server asks for one.

Each request has a connection of its own, is given up after TIMEOUT, and is not tried again: after one that
failed, the client takes a breath and goes on with the next. In the end, each metric that was acknowledged is
read back.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

from points import Client
from tracking_api import Caller

STOP = Path("/tmp/stop")
TIMEOUT = 30.0


def login() -> tuple[str, str] | None:
    name = os.environ.get("MLFLOW_TRACKING_USERNAME")
    return (name, os.environ["MLFLOW_TRACKING_PASSWORD"]) if name else None


def new_client(url: str, operation: str, pause: float) -> Client:
    while True:
        try:
            caller = Caller(url, fresh=True, timeout=TIMEOUT, user=login())
            return Client(caller, operation, STOP.exists, pause)
        except AssertionError:
            continue


def seen(clients: list[Client]) -> dict[str, Any]:
    """Of all clients of one operation."""
    done = sorted(each for client in clients for each in client.done)
    served = sorted(each.answered for each in done if each.answer.status == 200)
    failed = [each for each in done if each.answer.status != 200]
    texts = Counter(str(each.answer)[:100] for each in failed)
    return {
        "requests": len(done),
        "failed": len(failed),
        # Seconds: the longest without an answer to anybody; from the first request that failed to the last.
        "gap": round(max((b - a for a, b in zip(served, served[1:])), default=0), 1),
        "failing": round(failed[-1].sent - failed[0].sent, 1) if failed else 0,
        "failures": texts.most_common(5),
    }


def main() -> None:
    STOP.unlink(missing_ok=True)
    url, pause, *wanted = sys.argv[1:]
    clients: dict[str, list[Client]] = {}
    for operation, count in (each.split("=") for each in wanted):
        clients[operation] = [new_client(url, operation, float(pause)) for _ in range(int(count))]
    everyone = [client for group in clients.values() for client in group]
    for client in everyone:
        client.start()
    while not all(client.done for client in everyone):
        time.sleep(0.1)
    print("started", flush=True)
    for client in everyone:
        client.join()
    result = {operation: seen(group) for operation, group in clients.items()}
    acknowledged = sum(len(client.acknowledged) for client in everyone)
    missing = sum(client.missing() for client in everyone if client.acknowledged)
    print(json.dumps({**result, "acknowledged": acknowledged, "missing": missing}))


if __name__ == "__main__":
    main()
