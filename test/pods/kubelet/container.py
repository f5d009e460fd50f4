"""A container that runs, or has run."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from .sandbox import Sandbox

_NAMESPACES = ("--mount", "--pid", "--ipc", "--uts", "--net")


@dataclass(frozen=True)
class Ended:
    """What `kubectl describe pod` and `kubectl logs` tell of a container that ended."""

    name: str
    code: int
    seconds: float
    log: str
    termination_message: str

    @property
    def message(self) -> str:
        """Without the link to docs/errors.md."""
        return re.sub(r"(?m)^See https://\S+\n", "", self.termination_message)

    def __str__(self) -> str:
        how = f"ended with {self.code} after {self.seconds:.1f} s, message {self.termination_message!r}"
        return f"{self.name} {how}, log:\n{self.log}"


class Running:
    def __init__(
        self, name: str, sandbox: Sandbox, command: list[str], env: dict[str, str], log: Path
    ) -> None:
        self.name, self._sandbox, self._env, self._log = name, sandbox, env, log
        sandbox.termination_log.touch()
        sandbox.termination_log.chmod(0o666)
        self.started = time.monotonic()
        reader, writer = os.pipe()
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                sandbox.command(command, writer),
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                pass_fds=[writer],
                start_new_session=True,
            )
        os.close(writer)
        self._status = os.fdopen(reader)
        first = self._status.readline()
        self.pid = json.loads(first)["child-pid"] if first else 0
        self.ended: Ended | None = None
        while self.poll() is None and self._is_being_made():
            time.sleep(0.001)

    def log(self) -> str:
        return self._log.read_text(errors="replace")

    def poll(self) -> Ended | None:
        if self.ended is None and self._process.poll() is not None:
            self._status.close()
            seconds = time.monotonic() - self.started
            message = self._sandbox.termination_log.read_text(errors="replace")
            self.ended = Ended(self.name, self._exit_code(), seconds, self.log(), message)
        return self.ended

    def wait(self, seconds: float) -> Ended | None:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(seconds)
        return self.poll()

    def execute(self, command: list[str], seconds: float) -> int | None:
        """`kubectl exec`: the exit code, or None when the time is over."""
        inside = ["/usr/bin/nsenter", f"--target={self.pid}", *_NAMESPACES, "--"]
        words = [*inside, *self._sandbox.as_user(command)]
        quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        with contextlib.suppress(subprocess.TimeoutExpired):
            return subprocess.run(words, env=self._env, timeout=seconds, check=False, **quiet).returncode
        return None

    def signal(self, number: signal.Signals) -> None:
        """To the container's first process: one that it has no handler for does nothing, but SIGKILL."""
        if self.poll() is None and self.pid:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def _is_being_made(self) -> bool:
        """Still bubblewrap or setpriv: its mounts or its user may not be what they will be."""
        with contextlib.suppress(OSError):
            return Path(f"/proc/{self.pid}/comm").read_text().strip() in ("bwrap", "setpriv")
        return False

    def _exit_code(self) -> int:
        code = self._process.returncode
        return 128 - code if code < 0 else code
