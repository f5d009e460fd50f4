"""LOG_FORMAT=json, as an environment variable of every container: each line is an object."""

from __future__ import annotations

import json
from typing import Any

import synthesis
from kubelet.kubernetes import Document, Namespace
from postgres import Postgres
from tracking import request


def with_json(documents: list[Document]) -> list[Document]:
    for document in documents:
        if document["kind"] in ("Deployment", "Job"):
            pod = document["spec"]["template"]["spec"]
            for each in [*pod.get("initContainers", []), *pod["containers"]]:
                each.setdefault("env", []).append({"name": "LOG_FORMAT", "value": "json"})
    return documents


def parsed(log: str) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in log.splitlines()]
    for line in lines:
        assert [*line][:5] == ["time", "level", "severity", "logger", "message"], line
    return lines


def test_every_line_is_an_object(namespace: Namespace, postgres: Postgres) -> None:
    namespace.apply(with_json(synthesis.server(workers=2, metrics=True)))
    [pod] = namespace.deployment()
    pod.wait_ready()
    [waited, migrated] = pod.init
    assert parsed(waited.log)[-1]["message"].startswith("wait-for-database: ready: ")
    assert parsed(migrated.log)[-1]["message"].startswith("init-mlflow: initialised: ")
    assert {each["level"] for each in parsed(migrated.log)} == {"INFO"}
    assert request(pod, "/nothing?a=1").status == 404
    pod.delete()
    lines = parsed(pod.running[0].log())
    requests = [each for each in lines if each["logger"] == "uvicorn.access"]
    [missing] = [each for each in requests if each["status"] == 404]
    assert {"path": "/nothing?a=1", "method": "GET"}.items() <= missing.items()
    assert {"Started parent process", "Application startup complete."} <= {
        each["message"].split(" [")[0] for each in lines
    }


def test_the_last_words_of_a_failure(namespace: Namespace, postgres: Postgres) -> None:
    namespace.apply(with_json(synthesis.server(password="wrong", check=1)))
    [pod] = namespace.deployment()
    [ended] = pod.wait_init(60)
    assert (ended.code, parsed(ended.log)[-1]["level"]) == (1, "ERROR")
    # Not JSON, for `kubectl describe pod`.
    assert ended.message == parsed(ended.log)[-1]["message"] + "\n"
    assert ended.message.startswith("wait-for-database: wrong-password: ")
