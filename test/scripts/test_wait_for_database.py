from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import database_check
import database_wait
import migrate_database
import pytest
import wait_for_database as script
from conftest import PASSWORD, Clock
from database_errors import CAUSES, Cause, Problem
from exit_codes import DONE, FAILED, UNREACHABLE

# All that wait for the database, and the program that says so.
PATHS = [Path(script.__file__), Path(migrate_database.__file__)]


def problem(name: str) -> Problem:
    return Problem(CAUSES[name], "seen")


def run(
    outcomes: Iterator[database_check.Outcome], clock: Clock, seconds: float = 120, may_appear: bool = False
) -> int:
    return database_wait.wait(seconds, may_appear, lambda: next(outcomes), clock, clock.sleep)


def forever(name: str) -> Iterator[Problem]:
    while True:
        yield problem(name)


def test_says_one_line_for_each_attempt(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(iter([problem("refused"), problem("starting-up"), "mlflow"]), clock) == DONE
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(" (attempt")[0] for line in lines] == [
        f"wait-for-database: refused: seen. {CAUSES['refused'].advice}",
        f"wait-for-database: starting-up: seen. {CAUSES['starting-up'].advice}",
        "wait-for-database: ready: mlflow",
    ]
    assert "(attempt 3 at " in lines[-1]


@pytest.mark.parametrize(
    "cause", [cause for cause in CAUSES.values() if not cause.retry], ids=lambda c: c.name
)
def test_fails_at_once_where_waiting_cannot_heal(cause: Cause, clock: Clock, termination_log: Path) -> None:
    assert run(forever(cause.name), clock) == FAILED
    assert clock.naps == []
    advice = cause.advice.replace("{schema}", "public")
    assert termination_log.read_text().startswith(f"wait-for-database: {cause.name}: seen. {advice} (")


@pytest.mark.parametrize("cause", [cause for cause in CAUSES.values() if cause.retry], ids=lambda c: c.name)
def test_tries_until_the_deadline_and_not_longer(cause: Cause, clock: Clock, termination_log: Path) -> None:
    assert run(forever(cause.name), clock, seconds=60) == UNREACHABLE
    assert clock.now == 1060
    assert termination_log.read_text().startswith(f"wait-for-database: {cause.name}: seen.")


def test_pauses_grow_to_a_bound(clock: Clock) -> None:
    run(forever("refused"), clock, seconds=100)
    assert 0.25 <= clock.naps[0] <= 0.5
    assert 0.5 <= clock.naps[1] <= 1
    assert all(2.5 <= nap <= 5 for nap in clock.naps[4:-1])
    assert max(clock.naps) <= 5


def test_tries_once_with_a_deadline_of_zero(clock: Clock) -> None:
    assert run(iter([problem("refused")]), clock, seconds=0) == UNREACHABLE
    assert clock.naps == []


@pytest.mark.parametrize("name", [cause.name for cause in CAUSES.values() if cause.may_appear])
def test_waits_for_what_is_being_made_only_if_it_may_appear(name: str, clock: Clock) -> None:
    assert run(forever(name), clock) == FAILED
    assert run(iter([problem(name), "there"]), clock, may_appear=True) == DONE


DEFAULT_PATH = ('"$user", public', ["public", "pg_catalog"], False)


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (("u", "d", "public", False, True, None), "ready"),
        (("u", "d", "public", False, True, True), "ready"),
        (("u", "d", "public", False, False, True), "ready"),
        (("u", "d", "public", True, True, True), "read-only"),
        (("u", "d", "public", False, False, None), "no-create-privilege"),
        (("u", "d", None, False, False, None), "no-create-privilege"),
        (("u", "d", "public", False, True, False), "no-table-privilege"),
    ],
)
def test_judges_the_session(row: tuple, expected: str) -> None:
    outcome = database_check.judge(*row, *DEFAULT_PATH)
    assert (outcome.cause.name if isinstance(outcome, Problem) else "ready") == expected


@pytest.mark.parametrize(
    ("wanted", "schema", "path", "may_create", "expected"),
    [
        ("ml", "ml", "ml", False, 'user "u", database "d", schema "ml", without MLflow\'s tables'),
        (None, "ml", "ml", False, 'user "u", database "d", schema "ml", without MLflow\'s tables'),
        ("new", None, "new", True, 'user "u", database "d", schema "new", which does not exist yet'),
        (
            "new",
            None,
            "new",
            False,
            'missing-schema: there is no such schema (user "u", database "d", schema "new"). CREATE SCHEMA'
            " new AUTHORIZATION this user, or GRANT CREATE ON DATABASE to this user",
        ),
        (
            None,
            None,
            '"$user", ml',
            True,
            'no-create-privilege: no USAGE or no CREATE on the schema (user "u", database "d", schema "ml").'
            " GRANT USAGE, CREATE ON SCHEMA ml to this user, or make it the owner of the database (PostgreSQL"
            " 15 and later grant CREATE to nobody else)",
        ),
        (
            "ml",
            "public",
            '"$user", public',
            True,
            'other-schema: the search_path is "$user", public instead of ml (user "u", database "d", schema'
            ' "public"). A pooler passes no schema on: ALTER ROLE this user IN DATABASE this database SET'
            " search_path = ml, and leave out `schema` of the backend",
        ),
    ],
)
def test_judges_the_schema(
    wanted: str | None,
    schema: str | None,
    path: str,
    may_create: bool,
    expected: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if wanted is not None:
        monkeypatch.setenv("DATABASE_SCHEMA", wanted)
    schemas = ["public", "ml"]
    usable = schema is not None
    row = ("u", "d", schema, False, usable, None, path, schemas, may_create)
    assert str(database_check.judge(*row)) == expected


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ('"$user", public', "public"),
        ('"$user", "a, ""b"""', 'a, "b"'),
        ("ml, other", "ml"),
        ("gone, other", "other"),
        ("gone", "gone"),
        ('"$user"', "u"),
        ("", "public"),
    ],
)
def test_names_the_schema_of_a_search_path(path: str, expected: str) -> None:
    assert database_check.named_schema(path, "u", ["public", "ml", "other", 'a, "b"']) == expected


