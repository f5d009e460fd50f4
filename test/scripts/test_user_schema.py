from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import user_schema
from init_container import BadSetting
from mlflow_schema import NewerSchema, UnusableSchema
from user_schema import (
    KNOWN_PASSWORD,
    BasicAuthUsers,
    PluginUsers,
    UserSchema,
    is_known_password,
    users_from,
)

INI = "[mlflow]\ndatabase_uri = postgresql+psycopg2:///?dbname=m%%25\nadmin_username = 100%%me\n"


@pytest.fixture
def packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """MLflow and the plugin, as far as their migrations go."""
    for folder in ("mlflow/server/auth/db/migrations", "mlflow_oidc_auth/db/migrations"):
        versions = tmp_path / folder / "versions"
        versions.mkdir(parents=True)
        (versions / "one.py").write_text('revision = "a1"\ndown_revision = None\n')
        (versions / "two.py").write_text('revision = "b2"\ndown_revision = "a1"\n')
        (versions.parent / "env.py").write_text('version_table="alembic_version_auth"\n')
    monkeypatch.setattr(user_schema, "package_folder", lambda name="mlflow": tmp_path / name)
    (tmp_path / "basic_auth.ini").write_text(INI)
    return tmp_path


@pytest.fixture
def users(packages: Path) -> BasicAuthUsers:
    return BasicAuthUsers(str(packages / "basic_auth.ini"), "correct horse battery")


def test_nobody_logs_in_unless_the_environment_says_so(packages: Path) -> None:
    assert users_from({}) == []
    configuration = str(packages / "basic_auth.ini")
    [basic] = users_from({"MLFLOW_AUTH_CONFIG_PATH": configuration, "MLFLOW_AUTH_ADMIN_PASSWORD": "x"})
    assert (type(basic), basic.image.head) == (BasicAuthUsers, "b2")
    [plugin] = users_from({"OIDC_USERS_DB_URI": "postgresql+psycopg2:///?dbname=users"})
    assert (type(plugin), plugin.uri) == (PluginUsers, "postgresql+psycopg2:///?dbname=users")


def test_reads_what_the_server_reads(users: BasicAuthUsers) -> None:
    assert (users.uri, users.admin) == ("postgresql+psycopg2:///?dbname=m%25", "100%me")


@pytest.mark.parametrize(
    ("schema", "action", "done"),
    [
        (UserSchema(None, False, False), "initialised", False),
        (UserSchema(None, True, True), "upgraded", False),  # before MLflow 3.6
        (UserSchema("a1", True, True), "upgraded", False),
        (UserSchema("b2", True, False), "up-to-date", False),
        (UserSchema("b2", True, True), "up-to-date", True),
    ],
)
def test_decides_what_there_is_to_do(
    schema: UserSchema, action: str, done: bool, users: BasicAuthUsers
) -> None:
    assert users.decide(schema) == action
    assert users.is_done(action, schema) == done


def test_refuses_newer_users(users: BasicAuthUsers) -> None:
    with pytest.raises(NewerSchema) as caught:
        users.decide(UserSchema("c3", True, True))
    assert str(caught.value) == (
        "newer-schema: the users are at revision c3, which this image does not know: its newest is b2."
        " Run the newer image that made it, or restore the backup from before that upgrade."
        " Nothing was touched"
    )


def test_refuses_the_database_of_something_else(packages: Path) -> None:
    """The plugin in MLflow's own database would take its table of revisions for the plugin's."""
    with pytest.raises(UnusableSchema) as caught:
        PluginUsers("postgresql+psycopg2://").decide(UserSchema("dc11669786a5", False, True))
    assert not isinstance(caught.value, NewerSchema)
    assert str(caught.value) == (
        "not-users: alembic_version holds dc11669786a5, but there is no table users: another application's"
        " database. Give the users one of their own"
    )


def test_refuses_an_mlflow_that_mixes_up_revisions(packages: Path) -> None:
    (packages / "mlflow/server/auth/db/migrations/env.py").write_text("context.configure()\n")
    with pytest.raises(UnusableSchema, match=r"^bad-image: .* since 3\.6\."):
        BasicAuthUsers(str(packages / "basic_auth.ini"), "")


def test_refuses_a_configuration_that_is_not_there(packages: Path) -> None:
    with pytest.raises(BadSetting, match=r"^MLFLOW_AUTH_CONFIG_PATH: there is no file /no\.ini$"):
        BasicAuthUsers("/no.ini", "")


TOO_SHORT = "MLFLOW_AUTH_ADMIN_PASSWORD must have 12 characters or more, to make the user 100%me"
TOO_WELL_KNOWN = "MLFLOW_AUTH_ADMIN_PASSWORD is the one that older versions of MLflow came with"


@pytest.mark.parametrize(
    ("password", "refused"),
    [("eleven char", TOO_SHORT), ("", TOO_SHORT), ("password1234", TOO_WELL_KNOWN), ("", None)],
)
def test_a_password_is_asked_for_where_it_is_needed(
    password: str, refused: str | None, packages: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[object] = []
    auth = SimpleNamespace(
        store=SimpleNamespace(init_db=done.append), create_admin_user=lambda *admin: done.append(admin)
    )
    monkeypatch.setitem(sys.modules, "mlflow", SimpleNamespace())
    monkeypatch.setitem(sys.modules, "mlflow.server", SimpleNamespace(auth=auth))
    users = BasicAuthUsers(str(packages / "basic_auth.ini"), password)
    if refused is None:
        users.carry_out("upgraded", UserSchema("a1", True, True))
        assert done == [users.uri, ("100%me", "")]
    else:
        with pytest.raises(BadSetting) as caught:
            users.carry_out("initialised", UserSchema(None, False, False))
        assert str(caught.value) == refused
        assert done == []


def test_knows_the_password_that_mlflow_came_with() -> None:
    security = pytest.importorskip("werkzeug.security")
    assert is_known_password(security.generate_password_hash(KNOWN_PASSWORD))
    assert not is_known_password(security.generate_password_hash("correct horse battery"))


def test_the_functions_used_of_mlflow_exist(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    pytest.importorskip("flask_wtf")
    (tmp_path / "basic_auth.ini").write_text(INI + "default_permission = READ\nadmin_password =\n")
    monkeypatch.setenv("MLFLOW_AUTH_CONFIG_PATH", str(tmp_path / "basic_auth.ini"))
    from mlflow.server import auth

    assert auth.store.init_db.__code__.co_varnames[:2] == ("self", "db_uri")
    assert auth.create_admin_user.__code__.co_varnames[:2] == ("username", "password")
    assert auth._LEGACY_DEFAULT_ADMIN_PASSWORD == KNOWN_PASSWORD
    assert auth.auth_config.admin_password is None
    assert auth.auth_config.admin_username == "100%me"
