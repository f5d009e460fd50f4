"""kill -9 from outside: a container's first process is safe from signals that are sent inside of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from cluster import Namespace, new_namespace
from settings import MLFLOW_IMAGE

NAME = "killer"
PROGRAM = """
import os, pathlib, re, sys
for process in pathlib.Path("/proc").glob("[0-9]*"):
    try:
        ours = sys.argv[1] in (process / "cgroup").read_text()
        first = ours and re.search(r"^NSpid:.*\\s1$", (process / "status").read_text(), re.MULTILINE)
    except OSError:
        continue
    if first:
        os.kill(int(process.name), 9)
        print("killed")
"""


class Killer:
    """A pod that sees all processes of its node, in a namespace that lets it."""

    def __init__(self, namespace: Namespace) -> None:
        self._namespace = namespace

    def prepare(self, pod: dict[str, Any]) -> str:
        """The name of the killer on the pod's node: made now, before a clock runs."""
        node = pod["spec"]["nodeName"]
        name = f"{NAME}-{node}"
        if f"pod/{name}" not in self._namespace.kubectl("get", "pods", "-o", "name").split():
            self._start(name, node)
        return name

    def kill(self, pod: dict[str, Any], container: str) -> None:
        """With its first process, the kernel kills all others of the container."""
        [status] = [each for each in pod["status"]["containerStatuses"] if each["name"] == container]
        container_id = status["containerID"].rpartition("//")[2]
        python = ["exec", "-i", self.prepare(pod), "--", "python", "-", container_id]
        assert self._namespace.kubectl(*python, stdin=PROGRAM) == "killed\n"

    def _start(self, name: str, node: str) -> None:
        container = {"name": "main", "image": MLFLOW_IMAGE, "command": ["sleep", "86400"]}
        container["securityContext"] = {"runAsUser": 0}
        spec = {
            "nodeName": node,
            "hostPID": True,
            "containers": [container],
            "terminationGracePeriodSeconds": 1,
        }
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec}
        self._namespace.create(pod)
        self._namespace.kubectl("wait", "--for=condition=Ready", f"pod/{name}", "--timeout=600s", seconds=610)


@contextmanager
def new_killer() -> Iterator[Killer]:
    with new_namespace(NAME, standard="privileged") as namespace:
        yield Killer(namespace)
