from __future__ import annotations

import os
from pathlib import Path

import init_container
import pytest
from conftest import TerminationLog


def test_the_last_line_goes_to_the_termination_message_too(
    termination_log: TerminationLog, capsys: pytest.CaptureFixture[str]
) -> None:
    termination_log.write_text("something longer from an earlier start")
    assert init_container.fail("x: why", 3) == 3
    assert termination_log.read_text() == capsys.readouterr().out == "x: why\n"


@pytest.mark.parametrize(
    ("line", "causes"),
    [
        ("init-mlflow: tls-not-offered: server does not support SSL. Switch it on", ["tls-not-offered"]),
        ("bootstrap-database: as the administrator: wrong-password: no", ["wrong-password"]),
        ('bootstrap-database: database "a": as "b": refused: no', ["refused"]),
        ('p: database "a": refused: no\np: "b": no-login: no\nq: refused: ', ["refused", "no-login"]),
        ("store-backup: stored: x, 1 MB; but old dumps could not be deleted: denied: no", ["denied"]),
        ("x: why", []),
    ],
)
def test_the_termination_message_links_to_the_cause(
    line: str, causes: list[str], termination_log: TerminationLog, capsys: pytest.CaptureFixture[str]
) -> None:
    init_container.fail(line, 1)
    assert termination_log.links() == [f"{init_container.ERRORS}#{cause}" for cause in causes]
    assert termination_log.read_text() == capsys.readouterr().out == f"{line}\n"


def test_no_termination_message_file_is_made_outside_a_pod(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(init_container, "TERMINATION_LOG", str(tmp_path / "none"))
    assert init_container.fail("x: why", 1) == 1
    assert not (tmp_path / "none").exists()


def test_a_termination_message_that_cannot_be_written_is_no_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(init_container, "TERMINATION_LOG", str(tmp_path))
    assert init_container.fail("x: why", 1) == 1


@pytest.mark.parametrize(("text", "seconds"), [("90", 90), ("0.5", 0.5), (" 7 ", 7), ("", 120), ("0", 0)])
def test_reads_seconds(text: str, seconds: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_WAIT_SECONDS", text)
    assert init_container.seconds_from("DATABASE_WAIT_SECONDS", 120) == seconds


def test_seconds_have_a_default() -> None:
    assert init_container.seconds_from("DATABASE_WAIT_SECONDS", 120) == 120


@pytest.mark.parametrize("text", ["soon", "-1", "nan", "inf", "1m"])
def test_refuses_what_is_no_number_of_seconds(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_WAIT_SECONDS", text)
    with pytest.raises(init_container.BadSetting) as caught:
        init_container.seconds_from("DATABASE_WAIT_SECONDS", 120)
    assert str(caught.value) == f"DATABASE_WAIT_SECONDS must be a number of seconds from 0, got '{text}'"


@pytest.mark.parametrize(("given", "used"), [("", "5"), ("9", "9")])
def test_bounds_each_connection_attempt(given: str, used: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(init_container, "_exit_on_sigterm", lambda program: None)
    monkeypatch.setenv("LC_ALL", "de_DE.UTF-8")
    monkeypatch.setenv("LC_MESSAGES", "de_DE.UTF-8")
    monkeypatch.setenv("PGCONNECT_TIMEOUT", given)
    init_container.prepare("x")
    assert os.environ["PGCONNECT_TIMEOUT"] == used
    assert os.environ["LC_ALL"] == os.environ["LC_MESSAGES"] == "C"


def test_no_password_means_nothing_to_hide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PGPASSWORD")
    assert init_container.redact("as it was") == "as it was"
