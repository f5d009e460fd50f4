"""Which schema revisions this image's MLflow knows and which one the database has, in a fraction of a second.

MLflow's and alembic's own functions execute each migration script, and those import all of MLflow, several
seconds at each start of a pod. The two assignments they are asked for can be read without executing anything.
"""

from __future__ import annotations

import ast
import gc
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Callable, NamedTuple

from database_check import QUERY, named_schema
from exit_codes import WRONG_VERSION
from init_container import BadSetting, Failure

TABLES = "SELECT to_regclass('alembic_version') IS NOT NULL, to_regclass('experiments') IS NOT NULL"

NEWER = (
    "newer-schema: the database is at revision {found}, which this image does not know: its newest is {head}."
    " Run the newer MLflow image that made it, or restore the backup from before that upgrade."
    " Nothing was touched"
)
FOREIGN = (
    "not-mlflow: alembic_version holds {found}, but there is no table experiments: another application's"
    " database. Give MLflow its own"
)
DAMAGED = (
    "damaged-schema: the revision is {found}, but there is no table experiments. Restore a backup, or start"
    " with an empty database"
)


class UnusableSchema(Failure):
    pass


class NewerSchema(UnusableSchema):
    """This image's MLflow is older than the one that made the schema."""

    code = WRONG_VERSION


class Revisions(NamedTuple):
    """What the image knows."""

    head: str
    known: frozenset[str]


class Schema(NamedTuple):
    """What the database holds."""

    revision: str | None
    has_experiments: bool
    has_default_experiment: bool


def decide(schema: Schema, image: Revisions) -> str:
    """What there is to do. Asks for `experiments`: basic auth's tables may live in the same database."""
    found = schema.revision
    if found is None:
        return "upgraded" if schema.has_experiments else "initialised"
    if found not in image.known and schema.has_experiments:
        raise NewerSchema(NEWER.format(found=found, head=image.head))
    if not schema.has_experiments:
        raise UnusableSchema((DAMAGED if found in image.known else FOREIGN).format(found=found))
    return "up-to-date" if found == image.head else "upgraded"


def image_revisions() -> Revisions:
    try:
        return read_revisions(package_folder() / "store" / "db_migrations" / "versions")
    except (OSError, ValueError, SyntaxError):
        return _ask_mlflow()  # another layout than that of MLflow 2.14 to 3.17


def read_revisions(folder: Path) -> Revisions:
    """ValueError unless the scripts are one connected history with one head, as alembic demands."""
    parents = dict(
        _read_script(path) for path in folder.glob("*.py") if not path.name.startswith(("__init__", ".#"))
    )
    named = {parent for many in parents.values() for parent in many}
    heads = set(parents) - named
    if len(heads) != 1 or not named <= set(parents):
        raise ValueError(f"not one history with one head: {sorted(heads)}")
    return Revisions(heads.pop(), frozenset(parents))


def _read_script(path: Path) -> tuple[str, tuple[str, ...]]:
    found = {}
    for node in ast.parse(path.read_bytes()).body:
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        for target in targets:
            if isinstance(target, ast.Name) and target.id in ("revision", "down_revision"):
                found[target.id] = ast.literal_eval(node.value)
    revision, down = found.get("revision"), found.get("down_revision")
    if not isinstance(revision, str):
        raise ValueError(f"{path.name} names no revision")
    return revision, (down,) if isinstance(down, str) else tuple(down or ())


def package_folder(name: str = "mlflow") -> Path:
    spec = find_spec(name)  # finds the package without importing it
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError(f"No module named '{name}'")
    return Path(next(iter(spec.submodule_search_locations)))


def _ask_mlflow() -> Revisions:
    from alembic.script import ScriptDirectory
    from mlflow.store.db.utils import _get_alembic_config, _get_latest_schema_revision

    script = ScriptDirectory.from_config(_get_alembic_config(""))
    return Revisions(
        _get_latest_schema_revision(), frozenset(step.revision for step in script.walk_revisions())
    )


