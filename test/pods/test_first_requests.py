"""A worker's first requests, in many threads at once: what they import must not break it for life.

The first search imports mlflow.server.auth, which defines mappers of SQLAlchemy. The first call of the
registry imports its store, which configures all of them. Here a class of the former takes 4 seconds to make,
and models are created 2 seconds later than runs are searched, so that the one falls into the other.
"""

from __future__ import annotations

import time
from typing import Any

import pytest
import synthesis
from kubelet.kubernetes import Namespace
from loading import Load, create_model, search
from postgres import Postgres
from test_connections import callers, unbounded
from tracking_api import Answer, Caller

pytestmark = pytest.mark.migrated

WIDENED = """
import builtins
import time

build = builtins.__build_class__


def slow_build(body, name, *args, **options):
    made = build(body, name, *args, **options)
    if name == "SqlUser":
        time.sleep(4)
    return made


builtins.__build_class__ = slow_build
"""


def widened(documents: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Every Python process of the server runs sitecustomize.py first."""
    [deployment] = [each for each in documents if each["kind"] == "Deployment"]
    pod = deployment["spec"]["template"]["spec"]
    [container] = pod["containers"]
    pod["volumes"].append({"name": "widened", "configMap": {"name": "widened"}})
    container["volumeMounts"].append({"name": "widened", "mountPath": "/widened"})
    for variable in container["env"]:
        if variable["name"] == "PYTHONPATH":
            variable["value"] += ":/widened"
    config = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "widened"},
        "data": {"sitecustomize.py": WIDENED},
    }
    return [config, *documents]


def failures_of_first_requests(namespace: Namespace, documents: list[dict[str, Any]]) -> int:
    """How many of the first requests of fresh workers are answered 500."""
    namespace.apply(documents)
    [pod] = namespace.deployment()
    clients = callers(pod.wait_ready())
    searching = set(clients[::2])

    def first(caller: Caller, i: int) -> Answer:
        if caller in searching:
            return search(caller, i)
        time.sleep(2)
        return create_model(caller, i)

    return Load(clients, [first], seconds=8).codes[500]


def test_the_registry_answers_from_the_first_request_on(namespace: Namespace, postgres: Postgres) -> None:
    assert failures_of_first_requests(namespace, widened(synthesis.server(workers=2))) == 0


def test_without_the_librarys_loop_it_breaks(namespace: Namespace, postgres: Postgres) -> None:
    """Why the loop imports the stores: on an MLflow that this does not break, the imports can go."""
    assert failures_of_first_requests(namespace, unbounded(widened(synthesis.server(workers=2)))) > 0
