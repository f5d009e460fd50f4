"""A pod: init containers in order, containers with their probes, and an end like the kubelet's."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from .container import Ended, Running
from .probes import ProbeLoop, probe_once
from .template import Container, Probe, Template

Start = Callable[[Container], Running]


class PodFailed(AssertionError):
    """A container ended that should not have, or a probe gave up on it."""


@dataclass(frozen=True)
class Stopped:
    """How the containers of a deleted pod ended."""

    seconds: float
    killed: bool
    ended: list[Ended]
    # They stop after all others, the last that was started first.
    sidecars: list[Ended]


class Pod:
    """Nothing is restarted: what the kubelet would restart is a failure here, with its cause."""

    def __init__(self, name: str, template: Template, address: str, start: Start) -> None:
        self.name, self.template, self.address = name, template, address
        self.init: list[Ended] = []
        self.initialized = False
        self.running: list[Running] = []
        self.sidecars: list[Running] = []
        self.failure = ""
        self.ready_changes: list[tuple[float, bool]] = []
        self._ready: dict[str, bool] = {}
        self._start, self._stop, self._changed = start, threading.Event(), threading.Condition()
        self._current: Running | None = None
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    @property
    def ready(self) -> bool:
        ready = len(self._ready) == len(self.template.containers) and all(self._ready.values())
        return ready and not self.failure and not self._stop.is_set()

    def wait_ready(self, seconds: float = 180) -> Pod:
        self._wait(lambda: self.ready, seconds, "ready")
        return self

    def wait_unready(self, seconds: float) -> None:
        self._wait(lambda: not self.ready, seconds, "out of the Service")

    def wait_init(self, seconds: float) -> list[Ended]:
        """The init containers that ended: all of them, or up to the first that failed."""
        self._wait(lambda: self.initialized, seconds, "past its init containers", tolerate_failure=True)
        return self.init

    def wait_completed(self, seconds: float) -> list[Ended]:
        """For a Job: until all containers have ended, well or not."""
        self._wait(
            lambda: bool(self.running) and all(each.poll() for each in self.running), seconds, "completed"
        )
        self._end_sidecars(time.monotonic())
        return [each.ended for each in [*self.running, *self.sidecars] if each.ended]

    def wait_for_line(self, text: str, seconds: float = 60) -> None:
        """Until an init container or the container that runs last has said it."""
        deadline = time.monotonic() + seconds
        while all(text not in log for log in [*(each.log for each in self.init), self.current_log()]):
            if self.failure or time.monotonic() > deadline:
                raise PodFailed(
                    f"pod {self.name} has not said {text!r}: {self.failure or self.current_log()}"
                )
            time.sleep(0.05)

    def current_log(self) -> str:
        """The log of the container that runs last."""
        return self._current.log() if self._current else ""

    def kill(self) -> None:
        """As a node that goes down: no preStop, no SIGTERM."""
        self._stop.set()
        for each in [self._current, *self.running, *self.sidecars]:
            if each is not None:
                each.signal(signal.SIGKILL)
                each.wait(30)

    def delete(self) -> Stopped:
        """preStop, SIGTERM, and SIGKILL when the grace period is over. Not ready from the first moment."""
        began = time.monotonic()
        self._stop.set()
        self._notify()
        stopping = [each for each in self.running or [self._current] if each is not None]
        killed = [False] * len(stopping)
        threads = [
            threading.Thread(target=self._end, args=(each, began, killed, i))
            for i, each in enumerate(stopping)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        late = self._end_sidecars(began)
        ended = [each.ended for each in stopping if each.ended]
        of_sidecars = [each.ended for each in self.sidecars if each.ended]
        return Stopped(time.monotonic() - began, any([*killed, *late]), ended, of_sidecars)

    def _end_sidecars(self, began: float) -> list[bool]:
        self._stop.set()
        killed = [False] * len(self.sidecars)
        for i in reversed(range(len(self.sidecars))):
            self._end(self.sidecars[i], began, killed, i)
        return killed

    def _end(self, running: Running, began: float, killed: list[bool], i: int) -> None:
        grace = self.template.grace
        container = next((each for each in self.template.containers if each.name == running.name), None)
        if container is not None and container.pre_stop and running.poll() is None:
            running.execute(container.pre_stop, grace)
        running.signal(signal.SIGTERM)
        if running.wait(max(2.0, began + grace - time.monotonic())) is None:
            killed[i] = True
            running.signal(signal.SIGKILL)
            running.wait(30)

    def _run(self) -> None:
        try:
            self._run_containers()
        except Exception as error:
            self._fail(f"{type(error).__name__}: {error}")

    def _run_containers(self) -> None:
        for container in self.template.init_containers:
            if self._stop.is_set():
                return
            if container.is_sidecar:
                if not self._start_sidecar(container):
                    return
                continue
            self._current = self._start(container)
            while self._current.wait(0.05) is None:
                pass
            ended = self._current.ended
            assert ended is not None
            self.init.append(ended)
            if ended.code != 0:
                self._fail(str(ended))
                return
        if self._stop.is_set():
            return
        self.initialized = True
        running = [self._start(container) for container in self.template.containers]
        self._current = running[-1] if running else self._current
        self.running = running
        self._notify()
        for container, each in zip(self.template.containers, running, strict=True):
            threading.Thread(target=self._supervise, args=(container, each), daemon=True).start()

    def _start_sidecar(self, container: Container) -> bool:
        """Whether it is started, which the containers after it wait for."""
        sidecar = self._start(container)
        self.sidecars.append(sidecar)
        return not container.startup or self._starts(container, sidecar)

    def _starts(self, container: Container, running: Running) -> bool:
        outcome: list[bool] = []
        assert container.startup
        self._loop(container.startup, container, running, None, lambda good: outcome.append(good) or False)
        if outcome == [False]:
            self._fail(f"{container.name}: the startup probe gave up, log:\n{running.log()}")
        return outcome == [True]

    def _supervise(self, container: Container, running: Running) -> None:
        if container.startup and not self._starts(container, running):
            return
        for probe, start, tell in (
            (container.readiness, False, lambda good: self._set_ready(container.name, good)),
            (container.liveness, True, lambda good: good or self._fail(f"{container.name}: not alive")),
        ):
            if probe:
                threading.Thread(
                    target=self._loop, args=(probe, container, running, start, tell), daemon=True
                ).start()
        if not container.readiness:
            self._set_ready(container.name, True)

    def _loop(
        self,
        probe: Probe,
        container: Container,
        running: Running,
        start: bool | None,
        tell: Callable[[bool], bool],
    ) -> None:
        ProbeLoop(probe, lambda: probe_once(probe, container, running, self.address), self._stop).verdicts(
            start, tell
        )

    def _set_ready(self, container: str, good: bool) -> bool:
        self._ready[container] = good
        self.ready_changes.append((time.monotonic(), good))
        self._notify()
        return True

    def _fail(self, text: str) -> bool:
        self.failure = self.failure or text
        self._notify()
        return False

    def _notify(self) -> None:
        with self._changed:
            self._changed.notify_all()

    def _wait(
        self, condition: Callable[[], bool], seconds: float, what: str, tolerate_failure: bool = False
    ) -> None:
        deadline = time.monotonic() + seconds
        with self._changed:
            while not condition():
                if self.failure:
                    if tolerate_failure:
                        return
                    raise PodFailed(f"pod {self.name}: {self.failure}")
                self._check_alive(what)
                if time.monotonic() > deadline:
                    late = f"pod {self.name} is not {what} after {seconds} s"
                    raise PodFailed(f"{late}, log:\n{self.current_log()}")
                self._changed.wait(0.1)

    def _check_alive(self, what: str) -> None:
        if what == "completed" or self._stop.is_set():
            return
        for each in [*self.running, *self.sidecars]:
            if each.poll() is not None:
                raise PodFailed(f"pod {self.name}: {each.ended}")
