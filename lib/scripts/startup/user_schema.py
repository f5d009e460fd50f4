"""The tables of those who log in: MLflow's basic-auth, or the plugin mlflow-oidc-auth.

Nothing locks them either, and each server would make them for itself at its start or, with the plugin, at a
first request. Their revision is read like that of MLflow's own schema, without importing what takes seconds.
"""

from __future__ import annotations

import configparser
import os
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from init_container import BadSetting
from mlflow_schema import NewerSchema, UnusableSchema, package_folder, read_revisions, reading

SHORTEST_PASSWORD = 12  # mlflow.utils.validation
# What MLflow once gave its first administrator. It lets no administrator log in with that any more, and
# puts the configured password in its place (GHSA-gq3w-7jj3-x7gr; mlflow.server.auth.create_admin_user).
KNOWN_PASSWORD = "password1234"
NEWER = (
    "newer-schema: the users are at revision {found}, which this image does not know: its newest is {head}."
    " Run the newer image that made it, or restore the backup from before that upgrade. Nothing was touched"
)
FOREIGN = (
    "not-users: {table} holds {found}, but there is no table users: another application's database. Give the"
    " users one of their own"
)
TOO_OLD = "bad-image: MLflow keeps users beside its own tables since 3.6. Use an image with at least that"


class UserSchema(NamedTuple):
    """What the database holds."""

    revision: str | None
    has_users: bool
    has_admin: bool  # and one with a password of their own


class Users:
    """What the two ways to log in have in common."""

    name = "users "

    def __init__(self, uri: str, versions: Path, version_table: str, admin: str | None) -> None:
        self.uri, self.admin = uri, admin
        self._table, self.image = version_table, read_revisions(versions)

    def read(self) -> UserSchema:
        with reading(self.uri) as cursor:
            cursor.execute(
                "SELECT to_regclass(%s) IS NOT NULL, to_regclass('users') IS NOT NULL", (self._table,)
            )
            versioned, has_users = cursor.fetchone()
            revision, has_admin = None, self.admin is None
            if versioned:
                cursor.execute(f"SELECT string_agg(version_num, '+') FROM {self._table}")
                revision = cursor.fetchone()[0]
            if has_users and self.admin is not None:
                cursor.execute("SELECT password_hash FROM users WHERE username = %s", (self.admin,))
                found = cursor.fetchone()
                has_admin = found is not None and not is_known_password(found[0])
            return UserSchema(revision, has_users, has_admin)

    def decide(self, schema: UserSchema) -> str:
        found = schema.revision
        if found is None:
            return "upgraded" if schema.has_users else "initialised"
        if not schema.has_users:
            raise UnusableSchema(FOREIGN.format(found=found, table=self._table))
        if found not in self.image.known:
            raise NewerSchema(NEWER.format(found=found, head=self.image.head))
        return "up-to-date" if found == self.image.head else "upgraded"

    def is_done(self, action: str, schema: UserSchema) -> bool:
        return action == "up-to-date" and schema.has_admin

    def carry_out(self, action: str, schema: UserSchema) -> None:
        raise NotImplementedError


class BasicAuthUsers(Users):
    """MLflow's own, by the configuration file that the server reads, too."""

    def __init__(self, configuration: str, password: str) -> None:
        parser = configparser.ConfigParser()
        if not parser.read(configuration):
            raise BadSetting(f"MLFLOW_AUTH_CONFIG_PATH: there is no file {configuration}")
        settings = parser["mlflow"]
        migrations = package_folder() / "server" / "auth" / "db" / "migrations"
        table = "alembic_version_auth"
        if table not in (migrations / "env.py").read_text():
            raise UnusableSchema(TOO_OLD)  # it would take MLflow's own table of revisions for its own
        super().__init__(settings["database_uri"], migrations / "versions", table, settings["admin_username"])
        self._password = password

    def carry_out(self, action: str, schema: UserSchema) -> None:
        if not schema.has_admin:
            self._check_password()
        from mlflow.server import auth

        auth.store.init_db(self.uri)  # migrates
        auth.create_admin_user(self.admin, self._password)

    def _check_password(self) -> None:
        if len(self._password) < SHORTEST_PASSWORD:
            raise BadSetting(
                f"MLFLOW_AUTH_ADMIN_PASSWORD must have {SHORTEST_PASSWORD} characters or more, to make the"
                f" user {self.admin}"
            )
        if self._password == KNOWN_PASSWORD:
            raise BadSetting("MLFLOW_AUTH_ADMIN_PASSWORD is the one that older versions of MLflow came with")


def is_known_password(password_hash: str) -> bool:
    from werkzeug.security import check_password_hash

    return check_password_hash(password_hash, KNOWN_PASSWORD)


class PluginUsers(Users):
    """Those of mlflow-oidc-auth. Its administrators come from groups of the identity provider."""

    def __init__(self, uri: str) -> None:
        versions = package_folder("mlflow_oidc_auth") / "db" / "migrations" / "versions"
        super().__init__(uri, versions, "alembic_version", None)

    def carry_out(self, action: str, schema: UserSchema) -> None:
        import sqlalchemy
        from mlflow_oidc_auth.db.utils import migrate

        migrate(sqlalchemy.create_engine(self.uri, poolclass=sqlalchemy.pool.NullPool), "head")


def users_from(environment: Mapping[str, str] = os.environ) -> list[Users]:
    """Those that this server has: none, unless somebody has to log in."""
    configuration = environment.get("MLFLOW_AUTH_CONFIG_PATH")
    if configuration:
        return [BasicAuthUsers(configuration, environment.get("MLFLOW_AUTH_ADMIN_PASSWORD", ""))]
    uri = environment.get("OIDC_USERS_DB_URI")
    return [PluginUsers(uri)] if uri else []
