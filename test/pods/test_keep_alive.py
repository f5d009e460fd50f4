"""nginx in front of a server, with connections that it keeps: requests after a pause find the server."""

from __future__ import annotations

import http.client
import random
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import synthesis
from kubelet.kubernetes import Namespace
from kubelet.pod import Pod
from postgres import Postgres
from waiting import eventually

pytestmark = pytest.mark.migrated

CLIENTS = 40
# uvicorn's own limit is 5 s. nginx's is 60 s, for servers and for clients.
PAUSES = 2
CONFIGURATION = """
daemon off;
worker_processes 1;
pid {folder}/pid;
error_log {folder}/error.log;
events {{ worker_connections 512; }}
http {{
  access_log off;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  upstream mlflow {{ server {pod}:5000; keepalive {clients}; }}
  server {{
    listen {address}:8080;
    location / {{
      proxy_pass http://mlflow;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
    }}
  }}
}}
"""


@pytest.fixture
def pod(namespace: Namespace, postgres: Postgres) -> Pod:
    namespace.apply(synthesis.server(workers=2))
    [pod] = namespace.deployment()
    return pod.wait_ready()


@pytest.fixture
def nginx(namespace: Namespace, pod: Pod, tmp_path: Path) -> Iterator[str]:
    address = namespace.new_server_address()
    text = CONFIGURATION.format(folder=tmp_path, pod=pod.address, address=address, clients=CLIENTS)
    configuration = tmp_path / "nginx.conf"
    configuration.write_text(text)
    process = subprocess.Popen(["nginx", "-e", str(tmp_path / "error.log"), "-c", str(configuration)])
    eventually(lambda: (tmp_path / "pid").exists(), "nginx runs", 10)
    yield address
    process.terminate()
    process.wait(10)


def post(client: http.client.HTTPConnection) -> int:
    """nginx sends no POST a second time."""
    headers = {"Content-Type": "application/json", "Host": "mlflow"}
    client.request("POST", "/api/2.0/mlflow/runs/search", '{"experiment_ids": ["0"]}', headers)
    answer = client.getresponse()
    answer.read()
    return answer.status


def test_requests_after_a_pause(nginx: str) -> None:
    def use(_: int) -> list[int]:
        client = http.client.HTTPConnection(nginx, 8080, timeout=60)
        statuses = []
        for _ in range(PAUSES + 1):
            statuses.append(post(client))
            time.sleep(random.uniform(4.98, 5.02))
        return statuses

    with ThreadPoolExecutor(CLIENTS) as pool:
        statuses = [status for each in pool.map(use, range(CLIENTS)) for status in each]
    assert [each for each in statuses if each != 200] == []
