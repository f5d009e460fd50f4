"""Logging in at a real oauth2-proxy, with the arguments and the environment of the synthesized sidecar.

`go install github.com/oauth2-proxy/oauth2-proxy/v7@v7.15.6` makes the program; without it, this is skipped.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests
from identity_provider import IdentityProvider
from mlflow import MlflowException

import synthesis
from cluster.kubernetes import Document, Namespace
from cluster.pod import Pod
from postgres import Postgres
from tracking import DEFAULT_EXPERIMENT, check_everything, client_of, log_everything, request

PROXY = shutil.which("oauth2-proxy")
SECRETS = {"client-secret": "s3cret %&'", "cookie-secret": "0123456789abcdef" * 2, "passphrase": "p" * 40}
pytestmark = pytest.mark.skipif(PROXY is None, reason="oauth2-proxy is not installed")


class Proxy:
    """The sidecar as a process in the network of the pod: the pod runner knows no sidecars."""

    def __init__(self, sidecar: Document, pod: Pod, log: Path) -> None:
        environment = {
            each["name"]: SECRETS[each["valueFrom"]["secretKeyRef"]["key"]] for each in sidecar["env"]
        }
        self.log = log
        self.process = subprocess.Popen(
            ["nsenter", f"--net=/run/netns/{pod.address}", "--", PROXY, *sidecar["args"]],
            env={"PATH": os.environ["PATH"], **environment},
            stdout=log.open("wb"),
            stderr=subprocess.STDOUT,
        )

    def wait_ready(self, pod: Pod) -> Proxy:
        deadline = time.monotonic() + 60
        while True:
            try:
                if request(pod, "/ready").status == 200:
                    return self
            except OSError:
                pass
            assert time.monotonic() < deadline and self.process.poll() is None, self.log.read_text()
            time.sleep(0.2)


@pytest.fixture
def provider(namespace: Namespace) -> Iterator[IdentityProvider]:
    address = namespace.new_address()
    subprocess.run(["ip", "address", "add", f"{address}/32", "dev", "pods"], check=True)
    provider = IdentityProvider(address, "mlflow", SECRETS["client-secret"])
    yield provider
    provider.stop()


@pytest.fixture
def documents(provider: IdentityProvider) -> list[Document]:
    return synthesis.server(
        oauth2Proxy={"issuerUrl": provider.url, "redirectUrl": "http://mlflow.test:5000/oauth2/callback"},
        allowedHosts=["mlflow.test:5000"],
    )


def take_sidecar(documents: list[Document]) -> Document:
    [deployment] = [each for each in documents if each["kind"] == "Deployment"]
    return deployment["spec"]["template"]["spec"]["initContainers"].pop()


@pytest.fixture
def pod(
    namespace: Namespace, postgres: Postgres, documents: list[Document], tmp_path: Path
) -> Iterator[tuple[Pod, Proxy]]:
    sidecar = take_sidecar(documents)
    secret = {"kind": "Secret", "metadata": {"name": "auth"}, "stringData": SECRETS}
    namespace.apply([secret, *documents])
    [pod] = namespace.deployment()
    pod.wait_ready()  # by a probe in the pod: nobody listens at its address yet
    with pytest.raises(OSError):
        request(pod, "/health")
    proxy = Proxy(sidecar, pod, tmp_path / "proxy.log").wait_ready(pod)
    yield pod, proxy
    proxy.process.kill()


class Browser(requests.Session):
    """Knows the pod by its public name."""

    def __init__(self, pod: Pod) -> None:
        super().__init__()
        self._pod, self.visited = pod, []

    def visit(self, url: str) -> requests.Response:
        """Follows redirections by hand, since there is no DNS."""
        for _ in range(10):
            self.visited.append(url)
            real = url.replace("//mlflow.test:5000", f"//{self._pod.address}:5000")
            response = self.get(real, headers={"Host": url.split("/")[2]}, allow_redirects=False)
            if not response.is_redirect:
                return response
            # Cookies are for the public name; here both are one.
            url = requests.compat.urljoin(url, response.headers["Location"])
        raise AssertionError(self.visited)


def test_logging_in(pod: tuple[Pod, Proxy], provider: IdentityProvider) -> None:
    browser = Browser(pod[0])
    page = browser.visit("http://mlflow.test:5000/")
    assert [url.split("?")[0] for url in browser.visited] == [
        "http://mlflow.test:5000/",
        f"{provider.url}/authorize",
        "http://mlflow.test:5000/oauth2/callback",
        "http://mlflow.test:5000/",
    ], page.text + pod[1].log.read_text()
    assert page.status_code == 200
    assert "<title>MLflow</title>" in page.text
    assert browser.visit(f"http://mlflow.test:5000{DEFAULT_EXPERIMENT}").status_code == 200


def test_whom_it_does_not_let_in(pod: tuple[Pod, Proxy], provider: IdentityProvider) -> None:
    provider.email = "user@elsewhere.example"
    browser = Browser(pod[0])
    assert browser.visit("http://mlflow.test:5000/").status_code == 403
    open_paths = {
        path: request(pod[0], path).status for path in ("/health", "/ping", DEFAULT_EXPERIMENT, "/version")
    }
    # An API answers; a page leads to the login.
    assert open_paths == {"/health": 200, "/ping": 200, DEFAULT_EXPERIMENT: 401, "/version": 302}
    assert request(pod[0], "/metrics").status != 302
    for trick in ("/health/../api/2.0/mlflow/experiments/get", "//health", "/health/x", "/HEALTH"):
        assert request(pod[0], trick).status in (301, 302, 401), trick  # 301: to the path without dots
    spoofed = {"X-Forwarded-Uri": "/health", "X-Forwarded-Proto": "https"}
    assert request(pod[0], DEFAULT_EXPERIMENT, **spoofed).status == 401


def test_the_client_by_a_token(
    pod: tuple[Pod, Proxy], provider: IdentityProvider, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = client_of(pod[0])
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", provider.token())
    check_everything(client, log_everything(client, "by-token", tmp_path), tmp_path / "read")
    for token in (
        provider.token(exp=int(time.time()) - 60),
        provider.token(aud="another"),
        provider.token(email="user@elsewhere.example"),
        "nonsense",
    ):
        monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", token)
        with pytest.raises(MlflowException):
            client.get_experiment("0")
        headers = {"Authorization": f"Bearer {token}"}
        assert request(pod[0], DEFAULT_EXPERIMENT, **headers).status in (401, 403)


def test_serves_until_mlflow_has_stopped(pod: tuple[Pod, Proxy], provider: IdentityProvider) -> None:
    """As Kubernetes does it: first MLflow, with its pause for requests that still come, then the sidecar."""
    running, proxy = pod
    headers = {"Authorization": f"Bearer {provider.token()}"}
    with ThreadPoolExecutor(1) as pool:
        stopping = pool.submit(running.delete)
        time.sleep(2)
        assert request(running, DEFAULT_EXPERIMENT, **headers).status == 200
        assert not stopping.result().killed
    assert request(running, DEFAULT_EXPERIMENT, **headers).status == 502
    proxy.process.send_signal(signal.SIGTERM)
    assert proxy.process.wait(20) == 0


def test_no_secret_is_told(pod: tuple[Pod, Proxy], documents: list[Document]) -> None:
    told = pod[1].log.read_text() + " ".join(pod[1].process.args) + str(documents)
    assert SECRETS["client-secret"] not in told
    assert SECRETS["cookie-secret"] not in told
