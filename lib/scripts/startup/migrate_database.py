"""Bring MLflow's schema to this image's revision: once, however many pods start at the same time.

usage: migrate_database.py          initialise or upgrade under a lock, then create the default experiment;
                                    where people log in, also the tables of users and the first of them
       migrate_database.py --wait   change nothing: wait until somebody else (a Job) has done it
       migrate_database.py --plan   change nothing: make the file MIGRATION_PLAN if existing tables change

Environment besides libpq's own (PG*):
  MLFLOW_BACKEND_STORE_URI      default postgresql+psycopg2://
  MLFLOW_DEFAULT_ARTIFACT_ROOT  where the default experiment keeps its artifacts (default mlflow-artifacts:/)
  MLFLOW_AUTH_CONFIG_PATH       the configuration of basic-auth, where users are MLflow's own
  MLFLOW_AUTH_ADMIN_PASSWORD    the password of the administrator that it names, if there is none yet, or one
                                with the password that older versions of MLflow came with
  MLFLOW_CRYPTO_KEK_PASSPHRASE  the server's passphrase, of which only is asked that it is not empty
  OIDC_USERS_DB_URI             the database of the users of mlflow-oidc-auth, where that is in use
  MIGRATION_DEADLINE_SECONDS    how long to wait for the lock, or with --wait (default 600); it never cuts a
                                migration that runs
  DATABASE_WAIT_SECONDS         where it is set, check the connection first, as wait_for_database.py does
  MIGRATION_PLAN                the file that --plan makes, which says what changes

Last line on stdout when it ends well, on one line, and a second one for users:
  init-mlflow: [users ]initialised|upgraded|up-to-date: revision <from or none> -> <to> in <s> s
  (waited <s> s for the lock)
or, with --plan:
  init-mlflow: plan: [users ]initialised|upgraded|up-to-date: revision <from or none> -> <to>

Exit codes: 0 done; 1 failed (the cause is named); 2 no connection in time (the check); 3 the deadline passed;
4 the schema is newer than this image, nothing was touched; 143 stopped by SIGTERM. The line of a failure is
also the termination message.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import NamedTuple

from database_errors import classify, fail_with, find_database_error
from database_lock import DeadlinePassed, take_lock, ticks
from database_wait import WAIT, wait_as_set
from exit_codes import DONE, FAILED
from init_container import BadSetting, fail, prepare, required, seconds_from
from mlflow_schema import (
    Revisions,
    Schema,
    UnusableSchema,
    connect,
    decide,
    ensure_schema,
    image_revisions,
    read_schema,
    store_uri,
    upgrade,
)
from user_schema import Users, UserSchema, users_from

PROGRAM = "init-mlflow"
DEADLINE = "MIGRATION_DEADLINE_SECONDS"
PASSPHRASE = "MLFLOW_CRYPTO_KEK_PASSPHRASE"


class Settings(NamedTuple):
    uri: str
    artifact_root: str
    seconds: float


class Tracking:
    """MLflow's own tables."""

    name = ""

    def __init__(self, settings: Settings, image: Revisions) -> None:
        self.uri, self.image, self._settings = settings.uri, image, settings

    def read(self) -> Schema:
        return read_schema(self.uri)

    def decide(self, schema: Schema) -> str:
        return decide(schema, self.image)

    def is_done(self, action: str, schema: Schema) -> bool:
        return action == "up-to-date" and schema.has_default_experiment

    def carry_out(self, action: str, schema: Schema) -> None:
        carry_out(action, schema, self._settings)


def carry_out(action: str, schema: Schema, settings: Settings) -> None:
    if action != "up-to-date":
        upgrade(settings.uri, schema.revision)
    if not read_schema(settings.uri).has_default_experiment:
        from mlflow.tracking._tracking_service.utils import _get_sqlalchemy_store

        _get_sqlalchemy_store(settings.uri, settings.artifact_root)  # creates it as this version does


