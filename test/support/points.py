"""Clients that work until they are stopped, and send nothing twice: what was acknowledged has to be there."""

from __future__ import annotations

import json
import threading
import time
from typing import Any, Callable, NamedTuple

from tracking_api import Answer, Caller

PAUSE = 0.2  # seconds, after a request that failed


class Done(NamedTuple):
    """A request, by when it was sent and answered."""

    sent: float
    answered: float
    answer: Answer


class Client(threading.Thread):
    """One operation after the other: `log-metric`, `search` or `create-model`. `pause`: seconds between."""

    def __init__(
        self, caller: Caller, operation: str, is_stopped: Callable[[], bool], pause: float = 0
    ) -> None:
        super().__init__(daemon=True)
        self.operation = operation
        self.done: list[Done] = []
        self.acknowledged: set[int] = set()  # the steps of points
        self._caller, self._is_stopped, self._pause = caller, is_stopped, pause

    def run(self) -> None:
        step = 0
        while not self._is_stopped():
            step += 1
            sent = time.monotonic()
            answer = self._caller.post(*self._request(step))
            self.done.append(Done(sent, time.monotonic(), answer))
            if answer.status != 200:
                time.sleep(PAUSE)
            elif self.operation == "log-metric":
                self.acknowledged.add(step)
            time.sleep(self._pause)
        self._caller.disconnect()

    def missing(self) -> int:
        """Points that were acknowledged, and that the server does not have."""
        answer = self._caller.get(f"metrics/get-history?run_id={self._caller.run_id}&metric_key=point")
        assert answer.status == 200, answer
        points = {(int(each["step"]), each["value"]) for each in json.loads(answer.text).get("metrics", [])}
        return len(self.acknowledged - {step for step, value in points if step == value})

    def _request(self, step: int) -> tuple[str, dict[str, Any]]:
        if self.operation == "log-metric":
            point = {"key": "point", "value": step, "timestamp": step, "step": step}
            return "runs/log-metric", {"run_id": self._caller.run_id, **point}
        if self.operation == "search":
            return "runs/search", {"experiment_ids": ["0"], "max_results": 5}
        assert self.operation == "create-model", self.operation
        return "registered-models/create", {"name": f"model-{self._caller.run_id}-{step}"}
