"""Through Traefik, by its Ingress and by its Gateway, to a server that answers HTTPS below a path."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from browser import dump, post_from
from cluster import Failed, Namespace, new_namespace, restricted_pod, run
from controllers import require
from release import CLIENT, Release
from settings import MAY_RESTART_CONTROLLERS, MLFLOW_IMAGE, NETWORK_POLICIES_WORK
from stand_in import certificates, secret
from waiting import eventually
from watch import FIGURES, Watch

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
# As much as a large model, in one request each way; nobody holds it in memory, nor this program on a disk.
HUGE = """
import hashlib, http.client, os, sys, time
GIBIBYTES, BLOCK = 6, os.urandom(1 << 20)
path = f"{sys.argv[2]}/api/2.0/mlflow-artifacts/artifacts/huge"
def ask(method, more=lambda connection: None, headers={}):
    connection = http.client.HTTPConnection(sys.argv[1], timeout=600)
    connection.putrequest(method, path)
    for header in headers.items():
        connection.putheader(*header)
    connection.endheaders()
    more(connection)
    answer = connection.getresponse()
    assert answer.status == 200, (method, answer.status, answer.read(2000))
    return answer
def send(connection):
    for n in range(GIBIBYTES << 10):
        block = n.to_bytes(8, "big") + BLOCK[8:]
        sent.update(block)
        connection.send(block)
sent, got, begun = hashlib.sha256(), hashlib.sha256(), time.monotonic()
ask("PUT", send, {"Content-Length": str(GIBIBYTES << 30)}).read()
stored = time.monotonic()
answer = ask("GET")
while block := answer.read(1 << 20):
    got.update(block)
print(f"up {stored - begun:.0f} s, down {time.monotonic() - stored:.0f} s")
ask("DELETE").read()
assert sent.digest() == got.digest()
print("the same")
"""
# A span by OpenTelemetry's protocol, as programs without MLflow send it.
OTLP = """
import os, sys, time, urllib.request
os.environ["GIT_PYTHON_REFRESH"] = "quiet"
import mlflow
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
request = ExportTraceServiceRequest()
now, trace = time.time_ns(), os.urandom(16)
span = request.resource_spans.add().scope_spans.add().spans.add(
    trace_id=trace, span_id=os.urandom(8), name="by-otlp", start_time_unix_nano=now, end_time_unix_nano=now)
headers = {"Content-Type": "application/x-protobuf", "x-mlflow-experiment-id": "0"}
sent = urllib.request.Request(f"{sys.argv[1]}/v1/traces", request.SerializeToString(), headers)
assert urllib.request.urlopen(sent, timeout=30).status == 200
mlflow.set_tracking_uri(sys.argv[1])
found = mlflow.MlflowClient().search_traces(experiment_ids=["0"], max_results=10)
assert trace.hex() in [each.info.trace_id.removeprefix("tr-") for each in found], found
print("found")
"""

# A model with OpenAI's API, which says a word each second.
MODEL = """
import json, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        for word in ("one", "two", "three", "four"):
            choice = {"index": 0, "delta": {"role": "assistant", "content": word}, "finish_reason": None}
            chunk = {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "slow"}
            chunk["choices"] = [choice]
            self.wfile.write(f"data: {json.dumps(chunk)}\\n\\n".encode())
            self.wfile.flush()
            time.sleep(1)
        self.wfile.write(b"data: [DONE]\\n\\n")
