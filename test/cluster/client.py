"""Runs in a pod of the cluster, with MLflow's own client.

usage: client.py write URL               log a run, print its id
       client.py read RUN_ID URL...      read the run back through each URL
"""

from __future__ import annotations

import os
import sys
import tempfile
import uuid
from pathlib import Path

os.environ["GIT_PYTHON_REFRESH"] = "quiet"

import mlflow

TEXT = "as logged\n"


def write(url: str) -> None:
    mlflow.set_tracking_uri(url)
    mlflow.set_experiment(f"experiment-{uuid.uuid4().hex}")
    with mlflow.start_run() as run:
        mlflow.log_param("alpha", 0.5)
        mlflow.log_metric("loss", 1.5, step=1)
        mlflow.log_metric("loss", 0.25, step=2)
        mlflow.set_tag("team", "platform")
        mlflow.log_text(TEXT, "notes/note.txt")
    print(f"run_id={run.info.run_id}")


def read(run_id: str, url: str) -> None:
    mlflow.set_tracking_uri(url)
    client = mlflow.MlflowClient()
    data = client.get_run(run_id).data
    assert data.params == {"alpha": "0.5"}, data.params
    assert data.tags["team"] == "platform", data.tags
    history = [(metric.step, metric.value) for metric in client.get_metric_history(run_id, "loss")]
    assert history == [(1, 1.5), (2, 0.25)], history
    with tempfile.TemporaryDirectory() as folder:
        note = Path(client.download_artifacts(run_id, "notes/note.txt", folder)).read_text()
        assert note == TEXT, note
    print(f"read through {url}")


if __name__ == "__main__":
    if sys.argv[1] == "write":
        write(sys.argv[2])
    else:
        for each in sys.argv[3:]:
            read(sys.argv[2], each)
