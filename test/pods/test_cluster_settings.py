"""What a cluster asks of every pod: a user that it assigns, CAs of its own, JSON logs, scripts in a zip."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import synthesis
from certificates import make_ca
from kubelet.kubernetes import Namespace
from kubelet.template import ASSIGNED_USER
from postgres import Postgres
from tracking import request


def parsed(log: str) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in log.splitlines()]
    for line in lines:
        assert [*line][:5] == ["time", "level", "severity", "logger", "message"], line
    return lines


# Each client of Python's has its own way to its CAs.
CHECK = f"""
import os, pwd, requests, ssl
assert (os.getuid(), os.getgid()) == ({ASSIGNED_USER}, 0), (os.getuid(), os.getgid())
assert not [each for each in pwd.getpwall() if each.pw_uid == os.getuid()]
cas = ssl.create_default_context().get_ca_certs()
assert len(cas) > 50, len(cas)
assert any("cluster-ca" in str(each["subject"]) for each in cas)
settings = requests.Session().merge_environment_settings("https://example.com", {{}}, None, None, None)
assert settings["verify"] == os.environ["AWS_CA_BUNDLE"] == os.environ["SSL_CERT_FILE"], settings
"""

SCRIPTS = "/opt/mlflow/scripts"
# There is no other copy: what has started so far, the loop of each worker included, came from the zip.
FROM_ZIP = f"""
import bounded_loop, os
assert bounded_loop.__file__ == "{SCRIPTS}/scripts.zip/bounded_loop.py", bounded_loop.__file__
files = sorted(each for each in os.listdir("{SCRIPTS}") if not each.startswith("."))
assert files == ["scripts.zip", "uvicorn_log.json"], files
"""


@pytest.fixture(autouse=True)
def _cluster_ca(namespace: Namespace, tmp_path: Path) -> None:
    make_ca(tmp_path, "cluster-ca")
    ca = {"ca.crt": (tmp_path / "cluster-ca.crt").read_text()}
    namespace.apply([{"kind": "ConfigMap", "metadata": {"name": "cluster-ca"}, "data": ca}])


def test_user_cas_and_logs(namespace: Namespace, postgres: Postgres) -> None:
    namespace.apply(synthesis.server(workers=2, metrics=True, openShift=True, compact=True))
    [pod] = namespace.deployment()
    pod.wait_ready()
    assert pod.running[0].execute(["python", "-c", CHECK], 30) == 0, pod.running[0].log()
    [bundled, prepared] = pod.init
    assert bundled.log == ""
    said = parsed(prepared.log)
    assert said[0]["message"].startswith("wait-for-database: ready: ")
    assert said[-1]["message"].startswith("init-mlflow: initialised: ")
    assert {each["level"] for each in said} == {"INFO"}
    assert request(pod, "/nothing?a=1").status == 404
    ask = ["python", f"{SCRIPTS}/scripts.zip", "inspect_database", "login", "revision"]
    assert pod.running[0].execute(ask, 60) == 0, pod.running[0].log()
    assert pod.running[0].execute(["python", "-c", FROM_ZIP], 30) == 0, pod.running[0].log()
    pod.delete()
    lines = parsed(pod.running[0].log())
    requests = [each for each in lines if each["logger"] == "uvicorn.access"]
    [missing] = [each for each in requests if each["status"] == 404]
    assert {"path": "/nothing?a=1", "method": "GET"}.items() <= missing.items()
    assert {"Started parent process", "Application startup complete."} <= {
        each["message"].split(" [")[0] for each in lines
    }


def test_the_last_words_of_a_failure(namespace: Namespace, postgres: Postgres) -> None:
    namespace.apply(synthesis.server(password="wrong", check=1, openShift=True))
    [pod] = namespace.deployment()
    [*_, ended] = pod.wait_init(60)
    assert (ended.code, parsed(ended.log)[-1]["level"]) == (1, "ERROR")
    # Not JSON, for `kubectl describe pod`.
    assert ended.message == parsed(ended.log)[-1]["message"] + "\n"
    assert ended.message.startswith("wait-for-database: wrong-password: ")
