"""A password that changes in PostgreSQL and in the Secret, in either order."""

from __future__ import annotations

from pathlib import Path

import pytest

password_file = pytest.importorskip("password_file")


class Refused(Exception):
    pgcode = None

    def __init__(self) -> None:
        super().__init__('FATAL:  password authentication failed for user "mlflow"')


class Server:
    """PostgreSQL with one role, and a clock that `sleep` moves."""

    def __init__(self, password: str, path: Path) -> None:
        self.password, self.path, self.now = password, path, 0.0
        self.tried: list[str] = []
        self.changes: dict[float, str] = {}

    def login(self, password: str) -> str:
        self.tried.append(password)
        if password != self.password:
            raise Refused
        return f"connection by {password}"

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        for _ in filter(self.now.__ge__, list(self.changes)):
            self.path.write_text(self.changes.pop(min(self.changes)))


@pytest.fixture
def server(tmp_path: Path) -> Server:
    path = tmp_path / "password"
    path.write_text("old")
    return Server("old", path)


@pytest.fixture
def file(server: Server):
    return password_file.PasswordFile(str(server.path), lambda: server.now, server.sleep)


def test_both_changed(server: Server, file) -> None:
    file.connect(server.login)
    server.password = "new"
    server.path.write_text("new")
    assert file.connect(server.login) == "connection by new"
    assert server.tried == ["old", "new"]
    assert server.now == 0


def test_the_secret_first(server: Server, file) -> None:
    file.connect(server.login)
    server.path.write_text("new")
    assert file.connect(server.login) == "connection by old"
    server.password = "new"
    assert file.connect(server.login) == "connection by new"
    assert server.now == 0


def test_postgres_first(server: Server, file) -> None:
    file.connect(server.login)
    server.password = "new"
    server.changes = {30: "new"}
    assert file.connect(server.login) == "connection by new"
    assert server.now == 30


def test_a_password_that_stays_wrong_holds_requests_up_once(server: Server, file) -> None:
    file.connect(server.login)
    server.password = "new"
    for _ in range(3):
        with pytest.raises(Refused):
            file.connect(server.login)
        assert server.now == password_file.PATIENCE
    server.path.write_text("new")
    file.connect(server.login)
    server.password = "newer"
    server.changes = {server.now + 5: "newer"}
    assert file.connect(server.login) == "connection by newer"


def test_a_password_that_was_never_right_fails_at_once(server: Server, file) -> None:
    server.password = "another"
    with pytest.raises(Refused):
        file.connect(server.login)
    assert server.now == 0


def test_other_errors_are_not_waited_for(server: Server, file) -> None:
    file.connect(server.login)

    def away(_: str) -> str:
        raise ConnectionError("connection to server failed: Connection refused")

    with pytest.raises(ConnectionError):
        file.connect(away)
    assert server.now == 0


def test_what_is_no_text_is_left_to_libpq(server: Server, file) -> None:
    server.path.write_bytes(b"\xff\xfe")
    assert file.read() == ""
