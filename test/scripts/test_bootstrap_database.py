from __future__ import annotations

from pathlib import Path

import bootstrap_database as script
import init_container
import pytest
from bootstrap_database import Refused, Target
from conftest import DatabaseError
from database_errors import CAUSES, Problem

TARGET = {"USER": "mlflow", "PASSWORD": "hunter2", "DATABASE": "mlflow"}


@pytest.fixture(autouse=True)
def in_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(init_container, "_exit_on_sigterm", lambda program: None)
    monkeypatch.setattr(script, "log_in", lambda: "yes")
    monkeypatch.setattr(script, "POLL_SECONDS", 0)
    monkeypatch.setenv("BOOTSTRAP_WAIT_SECONDS", "0")
    for name, value in TARGET.items():
        monkeypatch.setenv(f"BOOTSTRAP_{name}", value)


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("USER", "", "BOOTSTRAP_USER must not be empty"),
        ("PASSWORD", "", "BOOTSTRAP_PASSWORD must not be empty"),
        ("DATABASE", "", "BOOTSTRAP_DATABASE must not be empty"),
        ("USER", "ü" * 32, "BOOTSTRAP_USER must have at most 63 bytes, got 64"),
        ("DATABASE", "d" * 64, "BOOTSTRAP_DATABASE must have at most 63 bytes, got 64"),
        ("PASSWORD", "\udce4", "BOOTSTRAP_PASSWORD must be UTF-8"),
        ("WAIT_SECONDS", "soon", "BOOTSTRAP_WAIT_SECONDS must be a number of seconds from 0, got 'soon'"),
    ],
)
def test_bad_settings(
    name: str, value: str, text: str, monkeypatch: pytest.MonkeyPatch, termination_log: Path
) -> None:
    monkeypatch.setenv(f"BOOTSTRAP_{name}", value)
    assert script.main() == 1
    assert termination_log.read_text().startswith(f"bootstrap-database: bad-settings: {text}. ")


def test_names_of_63_bytes_and_long_passwords_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BOOTSTRAP_USER", "u" * 63)
    monkeypatch.setenv("BOOTSTRAP_PASSWORD", "p" * 1000)
    assert script.targets_from_environment() == [Target("u" * 63, "p" * 1000, "mlflow")]


@pytest.mark.parametrize(("cause", "code"), [("refused", 2), ("wrong-password", 1), ("tls-not-offered", 1)])
def test_the_administrators_own_login(
    cause: str, code: int, monkeypatch: pytest.MonkeyPatch, termination_log: Path
) -> None:
    monkeypatch.setattr(script, "log_in", lambda: Problem(CAUSES[cause], "seen"))
    assert script.main() == code
    assert termination_log.read_text() == (
        f"bootstrap-database: as the administrator: {cause}: seen. {CAUSES[cause].advice}\n"
    )


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (Refused("busy: wait, hunter2"), "busy: wait, ***"),
        (DatabaseError("too many clients already"), "too-many-connections: too many clients already. "),
        (ModuleNotFoundError("No module named 'psycopg2'"), "bad-image: No module named 'psycopg2'. "),
        (KeyError("hunter2"), "unknown: KeyError: '***'"),
    ],
)
def test_names_the_cause_and_no_password(
    error: Exception, text: str, monkeypatch: pytest.MonkeyPatch, termination_log: Path
) -> None:
    def bootstrap(*_: object) -> None:
        raise error

    monkeypatch.setattr(script, "bootstrap", bootstrap)
    assert script.main() == 1
    assert termination_log.read_text().startswith(f"bootstrap-database: {text}")


def test_says_what_is_still_wrong(monkeypatch: pytest.MonkeyPatch, termination_log: Path) -> None:
    monkeypatch.setattr(script, "bootstrap", lambda *_: Problem(CAUSES["pg-hba"], "seen"))
    assert script.main() == 1
    assert termination_log.read_text() == (
        f'bootstrap-database: as "mlflow": pg-hba: seen. {CAUSES["pg-hba"].advice}\n'
    )


def test_waits_for_what_can_heal_at_any_step(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    outcomes = iter([Problem(CAUSES["no-route"], "seen"), Problem(CAUSES["starting-up"], "seen"), "there"])
    monkeypatch.setenv("BOOTSTRAP_WAIT_SECONDS", "60")
    monkeypatch.setattr(script, "bootstrap", lambda *_: next(outcomes))
    assert script.main() == 0
    assert [line.split(":")[1:3] for line in capsys.readouterr().out.splitlines()] == [
        [" waiting", " no-route"],
        [" waiting", " starting-up"],
        [" ready", " there"],
    ]


def test_says_that_it_is_ready(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(script, "bootstrap", lambda *_: 'user "mlflow"')
    assert script.main() == 0
    assert capsys.readouterr().out == 'bootstrap-database: ready: user "mlflow"\n'
