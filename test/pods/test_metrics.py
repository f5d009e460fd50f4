"""What a server counts for Prometheus: the requests that were made, over all workers, by the names in use."""

from __future__ import annotations

import json
import re

import pytest
import synthesis
from kubelet.kubernetes import Namespace
from kubelet.pod import Pod
from postgres import Postgres
from prometheus_client.parser import text_string_to_metric_families
from tracking import DEFAULT_EXPERIMENT, request
from waiting import eventually

pytestmark = pytest.mark.migrated

FOLDER = "/var/run/mlflow-metrics"
MISSING = "/api/2.0/mlflow/experiments/get?experiment_id=4711"
# Ends a worker that has counted, as the kernel does that is out of memory.
KILL = f"""
import os, pathlib, signal
pids = sorted(int(file.stem.split("_")[1]) for file in pathlib.Path("{FOLDER}").glob("counter_*.db"))
os.kill(pids[0], signal.SIGKILL)
"""


def start(namespace: Namespace, **options: object) -> Pod:
    namespace.apply(synthesis.server(metrics=True, workers=2, **options))
    [pod] = namespace.deployment()
    return pod.wait_ready()


def scrape(pod: Pod) -> dict[str, dict[str, float]]:
    """The samples by name and status."""
    answer = request(pod, "/metrics")
    assert answer.status == 200, answer.body
    samples: dict[str, dict[str, float]] = {}
    for family in text_string_to_metric_families(answer.body):
        for sample in family.samples:
            by_status = samples.setdefault(sample.name, {})
            status = sample.labels.get("status", "")
            by_status[status] = by_status.get(status, 0) + sample.value
    return samples


def ask(pod: Pod, path: str, status: int, times: int) -> None:
    assert [request(pod, path).status for _ in range(times)] == [status] * times


def wait_for_workers(pod: Pod, started: int) -> None:
    """The pod is ready with its first worker; the second may still load."""
    eventually(lambda: pod.current_log().count("startup complete") == started, pod.current_log, 90, 1)


def run_inside(pod: Pod, script: str) -> int | None:
    return pod.running[0].execute(["python", "-c", script], 30)


def test_counts_the_requests_of_all_workers_dead_ones_too(namespace: Namespace, postgres: Postgres) -> None:
    pod = start(namespace)
    wait_for_workers(pod, 2)
    ask(pod, DEFAULT_EXPERIMENT, 200, 60)
    ask(pod, MISSING, 404, 7)
    ask(pod, "/health", 200, 5)  # is not counted, as /metrics itself is not
    assert scrape(pod)["mlflow_http_request_total"] == {"200": 60, "404": 7}
    assert scrape(pod)["mlflow_http_request_duration_seconds_count"] == {"200": 60, "404": 7}

    assert run_inside(pod, KILL) == 0
    wait_for_workers(pod, 3)
    assert scrape(pod)["mlflow_http_request_total"] == {"200": 60, "404": 7}
    ask(pod, DEFAULT_EXPERIMENT, 200, 40)
    assert scrape(pod)["mlflow_http_request_total"] == {"200": 100, "404": 7}

    postgres.stop()
    ask(pod, DEFAULT_EXPERIMENT, 503, 3)
    assert scrape(pod)["mlflow_http_request_total"] == {"200": 100, "404": 7, "503": 3}


def test_the_names_in_use_are_there_at_the_root(namespace: Namespace, postgres: Postgres) -> None:
    pod = start(namespace, staticPrefix="/team/mlflow")
    ask(pod, f"/team/mlflow{DEFAULT_EXPERIMENT}", 200, 1)
    assert request(pod, "/metrics", "mlflow:5000").status == 200
    assert request(pod, "/metrics", "evil.example").status == 403
    assert request(pod, "/team/mlflow/metrics").status == 404
    otlp_metrics = pytest.importorskip("mlflow.server.otlp_metrics", reason="needs counters of traces")
    # Counters of traces appear with the first trace; the server's own module says what they are called.
    of_traces = {
        metric.describe()[0].name + "_total"
        for metric in (otlp_metrics.SPANS_INGESTED, otlp_metrics.INGESTION_ERRORS)
    }
    in_use = names_in_use()
    assert {"mlflow_http_request_total", "mlflow_http_request_duration_seconds_bucket"} <= in_use
    assert in_use <= {*scrape(pod), *of_traces}


def names_in_use() -> set[str]:
    """The server's own metrics in the alerts and on the dashboard."""
    documents = [each for each in synthesis.example("monitoring") if "monitoring" in each["metadata"]["name"]]
    # Without the scripts of the chart, whose name is the example's.
    documents = [
        each
        for each in documents
        if each["metadata"]["labels"]["app.kubernetes.io/component"] == "monitoring"
    ]
    assert [each["kind"] for each in documents] == ["PrometheusRule", "ConfigMap"]
    return set(re.findall(r"\bmlflow_\w+", json.dumps(documents)))
