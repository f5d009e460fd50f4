"""Clients that log points into a pod, in the background."""

from __future__ import annotations

import threading
import time
from collections import Counter

from kubelet.pod import Pod
from points import Client
from tracking import url_of
from tracking_api import Caller
from waiting import eventually

CLIENTS = 8


class LoggingClients:
    def __init__(self, pod: Pod) -> None:
        self._stop, self._since = threading.Event(), 0.0
        self._clients = [Client(Caller(url_of(pod)), "log-metric", self._stop.is_set) for _ in range(CLIENTS)]
        for client in self._clients:
            client.start()

    @property
    def acknowledged(self) -> int:
        return sum(len(client.acknowledged) for client in self._clients)

    @property
    def failed(self) -> Counter[int]:
        """By status, since the start or `forget_failures`."""
        done = [each for client in self._clients for each in list(client.done)]
        return Counter(
            each.answer.status for each in done if each.answered > self._since and each.answer.status != 200
        )

    def forget_failures(self) -> None:
        self._since = time.monotonic()

    def served_after(self, moment: float) -> float:
        """When somebody was served for the first time after this moment."""
        done = [each for client in self._clients for each in list(client.done)]
        return min(each.answered for each in done if each.answered > moment and each.answer.status == 200)

    def wait_for_more(self, each: int = 3) -> None:
        """Until as many more points are acknowledged, for each client."""
        wanted = self.acknowledged + CLIENTS * each
        eventually(lambda: self.acknowledged >= wanted, f"{wanted} points acknowledged", 120)

    def stop(self) -> None:
        self._stop.set()
        for client in self._clients:
            client.join(120)

    def missing(self) -> int:
        """Points that were acknowledged, and that the server does not have."""
        return sum(client.missing() for client in self._clients)
