"""Which Host headers and origins a server accepts, on the API, the UI and its health."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import synthesis
from kubelet.kubernetes import Namespace
from kubelet.pod import Pod
from postgres import Postgres
from tracking import DEFAULT_EXPERIMENT, check_everything, client_of, log_everything, request

pytestmark = pytest.mark.migrated

INGRESS = "mlflow.example.com"
ACCEPTED = [
    "mlflow",
    "mlflow:5000",
    "mlflow.team-a",
    "mlflow.team-a:5000",
    "mlflow.team-a.svc:5000",
    "mlflow.team-a.svc.cluster.local",
    "mlflow.team-a.svc.cluster.local:5000",
    INGRESS,
    f"{INGRESS}:443",
    "localhost:8080",
    "127.0.0.1:5000",
    "[::1]:5000",
    "10.1.2.3:5000",
    "192.168.0.7:5000",
    "172.16.0.1:5000",
    "172.31.255.254:5000",
    "100.64.0.1:5000",
    "100.127.255.254:5000",
    "[fd12:3456::1]:5000",
    "10.1.2.3",
    "10.255.255.255:5000",
    "10.0.0.10",
    "192.168.200.100:80",
    "172.20.0.99",
    "172.29.10.1:5000",
    "100.64.0.1",
    "100.70.1.22:5000",
    "100.110.255.255",
    "[fd12:3456::1]",
    "[fc00::1]:5000",
    "[2001:db8::1]:5000",
    "[2a05:d018:1234::ab]",
    "tracking.internal",
    "tracking.internal:8443",
]
REFUSED = [
    "evil.example",
    "mlflow.evil.example",
    "mlflowx",
    "xmlflow",
    "mlflow.team-b.svc.cluster.local:5000",
    "mlflow.team-a.svc.cluster.local.evil.example",
    f"{INGRESS}.evil.example",
    f"evil-{INGRESS}",
    "localhost.evil.example",
    "127.0.0.1.evil.example",
    "172.32.0.1:5000",
    "100.128.0.1:5000",
    "100.63.0.1:5000",
    "8.8.8.8:5000",
    "[fe80::1]:5000",
    "[2001.evil.example]:5000",
    "2001.evil.example:5000",
    "other.internal",
    "10.evil.example",
    "10.0evil.example",
    "10.1.2.3.evil.example",
    "10.1.2.3.evil.example:5000",
    "10.evil.example:80",
    "192.168.evil.example",
    "192.168.0.7.evil.example:5000",
    "172.16.evil.example",
    "172.16.evil.example:5000",
    "172.31.0.1.evil.example",
    "100.64.evil.example",
    "100.64.evil.example:5000",
    "100.127.0.1.evil.example",
    "10.1.2.3.",
    "10.1.2.x3",
    "[fd00.evil.example]",
    "[fd00::1].evil.example",
    "[fd00::1]evil.example:5000",
]
REBINDING = "Invalid Host header - possible DNS rebinding attack detected"


def start(namespace: Namespace, **options: object) -> Pod:
    namespace.name = "team-a"
    tls = {"hosts": [INGRESS], "tlsSecretName": "mlflow-tls"}
    hosts = ["tracking.internal", "tracking.internal:8443"]
    namespace.apply(synthesis.server(ingress=tls, allowedHosts=hosts, **options))
    [pod] = namespace.deployment()
    return pod.wait_ready()


def statuses(pod: Pod, path: str, hosts: list[str]) -> dict[str, int]:
    return {host: request(pod, path, host).status for host in hosts}


def check_hosts(pod: Pod, prefix: str) -> None:
    for path in (f"{prefix}{DEFAULT_EXPERIMENT}", f"{prefix}/"):
        assert statuses(pod, path, ACCEPTED) == dict.fromkeys(ACCEPTED, 200)
        assert statuses(pod, path, REFUSED) == dict.fromkeys(REFUSED, 403)
        assert REBINDING in request(pod, path, REFUSED[0]).body
    # A load balancer asks with whatever name it likes.
    for path in (f"{prefix}/health", f"{prefix}/version"):
        assert statuses(pod, path, [*ACCEPTED, *REFUSED]) == dict.fromkeys([*ACCEPTED, *REFUSED], 200)


def test_host_headers(namespace: Namespace, postgres: Postgres) -> None:
    pod = start(namespace)
    check_hosts(pod, "")
    assert "<title>MLflow</title>" in request(pod, "/").body


def test_origins(namespace: Namespace, postgres: Postgres) -> None:
    pod = start(namespace, corsAllowedOrigins=["https://notebooks.example.com"])
    origins = {
        "": 200,
        f"https://{INGRESS}": 200,
        "https://notebooks.example.com": 200,
        f"http://{INGRESS}": 403,
        f"https://{INGRESS}:8443": 403,
        f"https://{INGRESS}.evil.example": 403,
        "https://evil.example": 403,
    }
    for api in ("/api/2.0", "/ajax-api/2.0"):
        answers = {origin: create_experiment(pod, api, origin) for origin in origins}
        assert {origin: answer.status for origin, answer in answers.items()} == origins
        assert "Cross-origin request blocked" in answers["https://evil.example"].body
    # Reading is not guarded by the origin.
    assert request(pod, DEFAULT_EXPERIMENT, INGRESS, Origin="https://evil.example").status == 200
    assert postgres.value("SELECT count(*) FROM experiments WHERE name LIKE 'from %'") == 6


def create_experiment(pod: Pod, api: str, origin: str) -> object:
    body = json.dumps({"name": f"from {origin} by {api}"})
    headers = {"Origin": origin} if origin else {}
    return request(pod, f"{api}/mlflow/experiments/create", INGRESS, "POST", body, **headers)


def test_static_prefix(namespace: Namespace, postgres: Postgres, tmp_path: Path) -> None:
    """Ready at all: the probes have found the prefix."""
    pod = start(namespace, staticPrefix="/team/mlflow")
    check_hosts(pod, "/team/mlflow")
    assert "<title>MLflow</title>" in request(pod, "/team/mlflow/").body
    assert request(pod, DEFAULT_EXPERIMENT).status == 404
    client = client_of(pod, "/team/mlflow")
    check_everything(client, log_everything(client, "prefixed", tmp_path), tmp_path / "read")


def test_static_prefix_with_database_readiness(namespace: Namespace, postgres: Postgres) -> None:
    start(namespace, staticPrefix="/team/mlflow", readiness="database")
