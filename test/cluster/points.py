"""Runs in a pod of the cluster: clients that work until the file STOP is there, and what they saw, as JSON.

usage: points.py URL OPERATION=CLIENTS...      log-metric=8 search=1 create-model=1

Each request has a connection of its own, is given up after TIMEOUT, and is not tried again: after one that
failed, the client takes a breath of PAUSE and goes on with the next. In the end, each metric that was
acknowledged is read back.
"""

from __future__ import annotations

import http.client
import json
import sys
import threading
import time
import uuid
from collections import Counter
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

API = "/api/2.0/mlflow/"
STOP = Path("/tmp/stop")
TIMEOUT, PAUSE = 30.0, 0.2
PLACE = urlsplit(sys.argv[1])


def call(method: str, path: str, body: dict[str, Any] | None = None) -> tuple[str, str]:
    """The status, or the name of the exception, and the text."""
    connection = http.client.HTTPConnection(PLACE.hostname or "", PLACE.port, timeout=TIMEOUT)
    try:
        text = None if body is None else json.dumps(body)
        connection.request(method, API + path, text, {"Content-Type": "application/json"})
        response = connection.getresponse()
        return str(response.status), response.read().decode(errors="replace")
    except (OSError, http.client.HTTPException) as error:
        return type(error).__name__, str(error)
    finally:
        connection.close()


class Client(threading.Thread):
    """One operation after the other, in a run of its own."""

    def __init__(self, operation: str) -> None:
        super().__init__()
        self.operation = operation
        # When each request was sent and answered, and with what.
        self.answers: list[tuple[float, float, str, str]] = []
        self.acknowledged: set[int] = set()
        self.run_id = ""
        while not self.run_id:
            status, text = call("POST", "runs/create", {"experiment_id": "0", "start_time": 0})
            self.run_id = json.loads(text)["run"]["info"]["run_id"] if status == "200" else ""

    def run(self) -> None:
        step = 0
        while not STOP.exists():
            step += 1
            sent = time.monotonic()
            status, text = call("POST", *self.request(step))
            self.answers.append((sent, time.monotonic(), status, text))
            if status != "200":
                time.sleep(PAUSE)
            elif self.operation == "log-metric":
                self.acknowledged.add(step)

    def request(self, step: int) -> tuple[str, dict[str, Any]]:
        if self.operation == "log-metric":
            point = {"key": "point", "value": step, "timestamp": step, "step": step}
            return "runs/log-metric", {"run_id": self.run_id, **point}
        if self.operation == "search":
            return "runs/search", {"experiment_ids": ["0"], "max_results": 5}
        assert self.operation == "create-model", self.operation
        return "registered-models/create", {"name": f"model-{uuid.uuid4().hex}"}

    def missing(self) -> int:
        """Acknowledged points that the server does not have."""
        status, text = call("GET", f"metrics/get-history?run_id={self.run_id}&metric_key=point")
        assert status == "200", text
        points = {(int(each["step"]), each["value"]) for each in json.loads(text).get("metrics", [])}
        stored = {step for step, value in points if step == value}
        return len(self.acknowledged - stored)


def seen(clients: list[Client]) -> dict[str, Any]:
    """Of all clients of one operation."""
    answers = sorted(each for client in clients for each in client.answers)
    served = sorted(done for _, done, status, _ in answers if status == "200")
    failed = [each for each in answers if each[2] != "200"]
    texts = Counter(f"{status} {text[:100]}" for _, _, status, text in failed)
    return {
        "requests": len(answers),
        "failed": len(failed),
        # Seconds: the longest without an answer to anybody; from the first request that failed to the last.
        "gap": round(max((b - a for a, b in zip(served, served[1:])), default=0), 1),
        "failing": round(failed[-1][0] - failed[0][0], 1) if failed else 0,
        "failures": texts.most_common(5),
    }


def main() -> None:
    STOP.unlink(missing_ok=True)
    wanted = [each.split("=") for each in sys.argv[2:]]
    clients = {operation: [Client(operation) for _ in range(int(count))] for operation, count in wanted}
    everyone = [client for group in clients.values() for client in group]
    for client in everyone:
        client.start()
    while not all(client.answers for client in everyone):
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
