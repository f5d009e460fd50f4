"""HTTPS at the server itself."""

from __future__ import annotations

import http.client
import shutil
import socket
import ssl
from pathlib import Path

import pytest
import synthesis
from certificates import sign
from conftest import CERTIFICATES
from kubelet.kubernetes import Document, Namespace
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
from postgres import Postgres
from tracking import check_everything, log_everything

pytestmark = pytest.mark.migrated


def server_certificate() -> Document:
    data = {f"tls.{kind}": (CERTIFICATES / f"mlflow.{kind}").read_text() for kind in ("crt", "key")}
    return {"kind": "Secret", "metadata": {"name": "mlflow-tls"}, "stringData": data}


def test_clients_verify_the_server(
    namespace: Namespace, postgres: Postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    namespace.apply([server_certificate(), *synthesis.server(certificate="mlflow-tls", workers=2)])
    [pod] = namespace.deployment()
    pod.wait_ready()

    resolve = socket.getaddrinfo
    monkeypatch.setattr(
        socket, "getaddrinfo", lambda host, *rest: resolve(pod.address if host == "mlflow" else host, *rest)
    )
    client = MlflowClient(tracking_uri="https://mlflow:5000", registry_uri="https://mlflow:5000")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    monkeypatch.setenv("MLFLOW_TRACKING_SERVER_CERT_PATH", str(CERTIFICATES / "other-ca.crt"))
    with pytest.raises(MlflowException, match="CERTIFICATE_VERIFY_FAILED"):
        client.search_experiments()
    monkeypatch.setenv("MLFLOW_TRACKING_SERVER_CERT_PATH", str(CERTIFICATES / "ca.crt"))
    check_everything(client, log_everything(client, "encrypted", tmp_path), tmp_path / "read")

    plain = http.client.HTTPConnection(pod.address, 5000, timeout=5)
    plain.request("GET", "/health")
    with pytest.raises((http.client.HTTPException, OSError)):
        plain.getresponse()
    context = ssl.create_default_context(cafile=str(CERTIFICATES / "ca.crt"))
    context.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.raises((ssl.SSLError, OSError)), socket.create_connection((pod.address, 5000)) as raw:
        context.wrap_socket(raw, server_hostname="mlflow")

    # A renewed one, in the volumes that follow the Secret.
    old = presented(pod.address)
    shutil.copytree(CERTIFICATES, tmp_path / "ca")
    sign(tmp_path / "ca", "renewed", "mlflow", "mlflow")
    new = ssl.PEM_cert_to_DER_cert((tmp_path / "ca" / "renewed.crt").read_text())
    for kind in ("crt", "key"):
        [file] = tmp_path.rglob(f"volumes/*/tls.{kind}")
        # Into the file that is there: it belongs to the group of the pod.
        file.write_bytes((tmp_path / "ca" / f"renewed.{kind}").read_bytes())
    # Either of two workers may answer.
    assert {presented(pod.address) for _ in range(20)} == {new} != {old}
    client.search_experiments()


def presented(address: str) -> bytes:
    return ssl.PEM_cert_to_DER_cert(ssl.get_server_certificate((address, 5000)))
