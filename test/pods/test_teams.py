"""What a server for several teams has: workspaces, an AI Gateway to a private model, archived traces."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import mlflow
import pytest
import requests
import synthesis
from kubelet.kubernetes import Namespace
from mlflow import MlflowClient
from mlflow.entities import GatewayEndpointModelConfig, GatewayModelLinkageType
from postgres import Postgres
from test_auth import PASSWORD, log_in, secret, users_of
from tracking import client_of, url_of

pytestmark = pytest.mark.migrated

MONTH = 30 * 24 * 60
BYTES = "SELECT coalesce(sum(length(content)), 0)::int FROM spans WHERE trace_id = '{}'"
MONTH_AGO = (
    "UPDATE trace_info SET timestamp_ms = timestamp_ms - 31 * 86400000::bigint WHERE request_id = '{}'"
)
DELETED_A_MONTH_AGO = (
    "UPDATE runs SET deleted_time = deleted_time - 31 * 86400000::bigint WHERE run_uuid = '{}'"
)


class Upstream(BaseHTTPRequestHandler):
    """A stand-in of a model server with OpenAI's API, at a private address and without TLS."""

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        said = f"{self.path} {self.headers['Authorization']} {body['messages'][0]['content']}"
        choice = {"index": 0, "message": {"role": "assistant", "content": said}, "finish_reason": "stop"}
        usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
        answer = {"id": "1", "object": "chat.completion", "created": 1, "model": body["model"]}
        data = json.dumps({**answer, "choices": [choice], "usage": usage}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def upstream(namespace: Namespace) -> Iterator[str]:
    address = namespace.new_server_address("vllm")
    server = ThreadingHTTPServer((address, 8000), Upstream)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield "http://vllm:8000/v1"
    server.shutdown()
    server.server_close()


def know_version(client: MlflowClient) -> None:
    """MLflow's client asks once, for 3 s: without an answer, it stores spans as artifacts from then on."""
    store = client._tracking_client.store
    for _ in range(10):
        store._get_server_version.cache_clear()
        if store._get_server_version(store.get_host_creds()) is not None:
            return


def log_trace(client: MlflowClient, experiment: str) -> str:
    root = client.start_trace("ask", inputs={"question": "What is 世界?"}, experiment_id=experiment)
    child = client.start_span("find", root.trace_id, root.span_id, attributes={"documents": 3})
    client.end_span(root.trace_id, child.span_id)
    client.end_trace(root.trace_id, outputs={"answer": "the world"})
    mlflow.flush_trace_async_logging()
    return str(root.trace_id)


def spans(client: MlflowClient, trace_id: str) -> list[dict[str, object]]:
    return [span.to_dict() for span in client.get_trace(trace_id).data.spans]


@pytest.mark.slow
def test_for_teams(
    namespace: Namespace, postgres: Postgres, upstream: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = {
        "basicAuth": {"grantDefaultWorkspaceAccess": True, "defaultPermission": "USE"},
        "workspaces": True,
        "aiGateway": {"allowedProviders": ["openai"], "allowPrivateAddresses": True, "allowHttp": True},
        "archiveOlderThan": MONTH,
        "collectOlderThan": MONTH * 60,
    }
    namespace.apply([secret(), *synthesis.server(**options)])
    [server] = namespace.deployment()
    client = client_of(server.wait_ready(300))
    mlflow.set_tracking_uri(url_of(server))
    log_in(monkeypatch, "admin")
    users_of(server).create_user("member", PASSWORD)
    log_in(monkeypatch, "member")
    client.create_experiment("of a member, in the default workspace")
    log_in(monkeypatch, "admin")
    check_gateway(client, url_of(server), upstream)
    client.create_workspace("team")
    mlflow.set_workspace("team")
    try:
        experiment = client.create_experiment("of the team")
        check_archival(client, experiment, namespace, postgres)
        check_collection(client, experiment, namespace, postgres)
    finally:
        mlflow.set_workspace(None)


def check_gateway(client: MlflowClient, url: str, upstream: str) -> None:
    store = client._tracking_client.store

    def ask(provider: str) -> requests.Response:
        key = store.create_gateway_secret(provider, {"api_key": "k"}, provider, {"api_base": upstream})
        model = store.create_gateway_model_definition(provider, key.secret_id, provider, "llama")
        config = GatewayEndpointModelConfig(model.model_definition_id, GatewayModelLinkageType.PRIMARY)
        store.create_gateway_endpoint(provider, [config], usage_tracking=False)
        messages = [{"role": "user", "content": "Hi"}]
        path = f"{url}/gateway/{provider}/mlflow/invocations"
        return requests.post(path, json={"messages": messages}, auth=("admin", PASSWORD), timeout=30)

    answer = ask("openai")
    assert answer.status_code == 200, answer.text
    assert answer.json()["choices"][0]["message"]["content"] == "/v1/chat/completions Bearer k Hi"
    refused = ask("mistral")
    assert (refused.status_code, "not allowed" in refused.text) == (400, True), refused.text


def check_archival(client: MlflowClient, experiment: str, namespace: Namespace, postgres: Postgres) -> None:
    know_version(client)
    old, young = (log_trace(client, experiment) for _ in range(2))
    before = {each: spans(client, each) for each in (old, young)}
    assert [len(each) for each in before.values()] == [2, 2]
    postgres.execute(MONTH_AGO.format(old), "mlflow")
    size = postgres.value(BYTES.format(young))
    assert size > 0

    [ended] = namespace.cron_job("mlflow-archival").wait_completed(120)
    assert ended.code == 0, ended
    assert re.fullmatch(r"archive-traces: moved: 1 traces in \d+\.\d s", ended.log.splitlines()[-1]), ended
    assert [postgres.value(BYTES.format(each)) for each in (old, young)] == [0, size]
    assert {each: spans(client, each) for each in (old, young)} == before
    folder = namespace.folder_of_claim("mlflow-artifacts")
    path = Path("workspaces", "team", experiment, "traces")
    assert [file.relative_to(folder) for file in folder.rglob("traces.pb")] == [
        path / old / "artifacts" / "traces.pb"
    ]

    # What the store refuses makes the Job fail, and stays where it is.
    postgres.execute(MONTH_AGO.format(young), "mlflow")
    (folder / path / young).write_text("in the way")
    [ended] = namespace.cron_job("mlflow-archival").wait_completed(120)
    assert ended.code == 1, ended
    assert ended.message.startswith(
        "archive-traces: not-moved: 1 failed, 0 traces moved. The first: Failed"
    ), ended
    assert spans(client, young) == before[young]


def check_collection(client: MlflowClient, experiment: str, namespace: Namespace, postgres: Postgres) -> None:
    run = client.create_run(experiment).info.run_id
    client.delete_run(run)
    postgres.execute(DELETED_A_MONTH_AGO.format(run), "mlflow")
    [ended] = namespace.cron_job("mlflow-gc").wait_completed(120)
    assert ended.code == 0, ended
    assert "collect-garbage: collected: 1 run," in ended.log, ended