class Driver(ModuleType):
    """A psycopg2 whose server answers the query with `row`, or whose connection fails with `error`."""

    class Error(Exception):
        pgcode = None

    def __init__(self, row: tuple = (), error: str = "") -> None:
        super().__init__("psycopg2")
        self.row, self.error, self.closed = row, error, False

    def connect(self, dsn: str) -> Driver:
        assert dsn == ""
        if self.error:
            raise self.Error(self.error)
        return self

    def cursor(self) -> Driver:
        return self

    def __enter__(self) -> Driver:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def execute(self, query: str) -> None:
        assert query == database_check.QUERY

    def fetchone(self) -> tuple:
        return self.row

    def close(self) -> None:
        self.closed = True


def test_logs_in_queries_and_closes(monkeypatch: pytest.MonkeyPatch) -> None:
    driver = Driver(("u", "d", "public", False, True, None, *DEFAULT_PATH))
    monkeypatch.setitem(sys.modules, "psycopg2", driver)
    assert database_check.check() == 'user "u", database "d", schema "public", without MLflow\'s tables'
    assert driver.closed


def test_names_the_cause_of_a_failed_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg2", Driver(error="timeout expired"))
    assert database_check.check().cause.name == "timeout"


def test_whoever_goes_on_is_not_ended_later(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_WAIT_SECONDS", "0")
    monkeypatch.setattr(database_wait, "HANG_GRACE", 0.05)
    monkeypatch.setattr(database_wait, "wait", lambda *_: DONE)
    ended: list[int] = []
    monkeypatch.setattr(database_wait.os, "_exit", ended.append)
    assert database_wait.wait_as_set() == DONE
    time.sleep(0.2)
    assert ended == []


def test_an_image_without_driver_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg2", None)
    assert database_check.check().cause.name == "bad-image"


def test_the_password_is_in_no_output(
    monkeypatch: pytest.MonkeyPatch, clock: Clock, capsys: pytest.CaptureFixture[str], termination_log: Path
) -> None:
    echo = f'invalid port number: "{PASSWORD}"'
    monkeypatch.setitem(sys.modules, "psycopg2", Driver(error=echo))
    assert database_wait.wait(1, False, database_check.check, clock, clock.sleep) == FAILED
    output = capsys.readouterr()
    for text in (output.out, output.err, termination_log.read_text()):
        assert PASSWORD not in text
    assert 'bad-settings: invalid port number: "***".' in output.out


def start(path: Path = PATHS[0], **environ: str) -> subprocess.Popen[str]:
    pytest.importorskip("psycopg2")
    # In a pod, all scripts are in one folder.
    modules = {"PYTHONPATH": os.pathsep.join(sys.path), "PYTHONDONTWRITEBYTECODE": "1"}
    environ = {**os.environ, **modules, "PGHOST": "127.0.0.1", "PGPORT": "1", **environ}
    return subprocess.Popen([sys.executable, path], env=environ, stdout=subprocess.PIPE, text=True)


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_the_program_ends_with_its_exit_code(path: Path) -> None:
    process = start(path, DATABASE_WAIT_SECONDS="0.6")
    output, _ = process.communicate(timeout=20)
    assert process.returncode == UNREACHABLE
    assert output.startswith("wait-for-database: refused: connection to server at ")
    assert output.endswith(": giving up)\n")


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
@pytest.mark.parametrize("seconds", ["soon", "-1", "nan", "inf"])
def test_the_program_refuses_a_deadline_that_is_no_number(seconds: str, path: Path) -> None:
    process = start(path, DATABASE_WAIT_SECONDS=seconds)
    output, _ = process.communicate(timeout=20)
    assert process.returncode == FAILED
    problem = f"DATABASE_WAIT_SECONDS must be a number of seconds from 0, got '{seconds}'."
    assert output.startswith(f"wait-for-database: bad-settings: {problem}")


def test_sigterm_ends_the_program_at_once() -> None:
    process = start(DATABASE_WAIT_SECONDS="60")
    process.stdout.readline()
    process.send_signal(signal.SIGTERM)
    sent = time.monotonic()
    output, _ = process.communicate(timeout=20)
    assert time.monotonic() - sent < 2
    assert process.returncode == 143
    assert output.endswith("wait-for-database: terminated: got SIGTERM before the work was done\n")
