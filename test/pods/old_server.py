"""A database as an older MLflow left it, 2.14 unless E2E_OLD_MLFLOW says otherwise, with data in it."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from mlflow import MlflowClient
from mlflow_schema import read_revisions
from postgres import PORT, Postgres

_VENV = Path(os.environ["E2E_OLD_VENV"])
_PYTHON = _VENV / "bin" / "python"
[_MIGRATIONS] = _VENV.glob("lib/python*/site-packages/mlflow/store/db_migrations/versions")
OLD_REVISION = read_revisions(_MIGRATIONS).head
# What the experiments refer to is not there: it is the data in the database that counts.
_FILL = """
from mlflow import MlflowClient
from mlflow.entities import Metric, Param, RunTag

client = MlflowClient("postgresql+psycopg2://", "postgresql+psycopg2://")
experiment = client.create_experiment("old", artifact_location="s3://bucket/old")
for number in range(20):
    run = client.create_run(experiment, run_name=f"run-{number}").info.run_id
    metrics = [Metric("loss", number + step / 10, step, step) for step in range(10)]
    client.log_batch(run, metrics, [Param("number", str(number))], [RunTag("color", "grün")])
    client.set_terminated(run)
client.create_registered_model("old-model", {"team": "ml"}, "from before")
client.create_model_version("old-model", "s3://bucket/old/model", run)
"""
_READ = """
from mlflow import MlflowClient

client = MlflowClient("postgresql+psycopg2://", "postgresql+psycopg2://")
[run, *others] = client.search_runs([client.get_experiment_by_name("old").experiment_id])
assert len(others) == 19 and len(client.get_metric_history(run.info.run_id, "loss")) == 10
client.create_run(run.info.experiment_id)
"""


def fill_old_file(path: Path) -> None:
    fill_old_store(f"sqlite:///{path}")


def fill_old_store(uri: str) -> None:
    """The same in a store of another kind."""
    _run(_FILL.replace("postgresql+psycopg2://", uri), os.environ)


def _run(script: str, environment: Mapping[str, str]) -> None:
    command = [str(_PYTHON), "-c", script]
    process = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert process.returncode == 0, process.stderr


def _run_on(postgres: Postgres, script: str) -> None:
    login = {"PGHOST": postgres.address, "PGPORT": str(PORT), "PGUSER": "mlflow", "PGPASSWORD": "a-password"}
    _run(script, {**os.environ, **login, "PGDATABASE": "mlflow"})


def fill_old_database(postgres: Postgres) -> None:
    _run_on(postgres, _FILL)
    assert postgres.value("SELECT version_num FROM alembic_version") == OLD_REVISION


def check_old_mlflow_works(postgres: Postgres) -> None:
    """MLflow 2.14 refuses a database with any other schema than its own."""
    _run_on(postgres, _READ)


def check_old_data(client: MlflowClient) -> None:
    experiment = client.get_experiment_by_name("old")
    assert experiment.artifact_location == "s3://bucket/old"
    runs = client.search_runs(
        [experiment.experiment_id], "tags.color = 'grün'", order_by=["metrics.loss ASC"]
    )
    assert [run.data.params["number"] for run in runs] == [str(number) for number in range(20)]
    assert [run.info.run_name for run in runs] == [f"run-{number}" for number in range(20)]
    history = client.get_metric_history(runs[7].info.run_id, "loss")
    assert [each.value for each in history] == [7 + step / 10 for step in range(10)]
    model = client.get_registered_model("old-model")
    assert (model.description, model.tags) == ("from before", {"team": "ml"})
    version = client.get_model_version("old-model", "1")
    assert (version.source, version.run_id) == ("s3://bucket/old/model", runs[-1].info.run_id)
