"""Probes, with the periods and thresholds of the pod."""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
import time
from collections.abc import Callable

from .container import Running
from .template import Container, Probe

_ANY_CERTIFICATE = ssl._create_unverified_context()  # as the kubelet does


def probe_once(probe: Probe, container: Container, running: Running, address: str) -> bool:
    if probe.command:
        return running.execute(probe.command, probe.timeout) == 0
    port = container.ports[probe.port] if isinstance(probe.port, str) else int(probe.port)
    if probe.path is None:
        return _listens(address, port, probe.timeout)
    connection = (
        http.client.HTTPSConnection(address, port, timeout=probe.timeout, context=_ANY_CERTIFICATE)
        if probe.tls
        else http.client.HTTPConnection(address, port, timeout=probe.timeout)
    )
    try:
        connection.request("GET", probe.path, headers={"User-Agent": "kube-probe/1.34", "Accept": "*/*"})
        return 200 <= connection.getresponse().status < 400
    except OSError:
        return False
    except http.client.HTTPException:
        return False
    finally:
        connection.close()


def _listens(address: str, port: int, timeout: int) -> bool:
    try:
        socket.create_connection((address, port), timeout).close()
        return True
    except OSError:
        return False


class ProbeLoop:
    """Probes until `stop` is set, and tells each change of the verdict."""

    def __init__(self, probe: Probe, once: Callable[[], bool], stop: threading.Event) -> None:
        self._probe, self._once, self._stop = probe, once, stop

    def verdicts(self, start: bool | None, tell: Callable[[bool], bool]) -> None:
        """`tell` returns whether to go on."""
        verdict, successes, failures = start, 0, 0
        if self._stop.wait(self._probe.initial_delay):
            return
        while True:
            began = time.monotonic()
            if self._once():
                successes, failures = successes + 1, 0
            else:
                successes, failures = 0, failures + 1
            now = verdict
            if successes >= self._probe.success_threshold:
                now = True
            elif failures >= self._probe.failure_threshold:
                now = False
            if now != verdict:
                verdict = now
                if not tell(bool(now)):
                    return
            if self._stop.wait(max(0.0, began + self._probe.period - time.monotonic())):
                return
