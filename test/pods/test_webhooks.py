"""Webhooks on a server with several workers and no key for their secrets."""

from __future__ import annotations

import http.client
import json
from typing import Any

import pytest
import synthesis
from kubelet.kubernetes import Namespace
from kubelet.pod import Pod
from tracking import host_of

pytestmark = pytest.mark.migrated

PATH = "/api/2.0/mlflow/webhooks"
WEBHOOK = {
    "name": "on-create",
    "url": "https://93.184.216.34/hook",
    "events": [{"entity": "REGISTERED_MODEL", "action": "CREATED"}],
}


def send(pod: Pod, method: str, body: Any = None) -> tuple[int, Any]:
    connection = http.client.HTTPConnection(host_of(pod), timeout=30)
    headers = {"Content-Type": "application/json"}
    connection.request(method, PATH, json.dumps(body) if body else None, headers)
    response = connection.getresponse()
    return response.status, json.loads(response.read())


@pytest.mark.usefixtures("postgres")
def test_a_secret_that_no_other_worker_could_read_is_refused(namespace: Namespace) -> None:
    namespace.apply(synthesis.server(workers=2))
    [pod] = namespace.deployment()
    pod.wait_ready()
    status, answer = send(pod, "POST", {**WEBHOOK, "secret": "for signatures"})
    assert (status, answer["error_code"]) == (400, "INVALID_PARAMETER_VALUE")
    assert "encryption.webhookKey" in answer["message"]
    assert send(pod, "POST", WEBHOOK)[0] == 200
    lists = [send(pod, "GET") for _ in range(20)]
    assert {status for status, _ in lists} == {200}
    assert {len(answer["webhooks"]) for _, answer in lists} == {1}
