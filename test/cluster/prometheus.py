"""Questions to the Prometheus of a cluster, through the API server."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

from cluster import run
from controllers import require

LABEL = "operated-prometheus=true"  # of the Service that the operator makes


def require_prometheus() -> None:
    require(
        "the Prometheus operator",
        "crd/servicemonitors.monitoring.coreos.com",
        "crd/prometheusrules.monitoring.coreos.com",
    )


def api(path: str) -> Any:
    services = json.loads(run("kubectl", "get", "services", "-A", "-l", LABEL, "-o", "json"))["items"]
    assert services, f"no Service has the label {LABEL}"
    place = services[0]["metadata"]
    proxy = f"/api/v1/namespaces/{place['namespace']}/services/{place['name']}:9090/proxy/api/v1/{path}"
    answer = json.loads(run("kubectl", "get", "--raw", proxy))
    assert answer["status"] == "success", answer
    return answer["data"]


def query(expression: str) -> list[dict[str, Any]]:
    result: list[dict[str, Any]] = api(f"query?query={quote(expression)}")["result"]
    return result


def targets(namespace: str) -> dict[str, str]:
    """The health of each target in a namespace, by its pod."""
    active = api("targets?state=active")["activeTargets"]
    ours = [each for each in active if each["labels"].get("namespace") == namespace]
    return {f"{each['labels']['job']}/{each['labels'].get('pod')}": told(each) for each in ours}


def told(target: dict[str, Any]) -> str:
    return str(target["health"] if target["health"] == "up" else target["lastError"] or target["health"])


def alerts(namespace: str) -> dict[str, str]:
    """The state of each alert of a namespace's rules: inactive, pending or firing."""
    groups = api("rules?type=alert")["groups"]
    ours = [group for group in groups if f"/{namespace}-" in group["file"]]
    return {rule["name"]: rule["state"] for group in ours for rule in group["rules"]}
