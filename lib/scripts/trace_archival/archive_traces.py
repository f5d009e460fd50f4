"""Move spans of old traces from the database to the artifacts, as MLflow's job runner does every minute.

MLflow logs what it could not move and goes on, and takes a configuration that it cannot use for none. Here
both make the pod fail, after everything that could be moved has been.

Environment besides libpq's own (PG*):
  MLFLOW_BACKEND_STORE_URI      default postgresql+psycopg2://
  MLFLOW_TRACE_ARCHIVAL_CONFIG  the server's file: where traces go, and at which age
  MLFLOW_DEFAULT_ARTIFACT_ROOT  of the default experiment, should MLflow make it anew (mlflow-artifacts:/)

Last line on stdout when it ends well, on one line:
  archive-traces: moved: <n> traces in <s> s

Exit codes: 0 done; 1 failed (the cause is named); 4 the schema is not this image's, nothing was touched; 143
stopped by SIGTERM. The line of a failure is also the termination message. What was moved stays moved.
"""

from __future__ import annotations

import logging
import os
import sys
import time
from contextlib import closing

from database_errors import fail_with
from exit_codes import DONE, WRONG_VERSION
from init_container import BadSetting, Failure, fail, one_line, prepare, redact, required
from mlflow_schema import UnusableSchema, check_current, connect, has_workspaces, store_uri

PROGRAM = "archive-traces"
CONFIG = "MLFLOW_TRACE_ARCHIVAL_CONFIG"


class NotMoved(Failure):
    pass


class Failures(logging.Handler):
    """What MLflow only logs."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        causes = [str(each) for each in (error, error and error.__cause__) if each]
        self.texts.append(one_line(redact(" ".join([record.getMessage(), *causes]))))


def archive(uri: str) -> str:
    started = time.monotonic()
    check_current(uri)
    with closing(connect(uri)) as connection:
        if has_workspaces(connection):
            # As `mlflow server --enable-workspaces` does.
            os.environ |= {"MLFLOW_ENABLE_WORKSPACES": "true", "MLFLOW_WORKSPACE_STORE_URI": uri}
    moved, failures = run_archival(required(CONFIG))
    if failures:
        raise NotMoved(f"not-moved: {len(failures)} failed, {moved} traces moved. The first: {failures[0]}")
    return f"moved: {moved} traces in {time.monotonic() - started:.1f} s"


def run_archival(config: str) -> tuple[int, list[str]]:
    """The only place that imports MLflow."""
    try:
        from mlflow.tracing import trace_archival_service as service
        from mlflow.tracing.trace_archival_config import load_trace_archival_server_config
    except ImportError as error:
        raise BadSetting("this MLflow cannot archive traces. Use an image of MLflow 3.17 or later") from error

    load_trace_archival_server_config(config)
    failures = Failures()
    for name in (service.__name__, "mlflow.store.tracking.sqlalchemy_store"):
        logging.getLogger(name).addHandler(failures)
    # It holds off for minutes after the start of the node, whose clock it reads.
    service._TRACE_ARCHIVAL_SCHEDULER_LAST_RUN_MONOTONIC = float("-inf")
    return service.run_trace_archival_scheduler(), failures.texts


def main() -> int:
    prepare(PROGRAM)
    try:
        print(f"{PROGRAM}: {archive(store_uri())}", flush=True)
        return DONE
    except UnusableSchema as error:
        return fail(f"{PROGRAM}: {error}", WRONG_VERSION)
    except Exception as error:
        return fail_with(PROGRAM, error)


if __name__ == "__main__":
    sys.exit(main())
