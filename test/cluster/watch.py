"""What clients see while something happens to the servers that they use."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cluster import Namespace
from release import CLIENT

HERE = Path(__file__).resolve().parent
MODULES = {name: (HERE.parent / "support" / f"{name}.py").read_text() for name in ("tracking_api", "points")}
# One program for `python -`, with the modules that it imports in it.
PROGRAM = f"""
import sys, types
for name, text in {MODULES!r}.items():
    sys.modules[name] = types.ModuleType(name)
    exec(compile(text, name, "exec"), vars(sys.modules[name]))
exec(compile({(HERE / "observe.py").read_text()!r}, "observe", "exec"))
"""
FIGURES: list[str] = []


class Watch:
    """Clients that work as long as the `with` lasts, in the pod `client`; observe.py says how.

    `ca`: a file of the pod, with the certificate of the CA that clients of an https `url` trust.
    `login`: variables with the login of the clients.
    """

    def __init__(
        self,
        namespace: Namespace,
        title: str,
        url: str = "http://mlflow:5000",
        pause: float = 0,
        ca: str = "",
        login: Sequence[str] = (),
        **clients: int,
    ) -> None:
        self.seen: dict[str, Any] = {}
        self._url, self._pause = url, pause
        self._env = [*login, *([f"SSL_CERT_FILE={ca}"] if ca else [])]
        self._namespace, self._title = namespace, title
        self._operations = [f"{name.replace('_', '-')}={count}" for name, count in clients.items()]

    def __enter__(self) -> Watch:
        command = ["kubectl", "exec", "-i", "-n", self._namespace.name, CLIENT, "--"]
        self._process = subprocess.Popen(
            [
                *command,
                "env",
                *self._env,
                "python",
                "-u",
                "-",
                self._url,
                f"{self._pause:g}",
                *self._operations,
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write(PROGRAM)
        self._process.stdin.close()
        if self._process.stdout.readline() != "started\n":
            raise AssertionError(self._process.communicate()[1])
        time.sleep(3)  # of undisturbed work
        return self

    def __exit__(self, *_: object) -> None:
        time.sleep(5)  # of undisturbed work
        self._namespace.kubectl("exec", CLIENT, "--", "touch", "/tmp/stop")
        assert self._process.stdout and self._process.stderr
        answer, errors = self._process.stdout.read(), self._process.stderr.read()
        assert self._process.wait(300) == 0, errors
        self.seen = json.loads(answer)
        FIGURES.append(f"{self._title}: {json.dumps(self.seen)}")
