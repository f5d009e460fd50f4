"""kubectl, and namespaces of our own."""

from __future__ import annotations

import json
import subprocess
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from settings import KEEP_NAMESPACES

MADE_BY_US = "cdk8s-mlflow-test"  # a label: what the test adds to a namespace besides the release


class Failed(AssertionError):
    """A command that ended with an error; the text holds all that it said."""


def run(*command: str, stdin: str | None = None, seconds: float = 300) -> str:
    done = subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=seconds)
    if done.returncode != 0:
        raise Failed(f"{' '.join(command)}: exit code {done.returncode}\n{done.stdout}\n{done.stderr}")
    return done.stdout


class Namespace:
    def __init__(self, name: str) -> None:
        self.name = name

    def kubectl(self, *args: str, stdin: str | None = None, seconds: float = 300) -> str:
        verb, *rest = args
        return run("kubectl", verb, "-n", self.name, *rest, stdin=stdin, seconds=seconds)

    def get(self, *args: str) -> Any:
        return json.loads(self.kubectl("get", *args, "-o", "json"))

    def pods(self, selector: dict[str, str]) -> list[dict[str, Any]]:
        labels = ",".join(f"{key}={value}" for key, value in selector.items())
        items: list[dict[str, Any]] = self.get("pods", "-l", labels)["items"]
        return [pod for pod in items if pod["status"].get("phase") not in ("Succeeded", "Failed")]

    def create(self, *objects: dict[str, Any]) -> None:
        """Objects of the test itself, with its label."""
        for item in objects:
            item["metadata"].setdefault("labels", {})[MADE_BY_US] = "true"
        bundle = {"apiVersion": "v1", "kind": "List", "items": list(objects)}
        self.kubectl("create", "-f", "-", stdin=json.dumps(bundle))

    def create_pod(self, name: str, image: str, uid: int, labels: dict[str, str] | None = None) -> None:
        """A pod that does nothing, to run commands in."""
        container = {
            "name": "main",
            "image": image,
            "command": ["sleep", "86400"],
            "env": [{"name": "HOME", "value": "/tmp"}],
            "resources": {"requests": {"cpu": "10m", "memory": "64Mi"}},
        }
        self.create(restricted_pod(name, container, uid, labels))
        self.kubectl("wait", "--for=condition=Ready", f"pod/{name}", "--timeout=600s", seconds=610)

    def everything(self) -> set[str]:
        """The name of each object in here, whatever its kind."""
        listed = run("kubectl", "api-resources", "--namespaced", "--verbs=list", "-o", "name").split()
        kinds = [kind for kind in listed if not kind.startswith("events") and "metrics.k8s.io" not in kind]
        return set(self.kubectl("get", ",".join(kinds), "-o", "name", "--ignore-not-found").split())


def restricted_pod(
    name: str, container: dict[str, Any], uid: int, labels: dict[str, str] | None = None
) -> dict[str, Any]:
    """A pod of one container that the "restricted" Pod Security Standard lets in."""
    rights = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
    ids = {"runAsUser": uid, "runAsGroup": uid, "fsGroup": uid, "runAsNonRoot": True}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "labels": dict(labels or {})},
        "spec": {
            "automountServiceAccountToken": False,
            # MLFLOW_PORT, which Kubernetes would make of a Service called mlflow, is a setting of MLflow.
            "enableServiceLinks": False,
            "terminationGracePeriodSeconds": 1,
            "securityContext": {**ids, "seccompProfile": {"type": "RuntimeDefault"}},
            "containers": [{**container, "securityContext": rights}],
        },
    }


@contextmanager
def new_namespace(purpose: str, standard: str = "restricted") -> Iterator[Namespace]:
    """`kubectl create` fails where the namespace exists: what goes away in the end was made here."""
    name = f"cdk8s-mlflow-test-{purpose}-{uuid.uuid4().hex[:6]}"
    labels = {MADE_BY_US: "true", "pod-security.kubernetes.io/enforce": standard}
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}
    run("kubectl", "create", "-f", "-", stdin=json.dumps(namespace))
    try:
        yield Namespace(name)
    finally:
        if not KEEP_NAMESPACES:
            run("kubectl", "delete", "namespace", name, "--timeout=300s", seconds=310)
