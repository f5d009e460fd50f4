from __future__ import annotations

import io
import re
from pathlib import Path

import init_container
import pytest
from backup_files import Manifest, digest_of, time_from
from mlflow_schema import Schema

PASSWORD = "s3cret p@ss/w%rd"


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DATABASE_WAIT_SECONDS", "DATABASE_MAY_APPEAR", "MIGRATION_DEADLINE_SECONDS"):
        monkeypatch.delenv(name, raising=False)
    for name in ("MLFLOW_BACKEND_STORE_URI", "MLFLOW_DEFAULT_ARTIFACT_ROOT", "PGCONNECT_TIMEOUT"):
        monkeypatch.delenv(name, raising=False)
    for name in ("MLFLOW_AUTH_CONFIG_PATH", "MLFLOW_AUTH_ADMIN_PASSWORD", "OIDC_USERS_DB_URI"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PGPASSWORD", PASSWORD)


class TerminationLog(type(Path())):
    """The file of the termination message, whose links to docs/errors.md are told apart."""

    def read_text(self) -> str:
        return re.sub(r"(?m)^See https://\S+\n", "", super().read_text())

    def links(self) -> list[str]:
        return re.findall(r"(?m)^See (https://\S+)$", super().read_text())


@pytest.fixture(autouse=True)
def termination_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> TerminationLog:
    """As in a pod: the file is there before the container starts."""
    path = TerminationLog(tmp_path / "termination-log")
    path.touch()
    monkeypatch.setattr(init_container, "TERMINATION_LOG", str(path))
    return path


class Clock:
    """A clock that only moves when somebody sleeps."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.naps: list[float] = []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.naps.append(seconds)
        self.now += seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


class DatabaseError(Exception):
    """What psycopg2 raises; without SQLSTATE when the connection failed."""

    def __init__(self, text: str, pgcode: str | None = None) -> None:
        super().__init__(text)
        self.pgcode = pgcode


class World:
    """A database, the lock on it, and the time: what the script sees of them."""

    def __init__(self, clock: Clock, migrated: Schema) -> None:
        self.clock, self.migrated, self.lock_is_free_at = clock, migrated, clock.now
        self.schema = Schema(None, False, False)
        self.becomes: dict[float, Schema] = {}
        self.statements: list[str] = []
        self.carried_out: list[str] = []
        self.locks = self.closed = self.rollbacks = 0
        self.error: Exception | None = None

    def read_schema(self, uri: str) -> Schema:
        if self.error:
            raise self.error
        due = [at for at in self.becomes if at <= self.clock.now]
        return self.becomes[max(due)] if due else self.schema

    def connect(self, uri: str) -> World:
        self.locks += 1
        return self

    def carry_out(self, action: str, schema: Schema, settings: object) -> None:
        assert self.closed == 0, "not under the lock"
        self.carried_out.append(action)
        self.schema = self.migrated
        self.becomes.clear()

    def cursor(self) -> World:
        return self

    def __enter__(self) -> World:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def execute(self, statement: str, values: tuple = ()) -> None:
        self.statements.append(statement)

    def fetchone(self) -> tuple:
        return (self.clock.now >= self.lock_is_free_at,)

    def rollback(self) -> None:
        self.rollbacks += 1

    def close(self) -> None:
        self.closed += 1


def manifest_of(name: str, content: bytes = b"content") -> Manifest:
    """What belongs to a dump of this name and content."""
    bytes_, sha256 = digest_of(io.BytesIO(content))
    created = time_from("2026-01-02T03:04:05Z")
    rows = {"public.experiments": 1, "public.runs": 2}
    backup = name.rsplit("-", 2)[0]
    return Manifest(name, backup, created, "mlflow", "abc", "17.6", "18", bytes_, sha256, rows)