def migrate(tables: Tracking | Users, seconds: float) -> str:
    started, waited = time.monotonic(), 0.0
    before = tables.read()
    action = tables.decide(before)
    if not tables.is_done(action, before):
        lock = connect(tables.uri)
        try:
            waited = take_lock(lock, seconds, PROGRAM, DEADLINE)
            before = tables.read()  # another pod may have done it meanwhile
            action = tables.decide(before)
            if not tables.is_done(action, before):
                ensure_schema(tables.uri)
                tables.carry_out(action, before)
        finally:
            lock.close()
        verify(tables.read(), tables.image)
    total = time.monotonic() - started
    change = f"{tables.name}{action}: revision {before.revision or 'none'} -> {tables.image.head}"
    return f"{change} in {total:.1f} s (waited {waited:.1f} s for the lock)"


def verify(after: Schema | UserSchema, image: Revisions) -> None:
    if after.revision != image.head:
        raise UnusableSchema(
            f"incomplete: the schema is at {after.revision} instead of {image.head}. Start again"
        )


def wait(tables: Tracking | Users, seconds: float) -> str:
    said = ""
    for waited in ticks(seconds):
        reason = why_not_ready(tables)
        if not reason:
            return f"{tables.name}ready: revision {tables.image.head} (waited {waited:.1f} s)"
        if reason != said:
            print(f"{PROGRAM}: waiting for the migration: {reason}", flush=True)
            said = reason
    late = f"deadline: not migrated after {seconds:g} s: {said}"
    raise DeadlinePassed(f"{late}. Look at the migration Job, or raise MIGRATION_DEADLINE_SECONDS")


def plan(tables: Tracking | Users, seconds: float) -> str:
    schema = tables.read()
    action = tables.decide(schema)
    change = f"{tables.name}{action}: revision {schema.revision or 'none'} -> {tables.image.head}"
    if action == "upgraded":
        with plan_file().open("a", encoding="utf-8") as file:
            file.write(f"{change}\n")
    return f"plan: {change}"


def plan_file() -> Path:
    return Path(required("MIGRATION_PLAN"))


def why_not_ready(tables: Tracking | Users) -> str:
    """Empty when ready. Raises what waiting cannot heal."""
    try:
        schema = tables.read()
    except Exception as error:
        if find_database_error(error) is None or not classify(error).cause.retry:
            raise
        return str(classify(error))
    if tables.decide(schema) == "up-to-date":
        return ""
    return f"{tables.name}revision {schema.revision or 'none'}, this image needs {tables.image.head}"


def check_passphrase() -> None:
    """MLflow says nothing to an empty one but a warning in the log (mlflow.utils.crypto)."""
    if not os.environ.get(PASSPHRASE, "unset").strip():
        raise BadSetting(f"{PASSPHRASE} is empty: MLflow would use the passphrase that is in its source")


def main(arguments: list[str]) -> int:
    prepare(PROGRAM)
    works = {(): migrate, ("--wait",): wait, ("--plan",): plan}
    work = works.get(tuple(arguments))
    if work is None:
        return fail(f"{PROGRAM}: bad-settings: arguments {arguments}. Give none, --wait or --plan", FAILED)
    unusable = wait_as_set() if WAIT in os.environ else DONE
    if unusable:
        return unusable
    try:
        if work is plan:
            plan_file().unlink(missing_ok=True)
        settings = Settings(
            store_uri(),
            os.environ.get("MLFLOW_DEFAULT_ARTIFACT_ROOT") or "mlflow-artifacts:/",
            seconds_from(DEADLINE, 600),
        )
        check_passphrase()
        users = users_from()
        if work is not wait:
            for each in users:
                each.decide(each.read())  # what cannot be done for them stops it before anything is
        for tables in (Tracking(settings, image_revisions()), *users):
            print(f"{PROGRAM}: {work(tables, settings.seconds)}", flush=True)
        return DONE
    except Exception as error:
        return fail_with(PROGRAM, error)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
