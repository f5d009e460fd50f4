"""MLflow's command line, which also logs as LOG_FORMAT says what it prints before uvicorn has started.

Its imports make 300,000 objects that stay. At Python's own thresholds the collector walks through them again
and again, which takes a sixth of the time.

usage: run_mlflow.py ARGUMENT...    those of `mlflow`
"""

from __future__ import annotations

import gc

from log_format import log_as_told

if __name__ == "__main__":
    log_as_told("mlflow")
    gc.set_threshold(50_000, 20, 100)
    from mlflow.cli import cli

    cli(prog_name="mlflow")
