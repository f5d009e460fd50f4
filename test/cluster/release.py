"""An example in a namespace of its own, from `kubectl apply` on."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import stand_in
from cluster import Failed, Namespace, new_namespace
from repository import ROOT
from settings import CLUSTER_DOMAIN, MLFLOW_IMAGE, READY_SECONDS
from waiting import eventually

from examples import ADMINISTRATOR, ADMINISTRATOR_PASSWORD, Example, manifest_for

CLIENT = "client"
CLIENT_PROGRAM = (Path(__file__).parent / "client.py").read_text()
REMOVAL = re.compile(r"^kubectl delete -n mlflow -f dist/mlflow.k8s.yaml -l '(.+)'$", re.MULTILINE)


class Release:
    def __init__(self, example: Example, namespace: Namespace, directory: Path) -> None:
        self.example = example
        self.namespace = namespace
        self.manifest = manifest_for(example, directory, namespace.name)
        self.before: set[str] = set()
        self.seconds_to_ready = 0.0

    def start(self) -> None:
        self.before = self.namespace.everything()
        started = time.monotonic()
        self.apply()
        self.wait_for_rollout()
        self.seconds_to_ready = time.monotonic() - started

    def apply(self, *options: str) -> str:
        return self.namespace.kubectl("apply", *options, "-f", "-", stdin=self.manifest)

    def state(self) -> dict[str, str]:
        """What changes when an object of the release does, other than in its status; and the pods."""
        found = json.loads(self.namespace.kubectl("get", "-f", "-", "-o", "json", stdin=self.manifest))
        objects = [*found["items"], *self.namespace.get("pods")["items"]]
        names = [f"{each['kind']}/{each['metadata']['name']}" for each in objects]
        specs = [{key: each[key] for key in each if key not in ("metadata", "status")} for each in objects]
        return {name: json.dumps(spec, sort_keys=True) for name, spec in zip(names, specs)}

    def wait_for_rollout(self) -> None:
        for workload in [*self.namespace.get("statefulsets")["items"], *self.servers()]:
            name = f"{workload['kind'].lower()}/{workload['metadata']['name']}"
            limit = f"--timeout={READY_SECONDS:g}s"
            try:
                self.namespace.kubectl("rollout", "status", name, limit, seconds=READY_SECONDS + 10)
            except Failed as error:
                raise Failed(f"{error}\n{self.namespace.kubectl('describe', 'pods')}") from None

    def servers(self) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = self.namespace.get("deployments")["items"]
        return items

    def pods_of(self, server: dict[str, Any]) -> list[dict[str, Any]]:
        return self.namespace.pods(server["spec"]["selector"]["matchLabels"])

    def settled(self, server: dict[str, Any]) -> bool:
        """As many pods as there should be, all ready, none on its way out."""
        pods = self.pods_of(server)
        return len(pods) == server["spec"]["replicas"] and all(map(is_ready, pods))

    def wait_until_settled(self) -> None:
        for server in self.servers():
            name = server["metadata"]["name"]
            eventually(lambda server=server: self.settled(server), f"{name} has settled", READY_SECONDS)

    def urls_of(self, server: dict[str, Any]) -> list[str]:
        """Each name that a Service has inside the cluster, the short one and the full one first."""
        name, namespace = server["metadata"]["name"], self.namespace.name
        hosts = [
            name,
            f"{name}.{namespace}.svc.{CLUSTER_DOMAIN}",
            f"{name}.{namespace}",
            f"{name}.{namespace}.svc",
        ]
        return [f"http://{host}:5000" for host in hosts]

    def client(self, *args: str) -> str:
        command = ["env", *self.login(), "python", "-", *args]
        return self.namespace.kubectl("exec", "-i", CLIENT, "--", *command, stdin=CLIENT_PROGRAM)

    def login(self) -> list[str]:
        """The environment of a client that has to log in."""
        if self.example.auth_secret is None:
            return []
        return [
            f"MLFLOW_TRACKING_USERNAME={ADMINISTRATOR}",
            f"MLFLOW_TRACKING_PASSWORD={ADMINISTRATOR_PASSWORD}",
        ]

    def log_run(self, url: str) -> str:
        return self.client("write", url).rsplit("run_id=", maxsplit=1)[1].strip()

    def remove(self) -> None:
        """docs/operations.md: "Remove everything but the data"."""
        [selector] = REMOVAL.findall((ROOT / "docs" / "operations.md").read_text())
        self.namespace.kubectl("delete", "-f", "-", "-l", selector, stdin=self.manifest)


def is_ready(pod: dict[str, Any]) -> bool:
    conditions = {each["type"]: each["status"] for each in pod["status"].get("conditions", [])}
    return "deletionTimestamp" not in pod["metadata"] and conditions.get("Ready") == "True"


@contextmanager
def released(example: Example, directory: Path) -> Iterator[Release]:
    with new_namespace(example.name) as namespace:
        namespace.create_pod(CLIENT, MLFLOW_IMAGE, 1001)
        stand_in.provide(namespace, example)
        release = Release(example, namespace, directory)
        release.start()
        yield release
