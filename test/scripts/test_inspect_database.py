from __future__ import annotations

import socket
from collections.abc import Iterator

import inspect_database as script
import pytest
from conftest import PASSWORD, DatabaseError
from database_errors import CAUSES, Problem
from mlflow_schema import Revisions, Schema


@pytest.fixture
def port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.fixture
def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def ask(capsys: pytest.CaptureFixture[str], *questions: str) -> tuple[int, list[str]]:
    code = script.main(list(questions))
    return code, capsys.readouterr().out.splitlines()


def test_reachable_says_so_for_each_host(
    port: int, closed_port: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PGHOST", "127.0.0.1,localhost")
    monkeypatch.setenv("PGPORT", f"{closed_port},{port}")
    code, [first, second] = ask(capsys, "reachable")
    assert code == 0
    assert first.startswith(f"reachable: 127.0.0.1 port {closed_port}: refused: ")
    assert second.startswith(f"reachable: localhost port {port}: listens (127.0.0.1, ")


def test_one_port_counts_for_all_hosts(
    closed_port: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PGHOST", "127.0.0.1,nowhere.invalid")
    monkeypatch.setenv("PGPORT", str(closed_port))
    code, lines = ask(capsys, "reachable")
    assert (code, len(lines), lines[2]) == (1, 3, "reachable: nothing listens there")
    assert lines[1].startswith(f"reachable: nowhere.invalid port {closed_port}: unknown-host: ")


@pytest.mark.parametrize("cause", ["wrong-password", "missing-database", "tls-not-offered", "refused"])
def test_tells_failures_apart(
    cause: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    texts = {
        "wrong-password": f'password authentication failed for user "{PASSWORD}"',
        "missing-database": 'database "x" does not exist',
        "tls-not-offered": "server does not support SSL, but SSL was required",
        "refused": "Connection refused",
    }

    def connect(uri: str) -> None:
        raise DatabaseError(texts[cause])

    monkeypatch.setattr(script, "connect", connect)
    code, [line] = ask(capsys, "sizes")
    assert code == 1
    assert line.startswith(f"sizes: {cause}: ")
    assert line.endswith(CAUSES[cause].advice)
    assert PASSWORD not in line


def test_the_login_has_to_be_enough_for_mlflow(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(script, "check", lambda: Problem(CAUSES["no-create-privilege"], "seen"))
    monkeypatch.setattr(script, "select", lambda *_: [[("PostgreSQL 15.1", None)]])
    code, [server, problem] = ask(capsys, "login")
    assert (code, server) == (1, "login: PostgreSQL 15.1")
    assert problem.startswith("login: no-create-privilege: ")


@pytest.mark.parametrize(
    ("found", "code", "last"),
    [
        ("head", 0, "revision: database head, image head"),
        ("old", 1, "revision: the schema is older than the image: look at init-mlflow"),
        ("new", 1, "revision: newer-schema: the database is at revision new, "),
    ],
)
def test_revision(
    found: str,
    code: int,
    last: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(script, "image_revisions", lambda: Revisions("head", frozenset({"old", "head"})))
    monkeypatch.setattr(script, "read_schema", lambda uri: Schema(found, True, True))
    got, lines = ask(capsys, "revision")
    assert got == code
    assert lines[-1].startswith(last)


def test_answers_in_columns(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(script, "select", lambda *_: [[("runs", "mlflow", 7), ("a", "b", 12345)]])
    assert ask(capsys, "tables") == (
        0,
        ["tables: 2 tables", "  table  owner   rows, about", "  runs   mlflow  7", "  a      b       12345"],
    )


def test_goes_on_with_the_next_question(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def select(*_: str) -> None:
        raise RuntimeError("oh\nno")

    monkeypatch.setattr(script, "select", select)
    assert ask(capsys, "tables", "sizes") == (
        1,
        ["tables: unknown: RuntimeError: oh no", "sizes: unknown: RuntimeError: oh no"],
    )


def test_knows_its_questions(capsys: pytest.CaptureFixture[str]) -> None:
    assert script.main(["login", "size"]) == 2
    assert capsys.readouterr().err == (
        "There is no question 'size'. There are: reachable, login, revision, tables, sizes, connections\n"
    )
