"""A pod with memory_store.py, and its Service."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cluster import restricted_pod
from settings import MLFLOW_IMAGE

PROGRAM = (Path(__file__).parent / "memory_store.py").read_text()


def memory_store(name: str, *ports: int) -> list[dict[str, Any]]:
    command = ["python", "-c", PROGRAM, *map(str, ports)]
    pod = restricted_pod(
        name, {"name": "main", "image": MLFLOW_IMAGE, "command": command}, 1001, {"app": name}
    )
    # Policies know the port of the pod, which may be one below 1024.
    pod["spec"]["securityContext"]["sysctls"] = [
        {"name": "net.ipv4.ip_unprivileged_port_start", "value": "0"}
    ]
    listening = [{"name": f"p{port}", "port": port} for port in ports]
    spec = {"selector": {"app": name}, "ports": listening}
    return [pod, {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": spec}]