ThreadingHTTPServer(("", 8000), Handler).serve_forever()
"""
STREAM = """
import os, sys, time, json
os.environ["GIT_PYTHON_REFRESH"] = "quiet"
import mlflow, requests
from mlflow.entities import GatewayEndpointModelConfig, GatewayModelLinkageType
store = mlflow.MlflowClient(sys.argv[1])._tracking_client.store
key = store.create_gateway_secret("slow", {"api_key": "k"}, "openai", {"api_base": "http://model:8000/v1"})
model = store.create_gateway_model_definition("slow", key.secret_id, "openai", "slow")
config = GatewayEndpointModelConfig(model.model_definition_id, GatewayModelLinkageType.PRIMARY)
store.create_gateway_endpoint("slow", [config], usage_tracking=False)
question = {"messages": [{"role": "user", "content": "Count"}], "stream": True}
times, words = [], []
with requests.post(f"{sys.argv[1]}/gateway/slow/mlflow/invocations", json=question, stream=True) as answer:
    assert answer.status_code == 200, answer.text
    for line in answer.iter_lines():
        if line.startswith(b"data: {"):
            words.append(json.loads(line[6:])["choices"][0]["delta"].get("content"))
            times.append(time.monotonic())
print([word for word in words if word], times[-1] - times[0])
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
        passphrase = "--from-literal=passphrase=of-32-characters-or-more-for-a-passphrase"
        namespace.kubectl("create", "secret", "generic", "mlflow-passphrase", passphrase)
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


def test_an_artifact_of_6_gib(release: Release) -> None:
    service = traefik()["metadata"]
    arguments = run(
        "kubectl", "get", "-n", service["namespace"], f"deployment/{service['name']}", "-o", "yaml"
    )
    if "readtimeout=" not in arguments.lower():
        pytest.skip(
            "Traefik ends uploads after 60 s: set respondingTimeouts.readTimeout of its entry point web"
        )
    command = ["python", "-", HOSTS[0], PREFIX]
    said = release.namespace.kubectl("exec", "-i", CLIENT, "--", *command, stdin=HUGE, seconds=1800)
    FIGURES.append(f"6 GiB by Traefik's Ingress: {said.splitlines()[0]}")
    assert "the same" in said
    for pod in release.pods_of(release.servers()[0]):
        assert [each["restartCount"] for each in pod["status"]["containerStatuses"]] == [0]


@pytest.mark.parametrize("host", HOSTS)
def test_a_trace_by_otlp(release: Release, host: str) -> None:
    command = ["python", "-", f"http://{host}{PREFIX}"]
    assert "found" in release.namespace.kubectl("exec", "-i", CLIENT, "--", *command, stdin=OTLP)


def test_an_answer_of_the_ai_gateway_is_streamed(release: Release) -> None:
    release.namespace.create(
        restricted_pod(
            "model",
            {
                "name": "main",
                "image": MLFLOW_IMAGE,
                "command": ["python", "-c", MODEL],
                "resources": {"requests": {"cpu": "10m", "memory": "32Mi"}},
            },
            1001,
            {"app": "model"},
        ),
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": "model"},
            "spec": {"selector": {"app": "model"}, "ports": [{"port": 8000}]},
        },
    )
    release.namespace.kubectl("wait", "--for=condition=Ready", "pod/model", "--timeout=120s")
    command = ["python", "-", f"http://{HOSTS[0]}{PREFIX}"]
    said = release.namespace.kubectl("exec", "-i", CLIENT, "--", *command, stdin=STREAM).splitlines()[-1]
    words, _, seconds = said.rpartition(" ")
    assert words == str(["one", "two", "three", "four"])
    assert float(seconds) > 2, said  # not all of it at once, in the end


def test_a_browser(release: Release) -> None:
    """Its own pages, a page of an origin in `corsAllowedOrigins`, and a page of another."""
    addresses = dict.fromkeys(HOSTS, traefik()["spec"]["clusterIP"])
    base = f"http://{HOSTS[0]}{PREFIX}"
    eventually(
        lambda: "Default" in dump(f"{base}/#/experiments", addresses), "the UI names an experiment", 60
    )
    url, body = f"{base}/api/2.0/mlflow/experiments/search", {"max_results": 5}
    allowed = post_from("notebooks.example.com", url, body, addresses)
    assert allowed["status"] == 200 and "Default" in allowed["body"], allowed
    assert "error" in post_from("evil.example.com", url, body, addresses)


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
