"""Logging in at a real oauth2-proxy, with the arguments and the environment of the synthesized sidecar."""

from __future__ import annotations

import contextlib
import http.client
import os
import signal
import socket
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests
import synthesis
from conftest import CERTIFICATES
from identity_provider import IdentityProvider
from kubelet.kubernetes import Document, Namespace
from kubelet.pod import Pod
from mlflow import MlflowException
from postgres import Postgres
from test_server_certificate import server_certificate
from tracking import DEFAULT_EXPERIMENT, check_everything, client_of, host_of, log_everything, request

pytestmark = pytest.mark.migrated

PROXY = os.environ["E2E_OAUTH2_PROXY"]
SECRETS = {"client-secret": "s3cret %&'", "cookie-secret": "0123456789abcdef" * 2, "passphrase": "p" * 40}


class Proxy:
    """The sidecar as a process in the network of the pod: the pod runner knows no sidecars."""

    def __init__(self, sidecar: Document, pod: Pod, log: Path) -> None:
        environment = {
            each["name"]: SECRETS[each["valueFrom"]["secretKeyRef"]["key"]] for each in sidecar["env"]
        }
        # The files of the certificate, where they would be mounted.
        arguments = [
            each.replace("/etc/mlflow-tls/certificate/tls", f"{CERTIFICATES}/mlflow").replace(
                "/etc/mlflow-tls/key/tls", f"{CERTIFICATES}/mlflow"
            )
            for each in sidecar["args"]
        ]
        self.log = log
        self.process = subprocess.Popen(
            ["nsenter", f"--net=/run/netns/{pod.address}", "--", PROXY, *arguments],
            env={"PATH": os.environ["PATH"], **environment},
            stdout=log.open("wb"),
            stderr=subprocess.STDOUT,
        )

    def wait_ready(self, ready: Callable[[], bool]) -> Proxy:
        deadline = time.monotonic() + 60
        while True:
            with contextlib.suppress(OSError):
                if ready():
                    return self
            assert time.monotonic() < deadline and self.process.poll() is None, self.log.read_text()
            time.sleep(0.2)


@pytest.fixture
def provider(namespace: Namespace) -> Iterator[IdentityProvider]:
    provider = IdentityProvider(namespace.new_server_address(), "mlflow", SECRETS["client-secret"])
    yield provider
    provider.stop()


def proxied(provider: IdentityProvider, **options: object) -> list[Document]:
    return synthesis.server(
        oauth2Proxy={"issuerUrl": provider.url, "redirectUrl": "http://mlflow.test:5000/oauth2/callback"},
        allowedHosts=["mlflow.test:5000"],
        **options,
    )


@pytest.fixture
def documents(provider: IdentityProvider) -> list[Document]:
    return proxied(provider)


def take_sidecar(documents: list[Document]) -> Document:
    deployments = [each for each in documents if each["kind"] == "Deployment"]
    [deployment] = [each for each in deployments if each["metadata"]["name"] == "mlflow"]
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
    proxy = Proxy(sidecar, pod, tmp_path / "proxy.log").wait_ready(
        lambda: request(pod, "/ready").status == 200
    )
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
            real = url.replace("//mlflow.test:5000", f"//{host_of(self._pod)}")
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
    # A client of OpenTelemetry follows such a redirection, and takes the page for an answer to its traces.
    for path in ("/v1/traces", "/graphql", "/gateway/mlflow/v1/models"):
        assert request(pod[0], path).status == 401, path
    assert request(pod[0], "/metrics").status == 302
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


def test_nobody_reaches_the_assistant(pod: tuple[Pod, Proxy], provider: IdentityProvider) -> None:
    """It runs commands in the pod for who comes from the loopback address: proxies, meshes, port-forward."""
    path = "/ajax-api/3.0/mlflow/assistant/providers/claude_code/health"

    def status(address: str, *headers: str, source: str = "") -> str:
        curl = ["curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", f"http://{address}{path}"]
        curl += ["--interface", source] if source else []
        for header in ("Host: mlflow.test:5000", f"Authorization: Bearer {provider.token()}", *headers):
            curl += ["-H", header]
        command = ["nsenter", f"--net=/run/netns/{pod[0].address}", "--", *curl]
        return subprocess.check_output(command, text=True)

    public, spoofed = f"{pod[0].address}:5000", "X-Forwarded-For: 127.0.0.1"
    answers = {
        "a user": status(public),
        "who claims to be local": status(public, spoofed),
        "who drops the header on the way": status(public, spoofed, "Connection: X-Forwarded-For"),
        "port-forward": status("127.0.0.1:5000"),
        "a container of the pod": status("127.0.0.1:5001"),
        "a mesh": status("127.0.0.1:5000", "X-Forwarded-Proto: http", source="127.0.0.6"),
    }
    assert answers == dict.fromkeys(answers, "404")


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


def test_https_and_metrics(
    namespace: Namespace, postgres: Postgres, provider: IdentityProvider, tmp_path: Path
) -> None:
    documents = proxied(provider, certificate="mlflow-tls", metrics=True)
    sidecar = take_sidecar(documents)
    secret = {"kind": "Secret", "metadata": {"name": "auth"}, "stringData": SECRETS}
    namespace.apply([secret, server_certificate(), *documents])
    [pod] = namespace.deployment()
    pod.wait_ready()
    proxy = Proxy(sidecar, pod, tmp_path / "proxy.log")
    try:
        encrypted = ssl.create_default_context(cafile=str(CERTIFICATES / "ca.crt"))
        encrypted.check_hostname = False  # the case calls the pod by its address

        def get(path: str, **headers: str) -> http.client.HTTPResponse:
            connection = http.client.HTTPSConnection(pod.address, 5000, timeout=10, context=encrypted)
            connection.request("GET", path, headers={"Host": "mlflow.test:5000", **headers})
            return connection.getresponse()

        proxy.wait_ready(lambda: get("/ready").status == 200)
        token = provider.token()
        assert get(DEFAULT_EXPERIMENT, Authorization=f"Bearer {token}").status == 200
        assert get(DEFAULT_EXPERIMENT).status == 401
        assert b"mlflow_http_request_total" in get("/metrics").read()
        # Plain HTTP is answered nowhere.
        plain = http.client.HTTPConnection(pod.address, 5000, timeout=10)
        plain.request("GET", "/ping")
        assert plain.getresponse().status == 400
        for port in (80, 4180, 5001):
            with pytest.raises(ConnectionRefusedError):
                socket.create_connection((pod.address, port), 5)
    finally:
        proxy.process.kill()


def test_no_secret_is_told(pod: tuple[Pod, Proxy], documents: list[Document]) -> None:
    told = pod[1].log.read_text() + " ".join(pod[1].process.args) + str(documents)
    assert SECRETS["client-secret"] not in told
    assert SECRETS["cookie-secret"] not in told
