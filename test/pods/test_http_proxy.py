"""A cluster with no way to the internet but a proxy, behind which the artifacts are."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import synthesis
from certificates import make_ca, sign
from forward_proxy import PORT as PROXY_PORT
from forward_proxy import ForwardProxy
from kubelet.kubernetes import Namespace
from object_store import CREDENTIALS, PORT, ObjectStore
from postgres import Postgres
from tracking import check_everything, client_of, log_everything

STORE = "s3.example.com"
IN_CLUSTER = [f"http://{name}:8000/" for name in ("inside", "a.team.svc", "b.team.svc.cluster.local")]


class Answer(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()


@pytest.fixture
def inside(namespace: Namespace) -> Iterator[None]:
    """A Service of the cluster, by each form of its name."""
    names = [url.split("/")[2].split(":")[0] for url in IN_CLUSTER]
    server = ThreadingHTTPServer((namespace.new_server_address(*names), 8000), Answer)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield
    server.shutdown()
    server.server_close()


@pytest.fixture
def proxy(namespace: Namespace, tmp_path: Path) -> Iterator[ForwardProxy]:
    """`proxy.example.com` for the pods, which do not know the store. Its CA is the cluster's own."""
    make_ca(tmp_path)
    sign(tmp_path, "s3", STORE, STORE)
    ca = {"ca.crt": (tmp_path / "ca.crt").read_text()}
    namespace.apply([{"kind": "ConfigMap", "metadata": {"name": "cluster-ca"}, "data": ca}])
    namespace.apply([{"kind": "Secret", "metadata": {"name": "s3"}, "stringData": CREDENTIALS}])
    store = ObjectStore(namespace.new_server_address(), tmp_path / "store.log", tmp_path / "s3.crt")
    store.with_buckets("models")
    proxy = ForwardProxy(namespace.new_server_address("proxy.example.com"), {STORE: store.address})
    yield proxy
    proxy.stop()
    store.stop()


# `requests` asks the variables as botocore and all of MLflow's clients do.
CHECK = f"""
import os, requests
for url in {IN_CLUSTER}:
    assert requests.get(url, timeout=10).status_code == 200, url
assert requests.get("http://elsewhere.example.com/", timeout=10).status_code == 502
del os.environ["HTTP_PROXY"], os.environ["HTTPS_PROXY"]
try:
    requests.get("https://{STORE}:{PORT}/", timeout=10)
except requests.ConnectionError as error:
    assert "NameResolutionError" in str(error), error
else:
    raise AssertionError("there is a way around the proxy")
"""


def test_artifacts_behind_a_proxy(
    namespace: Namespace,
    postgres: Postgres,
    proxy: ForwardProxy,
    inside: None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Otherwise the client downloads from the bucket itself.
    monkeypatch.setenv("MLFLOW_ENABLE_PROXY_MULTIPART_DOWNLOAD", "false")
    options = {"openShift": True, "httpProxy": f"http://proxy.example.com:{PROXY_PORT}"}
    # Hosts without a dot are in the cluster if a container is given their URL.
    given = {"INSIDE": IN_CLUSTER[0]}
    namespace.apply(
        synthesis.server(s3={"endpoint": f"https://{STORE}:{PORT}"}, extraEnvVars=given, **options)
    )
    [pod] = namespace.deployment()
    client = client_of(pod.wait_ready())
    check_everything(client, log_everything(client, "behind", tmp_path), tmp_path / "read")
    assert pod.running[0].execute(["python", "-c", CHECK], 60) == 0, pod.running[0].log()
    assert {*proxy.asked} == {f"CONNECT {STORE}:{PORT}", "GET http://elsewhere.example.com/"}
