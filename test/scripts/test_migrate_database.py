from __future__ import annotations

import random
import re
from pathlib import Path

import migrate_database as script
import pytest
from conftest import PASSWORD, Clock, DatabaseError, World
from exit_codes import DONE, UNREACHABLE
from mlflow_schema import NewerSchema, Revisions, Schema, UnusableSchema

IMAGE = Revisions("c3", frozenset({"a1", "b2", "c3"}))
EMPTY = Schema(None, False, False)
OLD = Schema("a1", True, True)
CURRENT = Schema("c3", True, True)
NEWER = Schema("d4", True, True)
MISSING = DatabaseError('FATAL:  database "users" does not exist')


@pytest.fixture
def world(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> World:
    world = World(clock, CURRENT)
    monkeypatch.setattr(script.time, "monotonic", clock)
    monkeypatch.setattr(script.time, "sleep", clock.sleep)
    monkeypatch.setattr(random, "uniform", lambda low, high: high)
    monkeypatch.setattr(script, "prepare", lambda program: None)
    monkeypatch.setattr(script, "image_revisions", lambda: IMAGE)
    monkeypatch.setattr(script, "ensure_schema", lambda uri: None)
    for name in ("read_schema", "connect", "carry_out"):
        monkeypatch.setattr(script, name, getattr(world, name))
    return world


def last_line(capsys: pytest.CaptureFixture[str]) -> str:
    return capsys.readouterr().out.splitlines()[-1]


@pytest.mark.parametrize(
    ("schema", "change"),
    [(EMPTY, "initialised: revision none -> c3"), (OLD, "upgraded: revision a1 -> c3")],
)
def test_migrates_under_the_lock(
    schema: Schema, change: str, world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world.schema = schema
    assert script.main([]) == 0
    assert last_line(capsys) == f"init-mlflow: {change} in 0.0 s (waited 0.0 s for the lock)"
    assert world.carried_out == [change.split(":")[0]]
    assert (world.locks, world.closed) == (1, 1)


@pytest.mark.parametrize(("unusable", "carried_out"), [(DONE, ["upgraded"]), (UNREACHABLE, [])])
def test_checks_the_connection_first_where_it_is_told_to(
    unusable: int, carried_out: list[str], world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.schema = OLD
    monkeypatch.setenv("DATABASE_WAIT_SECONDS", "120")
    monkeypatch.setattr(script, "wait_as_set", lambda: unusable)
    assert script.main([]) == unusable
    assert world.carried_out == carried_out


def test_takes_no_lock_on_a_current_schema(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.schema = CURRENT
    assert script.main([]) == 0
    assert last_line(capsys) == (
        "init-mlflow: up-to-date: revision c3 -> c3 in 0.0 s (waited 0.0 s for the lock)"
    )
    assert (world.locks, world.carried_out) == (0, [])


def test_creates_a_default_experiment_that_is_missing(world: World) -> None:
    world.schema = Schema("c3", True, False)
    assert script.main([]) == 0
    assert world.carried_out == ["up-to-date"]


def test_leaves_it_to_the_pod_that_was_first(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.lock_is_free_at = world.clock.now + 7.5
    world.becomes = {world.clock.now + 7: CURRENT}
    assert script.main([]) == 0
    assert world.carried_out == []
    assert last_line(capsys) == (
        "init-mlflow: up-to-date: revision c3 -> c3 in 8.0 s (waited 8.0 s for the lock)"
    )


def test_polls_for_the_lock_in_a_transaction_each(world: World) -> None:
    world.lock_is_free_at = world.clock.now + 3
    script.main([])
    assert world.rollbacks == 3
    assert world.statements == 4 * [
        "SET LOCAL idle_in_transaction_session_timeout = 0",
        "SELECT pg_try_advisory_xact_lock(%s)",
    ]


def test_gives_up_when_the_lock_is_held_past_the_deadline(
    world: World, monkeypatch: pytest.MonkeyPatch, termination_log: Path
) -> None:
    monkeypatch.setenv("MIGRATION_DEADLINE_SECONDS", "30")
    world.lock_is_free_at = world.clock.now + 1000
    assert script.main([]) == 3
    assert world.clock.now == 1030
    assert (world.carried_out, world.closed) == ([], 1)
    assert termination_log.read_text().startswith(
        "init-mlflow: lock-timeout: another migration still held the lock after 30 s."
    )


@pytest.mark.parametrize("arguments", [[], ["--wait"]])
def test_touches_nothing_of_a_newer_schema(arguments: list[str], world: World, termination_log: Path) -> None:
    world.schema = NEWER
    assert script.main(arguments) == 4
    assert (world.locks, world.carried_out, world.clock.naps) == (0, [], [])
    assert re.match(r"init-mlflow: newer-schema: .* d4, .* c3\. Run the newer", termination_log.read_text())


def test_a_migration_that_ends_elsewhere_is_a_failure(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(UnusableSchema, match="incomplete: the schema is at a1 instead of c3"):
        script.verify(OLD, IMAGE)


def test_waits_for_a_job(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.becomes = {world.clock.now + 20: OLD, world.clock.now + 40: CURRENT}
    assert script.main(["--wait"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "init-mlflow: waiting for the migration: revision none, this image needs c3",
        "init-mlflow: waiting for the migration: revision a1, this image needs c3",
        "init-mlflow: ready: revision c3 (waited 40.0 s)",
    ]
    assert (world.locks, world.carried_out) == (0, [])


def test_waits_for_the_schema_only_not_for_the_default_experiment(world: World) -> None:
    """It may have been deleted for good since the Job ran, which would never run again."""
    world.schema = Schema("c3", True, False)
    assert script.main(["--wait"]) == 0


def test_waits_until_the_deadline(
    world: World, monkeypatch: pytest.MonkeyPatch, termination_log: Path
) -> None:
    monkeypatch.setenv("MIGRATION_DEADLINE_SECONDS", "2.5")
    assert script.main(["--wait"]) == 3
    assert world.clock.now == 1002.5
    assert termination_log.read_text() == (
        "init-mlflow: deadline: not migrated after 2.5 s: revision none, this image needs c3."
        " Look at the migration Job, or raise MIGRATION_DEADLINE_SECONDS\n"
    )


@pytest.mark.parametrize(
    ("message", "code"), [("Connection refused", 3), ("password authentication failed", 1)]
)
def test_waits_through_what_can_heal_only(message: str, code: int, world: World) -> None:
    world.error = DatabaseError(message)
    assert script.main(["--wait"]) == code


def test_names_the_cause_of_a_failure_inside_mlflow(
    world: World, monkeypatch: pytest.MonkeyPatch, termination_log: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object) -> None:
        wrapped = RuntimeError("(psycopg2.errors.InsufficientPrivilege) [SQL: CREATE TABLE ...]")
        wrapped.orig = DatabaseError("permission denied for schema public\nLINE 2: CREATE TABLE\n")
        raise wrapped

    monkeypatch.setattr(script, "carry_out", fail)
    assert script.main([]) == 1
    assert last_line(capsys).startswith(
        "init-mlflow: no-create-privilege: permission denied for schema public LINE 2: CREATE TABLE. GRANT "
    )
    assert world.closed == 1


def test_an_unknown_failure_is_one_line_and_a_traceback_without_the_password(
    world: World, termination_log: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    world.error = RuntimeError(f"one\nwith {PASSWORD}")
    assert script.main([]) == 1
    output = capsys.readouterr()
    assert output.out == termination_log.read_text() == "init-mlflow: unknown: RuntimeError: one with ***\n"
    assert "Traceback" in output.err
    assert PASSWORD not in output.err


def test_an_image_without_driver_is_named(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.error = ModuleNotFoundError("No module named 'psycopg2'")
    assert script.main([]) == 1
    assert last_line(capsys).startswith("init-mlflow: bad-image: No module named 'psycopg2'. Use an image")


def test_a_bad_setting_is_named(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MIGRATION_DEADLINE_SECONDS", "soon")
    assert script.main([]) == 1
    assert last_line(capsys).startswith(
        "init-mlflow: bad-settings: MIGRATION_DEADLINE_SECONDS must be a number"
    )


@pytest.mark.parametrize("arguments", [[], ["--wait"]])
@pytest.mark.parametrize(("passphrase", "code"), [(None, 0), ("p", 0), ("", 1), (" \n", 1)])
def test_refuses_an_empty_passphrase(
    arguments: list[str],
    passphrase: str | None,
    code: int,
    world: World,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    if passphrase is not None:
        monkeypatch.setenv("MLFLOW_CRYPTO_KEK_PASSPHRASE", passphrase)
    world.schema = CURRENT
    assert script.main(arguments) == code
    refused = (
        "init-mlflow: bad-settings: MLFLOW_CRYPTO_KEK_PASSPHRASE is empty: MLflow would use the passphrase"
        " that is in its source. Correct the settings of this container (PG* and its own)"
    )
    assert (last_line(capsys) == refused) == (code == 1)


@pytest.mark.parametrize("root", ["", "s3://bucket/mlflow"])
def test_the_artifact_root_has_a_default(root: str, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[script.Settings] = []
    monkeypatch.setenv("MLFLOW_DEFAULT_ARTIFACT_ROOT", root)
    monkeypatch.setattr(script, "migrate", lambda tables, seconds: seen.append(tables._settings) or "done")
    script.main([])
    assert seen == [script.Settings("postgresql+psycopg2://", root or "mlflow-artifacts:/", 600)]


@pytest.mark.parametrize(
    ("schema", "change", "is_planned"),
    [
        (EMPTY, "initialised: revision none -> c3", False),
        (OLD, "upgraded: revision a1 -> c3", True),
        (CURRENT, "up-to-date: revision c3 -> c3", False),
    ],
)
def test_plans_without_a_change(
    schema: Schema,
    change: str,
    is_planned: bool,
    world: World,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    plan = tmp_path / "plan"
    plan.write_text("of an earlier try\n")
    monkeypatch.setenv("MIGRATION_PLAN", str(plan))
    world.schema = schema
    assert script.main(["--plan"]) == 0
    assert last_line(capsys) == f"init-mlflow: plan: {change}"
    assert (world.locks, world.carried_out) == (0, [])
    assert plan.exists() == is_planned
    if is_planned:
        assert plan.read_text() == f"{change}\n"


def test_does_not_migrate_when_the_argument_is_misspelt(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    assert script.main(["--wiat"]) == 1
    assert last_line(capsys) == "init-mlflow: bad-settings: arguments ['--wiat']. Give none, --wait or --plan"
    assert world.locks == 0


class NewUsers:
    """Users without tables, until these are made."""

    uri, name, image = "postgresql+psycopg2:///?dbname=users", "users ", Revisions("u2", frozenset({"u2"}))

    def __init__(self) -> None:
        self.made = False

    def read(self) -> Schema:
        return Schema("u2" if self.made else None, self.made, self.made)

    def decide(self, schema: Schema) -> str:
        return "up-to-date" if schema.revision else "initialised"

    def is_done(self, action: str, schema: Schema) -> bool:
        return action == "up-to-date"

    def carry_out(self, action: str, schema: Schema) -> None:
        self.made = True


def test_makes_the_users_after_the_schema_under_a_lock_of_their_own(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    users = NewUsers()
    monkeypatch.setattr(script, "users_from", lambda: [users])
    assert script.main([]) == 0
    assert users.made
    assert (world.locks, world.closed) == (2, 2)
    assert capsys.readouterr().out.splitlines() == [
        "init-mlflow: initialised: revision none -> c3 in 0.0 s (waited 0.0 s for the lock)",
        "init-mlflow: users initialised: revision none -> u2 in 0.0 s (waited 0.0 s for the lock)",
    ]


@pytest.mark.parametrize(("error", "code"), [(NewerSchema("newer-schema: the users"), 4), (MISSING, 1)])
def test_touches_nothing_where_the_users_cannot_be(
    error: Exception, code: int, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read() -> Schema:
        raise error

    users = NewUsers()
    monkeypatch.setattr(users, "read", read)
    monkeypatch.setattr(script, "users_from", lambda: [users])
    world.schema = OLD
    assert script.main([]) == code
    assert (world.locks, world.schema) == (0, OLD)


def test_waits_for_the_users_too(
    world: World, monkeypatch: pytest.MonkeyPatch, termination_log: Path
) -> None:
    monkeypatch.setenv("MIGRATION_DEADLINE_SECONDS", "1")
    monkeypatch.setattr(script, "users_from", lambda: [NewUsers()])
    world.schema = CURRENT
    assert script.main(["--wait"]) == 3
    assert termination_log.read_text().startswith(
        "init-mlflow: deadline: not migrated after 1 s: users revision none, this image needs u2."
    )
