"""What people log, in a store of any kind, made by MLflow's own client.

usage: python store_data.py URI ROOT RUNS METRICS_OF_A_RUN

Beside sqlite_server.py, which a file store could not take: it reads names as parts of a query.
"""

from __future__ import annotations

import sys

import mlflow
from mlflow import MlflowClient
from sqlite_server import ODD, log_models, log_runs, log_traces


def main(uri: str, root: str, runs: int, points: int) -> None:
    mlflow.set_tracking_uri(uri)
    mlflow.set_registry_uri(uri)
    client = MlflowClient(uri, uri)
    experiments = ["0"] + [
        client.create_experiment(f"experiment {number}", f"{root}/{number}", {"odd": odd, "team": "ml"})
        for number, odd in enumerate(ODD, 1)
    ]
    mlflow.set_experiment(experiment_id=experiments[1])
    ids = log_runs(client, experiments, range(runs), points)
    log_traces(20)
    log_models(client, experiments[2], ids[2::10])
    for number in range(5):
        name = f"model {number}"
        client.create_registered_model(name, {"odd": ODD[number]}, description=ODD[1])
        for i in range(3):
            source = f"{client.get_run(ids[number]).info.artifact_uri}/model"
            version = client.create_model_version(
                name, source, ids[number], {"odd": ODD[i]}, description=ODD[-1 - i]
            )
        client.set_registered_model_alias(name, "champion", version.version)
    client.delete_run(ids[5])
    client.delete_experiment(experiments[-1])


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
