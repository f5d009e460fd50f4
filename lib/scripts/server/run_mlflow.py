"""MLflow's command line, which also logs as LOG_FORMAT says what it prints before uvicorn has started.

usage: run_mlflow.py ARGUMENT...    those of `mlflow`
"""

from __future__ import annotations

from log_format import log_as_told

if __name__ == "__main__":
    log_as_told("mlflow")
    from mlflow.cli import cli

    cli(prog_name="mlflow")
