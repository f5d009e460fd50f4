"""Pods, database and clients by IPv6 alone, and the same pods by both."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import synthesis
from conftest import images
from identity_provider import IdentityProvider
from kubelet.kubernetes import Namespace
from postgres import Postgres
from test_oauth2_proxy import SECRETS, Browser, Proxy, proxied, take_sidecar
from test_pgbouncer import connect
from tracking import DEFAULT_EXPERIMENT, check_everything, client_of, host_of, log_everything, request

pytestmark = pytest.mark.migrated


@pytest.fixture
def namespace(tmp_path: Path, addresses: Iterator[str]) -> Iterator[Namespace]:
    """Global addresses, as pods have them where the cloud gives out no others: 2001:db8:88::0a58xxxx."""

    def of(address: str) -> str:
        third, last = address.split(".")[2:]
        return f"2001:db8:88::{int(third):x}{int(last):02x}"

    space = Namespace(tmp_path / "kubelet", images(), map(of, addresses))
    yield space
    space.stop()


@pytest.mark.parametrize("workers", [1, 2])
def test_a_server(namespace: Namespace, postgres: Postgres, tmp_path: Path, workers: int) -> None:
    """Ready, so that the kubelet's probe has come through the check of the Host header."""
    namespace.apply(synthesis.server(workers=workers, readiness="database"))
    [pod] = namespace.deployment()
    pod.wait_ready()
    client = client_of(pod)
    check_everything(client, log_everything(client, "v6", tmp_path), tmp_path / "read")
    assert request(pod, DEFAULT_EXPERIMENT, host_of(pod)).status == 200
    assert request(pod, DEFAULT_EXPERIMENT, "[2001.evil.example]:5000").status == 403

    def inside(address: str) -> str:
        url = f"http://{address}:5000/version"
        network = ["nsenter", f"--net=/run/netns/{pod.address}", "--"]
        get = f"import urllib.request; print(urllib.request.urlopen('{url}', timeout=10).status)"
        command = [*network, "python", "-c", get]
        return subprocess.run(command, capture_output=True, text=True, check=False, env=os.environ).stdout

    assert [inside(each) for each in ("[::1]", "127.0.0.1")] == ["200\n", "200\n"]
    # IPv4 clients keep their address, for logs and for lists of trusted proxies.
    assert "::ffff:" not in pod.current_log()
    stopped = pod.delete()
    assert (stopped.killed, [each.code for each in stopped.ended]) == (False, [0])


def test_oauth2_proxy_and_pgbouncer(namespace: Namespace, postgres: Postgres, tmp_path: Path) -> None:
    provider = IdentityProvider(namespace.new_server_address(), "mlflow", SECRETS["client-secret"])
    documents = proxied(provider, pooled={})
    sidecar = take_sidecar(documents)
    secret = {"kind": "Secret", "metadata": {"name": "auth"}, "stringData": SECRETS}
    namespace.apply([secret, *documents])
    [pooler, _] = [each.wait_ready() for each in namespace.deployment("pgbouncer")]
    namespace.hosts["pgbouncer"] = pooler.address
    [pod] = namespace.deployment()
    pod.wait_ready()
    proxy = Proxy(sidecar, pod, tmp_path / "proxy.log")
    try:
        proxy.wait_ready(lambda: request(pod, "/ready").status == 200)
        browser = Browser(pod)
        page = browser.visit("http://mlflow.test:5000/")
        assert (page.status_code, "<title>MLflow</title>" in page.text) == (200, True), proxy.log.read_text()
        assert f"{provider.url}/authorize" in [url.split("?")[0] for url in browser.visited]
        assert browser.visit(f"http://mlflow.test:5000{DEFAULT_EXPERIMENT}").status_code == 200
    finally:
        proxy.process.kill()
        provider.stop()
    with closing(connect(pooler, "mlflow", "a-password")) as session, session.cursor() as cursor:
        cursor.execute("SELECT inet_client_addr() = %s::inet", [pooler.address])
        assert cursor.fetchone() == (True,)
