from __future__ import annotations

import logging

import archive_traces as script
import init_container
import pytest
from mlflow_schema import UnusableSchema


@pytest.fixture(autouse=True)
def in_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(init_container, "_exit_on_sigterm", lambda program: None)


def record(text: str, cause: Exception | None = None) -> logging.LogRecord:
    error = RuntimeError("Upload\nfailed.")
    error.__cause__ = cause
    exc_info = (RuntimeError, error, None) if cause else None
    return logging.LogRecord("mlflow", logging.WARNING, "", 1, text, (), exc_info)


def test_a_failure_has_its_cause_on_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGPASSWORD", "geheim")
    failures = script.Failures()
    failures.handle(record("Failed to archive trace tr-1.", OSError("no access for geheim")))
    failures.handle(record("Marking trace tr-2 as malformed."))
    assert failures.texts == [
        "Failed to archive trace tr-1. Upload failed. no access for ***",
        "Marking trace tr-2 as malformed.",
    ]


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (script.NotMoved("not-moved: 1 failed"), 1, "archive-traces: not-moved: 1 failed"),
        (UnusableSchema("older-schema: a"), 4, "archive-traces: older-schema: a"),
    ],
)
def test_what_failed_is_said(
    error: Exception, code: int, line: str, monkeypatch: pytest.MonkeyPatch, termination_log: object
) -> None:
    def fail(uri: str) -> str:
        raise error

    monkeypatch.setattr(script, "archive", fail)
    assert script.main() == code
    assert termination_log.read_text() == f"{line}\n"  # type: ignore[attr-defined]


def test_the_functions_used_of_mlflow_exist() -> None:
    from mlflow.tracing import trace_archival_config, trace_archival_service

    assert callable(trace_archival_config.load_trace_archival_server_config)
    assert trace_archival_service.__name__ == "mlflow.tracing.trace_archival_service"
    assert isinstance(trace_archival_service._TRACE_ARCHIVAL_SCHEDULER_LAST_RUN_MONOTONIC, float)
