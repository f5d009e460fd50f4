"""Bring MLflow's schema to this image's revision: once, however many pods start at the same time.

usage: migrate_database.py          initialise or upgrade under a lock, then create the default experiment
       migrate_database.py --wait   change nothing: wait until somebody else (a Job) has done it

Environment besides libpq's own (PG*):
  MLFLOW_BACKEND_STORE_URI      default postgresql+psycopg2://
  MLFLOW_DEFAULT_ARTIFACT_ROOT  where the default experiment keeps its artifacts (default mlflow-artifacts:/)
  MIGRATION_DEADLINE_SECONDS    how long to wait for the lock, or with --wait (default 600); it never cuts a
                                migration that runs

Last line on stdout when it ends well, on one line:
  init-mlflow: initialised|upgraded|up-to-date: revision <from or none> -> <to> in <s> s
  (waited <s> s for the lock)

Exit codes: 0 done; 1 failed (the cause is named); 3 the deadline passed; 4 the schema is newer than this
image, nothing was touched; 143 stopped by SIGTERM. The line of a failure is also the termination message.
"""

from __future__ import annotations

import os
import sys
import time
import traceback
from typing import NamedTuple

from database_errors import BAD_IMAGE, CAUSES, Problem, classify, find_database_error
from database_lock import DeadlinePassed, take_lock, ticks
from init_container import BadSetting, fail, one_line, prepare, redact, seconds_from
from mlflow_schema import (
    NewerSchema,
    Revisions,
    Schema,
    UnusableSchema,
    connect,
    decide,
    image_revisions,
    read_schema,
)

PROGRAM = "init-mlflow"
DONE, FAILED, DEADLINE_PASSED, SCHEMA_IS_NEWER = 0, 1, 3, 4
DEADLINE = "MIGRATION_DEADLINE_SECONDS"


class Settings(NamedTuple):
    uri: str
    artifact_root: str
    seconds: float


def is_done(action: str, schema: Schema) -> bool:
    return action == "up-to-date" and schema.has_default_experiment


def upgrade(schema: Schema, uri: str) -> None:
    """Imports MLflow only here and below: that takes longer than all the rest does on a current schema."""
    import sqlalchemy
    from mlflow.store.db.utils import _initialize_tables, _upgrade_db

    engine = sqlalchemy.create_engine(uri, poolclass=sqlalchemy.pool.NullPool)
    # The first tables without a revision are what a killed run can leave: this completes them.
    _initialize_tables(engine) if schema.revision is None else _upgrade_db(engine)


def carry_out(action: str, schema: Schema, settings: Settings) -> None:
    if action != "up-to-date":
        upgrade(schema, settings.uri)
    if not read_schema(settings.uri).has_default_experiment:
        from mlflow.tracking._tracking_service.utils import _get_sqlalchemy_store

        _get_sqlalchemy_store(settings.uri, settings.artifact_root)  # creates it as this version does


def migrate(settings: Settings, image: Revisions) -> str:
    started, waited = time.monotonic(), 0.0
    before = read_schema(settings.uri)
    action = decide(before, image)
    if not is_done(action, before):
        lock = connect(settings.uri)
        try:
            waited = take_lock(lock, settings.seconds, PROGRAM, DEADLINE)
            before = read_schema(settings.uri)  # another pod may have done it meanwhile
            action = decide(before, image)
            if not is_done(action, before):
                carry_out(action, before, settings)
        finally:
            lock.close()
        verify(read_schema(settings.uri), image)
    total = time.monotonic() - started
    change = f"{action}: revision {before.revision or 'none'} -> {image.head}"
    return f"{change} in {total:.1f} s (waited {waited:.1f} s for the lock)"


def verify(after: Schema, image: Revisions) -> None:
    if after.revision != image.head:
        raise UnusableSchema(
            f"incomplete: the schema is at {after.revision} instead of {image.head}. Start again"
        )


def wait(settings: Settings, image: Revisions) -> str:
    said = ""
    for waited in ticks(settings.seconds):
        reason = why_not_ready(settings, image)
        if not reason:
            return f"ready: revision {image.head} (waited {waited:.1f} s)"
        if reason != said:
            print(f"{PROGRAM}: waiting for the migration: {reason}", flush=True)
            said = reason
    late = f"deadline: not migrated after {settings.seconds:g} s: {said}"
    raise DeadlinePassed(f"{late}. Look at the migration Job, or raise MIGRATION_DEADLINE_SECONDS")


def why_not_ready(settings: Settings, image: Revisions) -> str:
    """Empty when ready. Raises what waiting cannot heal."""
    try:
        schema = read_schema(settings.uri)
    except Exception as error:
        if find_database_error(error) is None or not classify(error).cause.retry:
            raise
        return str(classify(error))
    if decide(schema, image) == "up-to-date":
        return ""
    return f"revision {schema.revision or 'none'}, this image needs {image.head}"


def explain(error: Exception) -> str:
    database_error = find_database_error(error)
    if database_error is not None:
        return str(classify(database_error))
    if isinstance(error, UnusableSchema):
        return str(error)
    if isinstance(error, BadSetting):
        return str(Problem(CAUSES["bad-settings"], str(error)))
    if isinstance(error, ModuleNotFoundError):
        return str(Problem(BAD_IMAGE, str(error)))
    print(redact(traceback.format_exc()), file=sys.stderr, flush=True)
    return one_line(redact(f"unknown: {type(error).__name__}: {error}"))


def main(arguments: list[str]) -> int:
    prepare(PROGRAM)
    if arguments not in ([], ["--wait"]):
        return fail(f"{PROGRAM}: bad-settings: arguments {arguments}. Give none, or --wait", FAILED)
    work = wait if arguments == ["--wait"] else migrate
    try:
        settings = Settings(
            os.environ.get("MLFLOW_BACKEND_STORE_URI") or "postgresql+psycopg2://",
            os.environ.get("MLFLOW_DEFAULT_ARTIFACT_ROOT") or "mlflow-artifacts:/",
            seconds_from(DEADLINE, 600),
        )
        print(f"{PROGRAM}: {work(settings, image_revisions())}", flush=True)
        return DONE
    except NewerSchema as error:
        return fail(f"{PROGRAM}: {error}", SCHEMA_IS_NEWER)
    except DeadlinePassed as error:
        return fail(f"{PROGRAM}: {error}", DEADLINE_PASSED)
    except Exception as error:
        return fail(f"{PROGRAM}: {explain(error)}", FAILED)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