def store_uri() -> str:
    return os.environ.get("MLFLOW_BACKEND_STORE_URI") or "postgresql+psycopg2://"


def connect(uri: str) -> Any:
    import psycopg2

    dsn, matches = re.subn(r"^postgres(ql)?(\+psycopg2)?://", "postgresql://", uri)
    if not matches:
        raise BadSetting("MLFLOW_BACKEND_STORE_URI must begin with postgresql+psycopg2://")
    return psycopg2.connect(dsn)


@contextmanager
def reading(uri: str) -> Iterator[Any]:
    """On a connection of its own: the lock's session would keep the read locks, in the migration's way."""
    connection = connect(uri)
    # PgBouncer drops a server connection whose client leaves inside a transaction.
    connection.autocommit = True
    try:
        with connection.cursor() as cursor:
            yield cursor
    finally:
        connection.close()


def read_schema(uri: str) -> Schema:
    with reading(uri) as cursor:
        cursor.execute(TABLES)
        versioned, has_experiments = cursor.fetchone()
        revision, has_default = None, False
        if versioned:
            cursor.execute("SELECT string_agg(version_num, '+') FROM alembic_version")
            revision = cursor.fetchone()[0]
        if has_experiments:
            cursor.execute("SELECT EXISTS (SELECT FROM experiments WHERE experiment_id = 0)")
            has_default = cursor.fetchone()[0]
        return Schema(revision, has_experiments, has_default)


def ensure_schema(uri: str) -> None:
    """Creates the schema that the search_path names, if it is missing and the login may. Never `public`."""
    from psycopg2 import sql

    with reading(uri) as cursor:
        cursor.execute(QUERY)
        user, _, schema, *_, search_path, schemas, may_create = cursor.fetchone()
        named = schema or named_schema(search_path, user, schemas)
        if named not in schemas and named != "public" and may_create:
            cursor.execute(sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(sql.Identifier(named)))


def upgrade(uri: str, revision: str | None, on_connect: Callable[..., None] | None = None) -> None:
    """MLflow's own migrations. Imports MLflow, which takes longer than all the rest on a current schema."""
    gc.set_threshold(50_000, 20, 100)  # why, is in run_mlflow.py

    import sqlalchemy
    from mlflow.store.db.utils import _initialize_tables, _upgrade_db

    engine = sqlalchemy.create_engine(uri, poolclass=sqlalchemy.pool.NullPool)
    if on_connect:
        sqlalchemy.event.listen(engine, "connect", on_connect)
    # The first tables without a revision, of a killed run or of before MLflow 1.0: this completes them.
    _initialize_tables(engine) if revision is None else _upgrade_db(engine)


def create_schema(uri: str, revision: str, on_connect: Callable[..., None]) -> None:
    """An empty database as it was at a revision, by MLflow's own migrations."""
    import sqlalchemy
    from alembic import command
    from mlflow.store.db.utils import InitialBase, _get_alembic_config

    engine = sqlalchemy.create_engine(uri, poolclass=sqlalchemy.pool.NullPool)
    sqlalchemy.event.listen(engine, "connect", on_connect)
    InitialBase.metadata.create_all(engine)
    config = _get_alembic_config(uri)
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)


def check_current(uri: str) -> None:
    """MLflow's store would upgrade an older schema by itself, in the way of the server's own migration."""
    image, schema = image_revisions(), read_schema(uri)
    if decide(schema, image) != "up-to-date":
        raise UnusableSchema(
            f"older-schema: the database is at revision {schema.revision or 'none'}, this image needs"
            f" {image.head}. Let a server of this image start first. Nothing was touched"
        )


def has_workspaces(lock: Any) -> bool:
    """Whether there is anything outside of the default workspace (MLflow 3.10 and later)."""
    with lock.cursor() as cursor:
        cursor.execute("SELECT to_regclass('workspaces') IS NOT NULL")
        if not cursor.fetchone()[0]:
            return False
        cursor.execute("SELECT EXISTS (SELECT FROM workspaces WHERE name <> 'default')")
        return bool(cursor.fetchone()[0])
