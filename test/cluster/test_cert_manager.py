"""Certificates by cert-manager, renewed under clients: the server takes a new one, PgBouncer must restart."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
from cluster import Namespace, new_namespace
from controllers import require
from release import CLIENT, Release
from settings import MLFLOW_IMAGE
from waiting import eventually
from watch import FIGURES, Watch

from examples import Example

URL = "https://mlflow:5000"
CA = "/tmp/ca.crt"
SERVER, POOLER = "mlflow-tls", "pgbouncer-tls"
# The certificate that somebody presents: after the request for TLS of PostgreSQL's protocol, or at once.
PRESENTED = """
import hashlib, socket, ssl, sys
context = ssl.create_default_context(cafile="/tmp/ca.crt")
with socket.create_connection((sys.argv[1], int(sys.argv[2])), timeout=20) as plain:
    if sys.argv[1] == "pgbouncer":
        plain.sendall(bytes([0, 0, 0, 8, 4, 210, 22, 47]))
        assert plain.recv(1) == b"S"
    with context.wrap_socket(plain, server_hostname=sys.argv[1]) as encrypted:
        print(hashlib.sha256(encrypted.getpeercert(binary_form=True)).hexdigest())
"""


@pytest.fixture(scope="module", autouse=True)
def installed() -> None:
    require("cert-manager", "crd/certificates.cert-manager.io")


@pytest.fixture(scope="module")
def release(installed: None, synthesized) -> Iterator[Release]:
    with new_namespace("cert-manager") as namespace:
        namespace.create_pod(CLIENT, MLFLOW_IMAGE, 1001)
        namespace.create(*issuers(), certificate(namespace, SERVER, "mlflow"))
        namespace.create(certificate(namespace, POOLER, "pgbouncer"))
        namespace.kubectl("wait", "--for=condition=Ready", "certificate", "--all", "--timeout=120s")
        ca = base64.b64decode(namespace.get("secret", SERVER)["data"]["ca.crt"]).decode()
        namespace.kubectl("exec", "-i", CLIENT, "--", "sh", "-c", f"cat > {CA}", stdin=ca)
        release = Release(Example("renewed-certificate"), namespace, synthesized)
        release.start()
        yield release


def issuers() -> list[dict[str, Any]]:
    """A CA of the namespace."""
    key = {"algorithm": "ECDSA", "size": 256}
    spec = {"isCA": True, "commonName": "ca", "secretName": "ca", "privateKey": key}
    return [
        made("Issuer", "self-signed", {"selfSigned": {}}),
        made("Certificate", "ca", {**spec, "issuerRef": {"name": "self-signed"}}),
        made("Issuer", "ca", {"ca": {"secretName": "ca"}}),
    ]


def certificate(namespace: Namespace, secret: str, service: str) -> dict[str, Any]:
    names = [service, f"{service}.{namespace.name}", f"{service}.{namespace.name}.svc"]
    # Both change with a renewal, so that half of it would not do.
    key = {"algorithm": "ECDSA", "size": 256, "rotationPolicy": "Always"}
    spec = {"secretName": secret, "dnsNames": names, "privateKey": key, "issuerRef": {"name": "ca"}}
    return made("Certificate", secret, spec)


def made(kind: str, name: str, spec: dict[str, Any]) -> dict[str, Any]:
    return {"apiVersion": "cert-manager.io/v1", "kind": kind, "metadata": {"name": name}, "spec": spec}


def renew(namespace: Namespace, name: str) -> None:
    """As `cmctl renew` does; done when the Secret has another certificate."""
    old = namespace.get("secret", name)["data"]["tls.crt"]
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    issuing = {"type": "Issuing", "status": "True", "reason": "ManuallyTriggered", "lastTransitionTime": now}
    patch = json.dumps({"status": {"conditions": [{**issuing, "message": "by the test"}]}})
    namespace.kubectl("patch", "certificate", name, "--subresource=status", "--type=merge", "-p", patch)
    eventually(lambda: namespace.get("secret", name)["data"]["tls.crt"] != old, f"{name} is renewed", 120)


def presented(release: Release, host: str, port: int) -> str:
    command = ["python", "-", host, str(port)]
    return release.namespace.kubectl("exec", "-i", CLIENT, "--", *command, stdin=PRESENTED).strip()


def uids(release: Release) -> set[str]:
    return {pod["metadata"]["uid"] for pod in release.namespace.get("pods")["items"]}


def test_the_server_presents_a_renewed_certificate(release: Release) -> None:
    old, pods = presented(release, "mlflow", 5000), uids(release)
    with Watch(release.namespace, "certificate renewed", url=URL, ca=CA, log_metric=2, search=1) as watch:
        renew(release.namespace, SERVER)
        started = time.monotonic()
        eventually(lambda: presented(release, "mlflow", 5000) != old, "the new one is presented", 180)
        FIGURES.append(f"from the renewed Secret to the server: {time.monotonic() - started:.0f} s")
    assert uids(release) == pods
    assert watch.seen["log-metric"]["failed"] == watch.seen["search"]["failed"] == 0
    assert watch.seen["missing"] == 0


def test_pgbouncer_presents_it_after_a_restart(release: Release) -> None:
    old = presented(release, "pgbouncer", 6432)
    with Watch(release.namespace, "PgBouncer restarted", url=URL, ca=CA, log_metric=2, search=1) as watch:
        renew(release.namespace, POOLER)
        release.namespace.kubectl("rollout", "restart", "deployment/pgbouncer")
        release.namespace.kubectl("rollout", "status", "deployment/pgbouncer", "--timeout=300s", seconds=310)
        eventually(lambda: presented(release, "pgbouncer", 6432) != old, "the new one is presented", 60)
    assert watch.seen["log-metric"]["failed"] == watch.seen["search"]["failed"] == 0
    assert watch.seen["missing"] == 0
