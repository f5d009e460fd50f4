"""Through Traefik, by its Ingress and by its Gateway, to a server that answers HTTPS below a path."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cluster import Failed, Namespace, new_namespace, restricted_pod, run
from controllers import require
from release import CLIENT, Release
from settings import MAY_RESTART_CONTROLLERS, MLFLOW_IMAGE, NETWORK_POLICIES_WORK
from stand_in import certificates, secret
from waiting import eventually
from watch import Watch

from examples import Example

EXAMPLE = Example("through-traefik", namespace="mlflow-traefik")
HOSTS = ("ingress.example.com", "route.example.com")
PREFIX = "/tracking"
LABEL = "app.kubernetes.io/name=traefik"
# An artifact of 200 MiB, both ways.
LARGE = """
import hashlib, os, sys, tempfile
os.environ["GIT_PYTHON_REFRESH"] = "quiet"
import mlflow
mlflow.set_tracking_uri(sys.argv[1])
with tempfile.TemporaryDirectory() as folder:
    path = os.path.join(folder, "large")
    with open(path, "wb") as file:
        for _ in range(200):
            file.write(os.urandom(1 << 20))
    digest = lambda name: hashlib.file_digest(open(name, "rb"), "sha256").hexdigest()
    with mlflow.start_run() as run:
        mlflow.log_artifact(path)
    back = mlflow.MlflowClient().download_artifacts(run.info.run_id, "large", tempfile.mkdtemp())
    assert digest(path) == digest(back)
print("the same")
"""


def traefik() -> dict[str, Any]:
    found = json.loads(run("kubectl", "get", "services", "-A", "-l", LABEL, "-o", "json"))
    if not found["items"]:
        pytest.skip(f"Traefik is not installed: no Service has the label {LABEL}")
    service: dict[str, Any] = found["items"][0]
    return service


@pytest.fixture(scope="module", autouse=True)
def installed() -> None:
    require("Traefik", "crd/serverstransports.traefik.io", "ingressclass/traefik")
    require("the Gateway API 1.4", "crd/backendtlspolicies.gateway.networking.k8s.io", "gatewayclass/traefik")


@pytest.fixture(scope="module")
def release(installed: None, synthesized: Path) -> Iterator[Release]:
    address = traefik()["spec"]["clusterIP"]
    with new_namespace("traefik") as namespace:
        create_client(namespace, address)
        files = certificates(f"mlflow.{namespace.name}.svc")
        ca = {"metadata": {"name": "mlflow-ca"}, "data": {"ca.crt": files["ca.crt"].decode()}}
        namespace.create(
            secret("mlflow-tls", files), {"apiVersion": "v1", "kind": "ConfigMap", **ca}, gateway()
        )
        release = Release(EXAMPLE, namespace, synthesized)
        release.start()
        yield release


def create_client(namespace: Namespace, address: str) -> None:
    """As a browser outside would: by the hosts' names, at the address of Traefik."""
    container = {
        "name": "main",
        "image": MLFLOW_IMAGE,
        "command": ["sleep", "86400"],
        "env": [{"name": "HOME", "value": "/tmp"}, {"name": "MLFLOW_HTTP_REQUEST_MAX_RETRIES", "value": "0"}],
        "resources": {"requests": {"cpu": "10m", "memory": "64Mi"}},
    }
    pod = restricted_pod(CLIENT, container, 1001)
    pod["spec"]["hostAliases"] = [{"ip": address, "hostnames": list(HOSTS)}]
    namespace.create(pod)
    namespace.kubectl("wait", "--for=condition=Ready", f"pod/{CLIENT}", "--timeout=600s", seconds=610)


def gateway() -> dict[str, Any]:
    """Its listener has the port of Traefik's own entry point `web`."""
    listener = {"name": "web", "protocol": "HTTP", "port": 8000}
    return {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "Gateway",
        "metadata": {"name": "public"},
        "spec": {"gatewayClassName": "traefik", "listeners": [listener]},
    }


def answers(release: Release, host: str) -> bool:
    """Traefik knows of a new pod a moment after the kubelet."""
    program = f"import urllib.request; urllib.request.urlopen('http://{host}{PREFIX}/health', timeout=20)"
    try:
        release.namespace.kubectl("exec", CLIENT, "--", "python", "-c", program)
    except Failed as error:
        print(error)
        return False
    return True


@pytest.mark.parametrize("host", HOSTS)
def test_runs_and_artifacts(release: Release, host: str) -> None:
    eventually(lambda: answers(release, host), f"{host} answers", 60, pause=2)
    url = f"http://{host}{PREFIX}"
    release.client("read", release.log_run(url), url)


@pytest.mark.parametrize("host", HOSTS)
def test_a_large_artifact(release: Release, host: str) -> None:
    command = ["python", "-", f"http://{host}{PREFIX}"]
    assert "the same" in release.namespace.kubectl("exec", "-i", CLIENT, "--", *command, stdin=LARGE)


def test_only_traefik_reaches_the_server(release: Release) -> None:
    if not NETWORK_POLICIES_WORK:
        pytest.skip("this cluster's network enforces no policies")
    program = "import socket; socket.create_connection(('mlflow', 5000), timeout=5)"
    with pytest.raises(Failed, match=r"TimeoutError|timed out|ConnectionRefusedError"):
        release.namespace.kubectl("exec", CLIENT, "--", "python", "-c", program)


@pytest.mark.skipif(
    not MAY_RESTART_CONTROLLERS,
    reason="restarts Traefik for everybody: set TEST_RESTART_CONTROLLERS=true",
)
def test_traefik_restarts_under_load(release: Release) -> None:
    service = traefik()["metadata"]
    name = ("-n", service["namespace"], f"deployment/{service['name']}")
    url = f"http://{HOSTS[0]}{PREFIX}"
    with Watch(release.namespace, "Traefik restarted", url=url, log_metric=2) as watch:
        run("kubectl", "rollout", "restart", *name)
        run("kubectl", "rollout", "status", *name, "--timeout=120s")
    assert watch.seen["missing"] == 0
