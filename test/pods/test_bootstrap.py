"""The role and the database, made by an administrator's Job: once, again, at once, and around what exists."""

from __future__ import annotations

import string
from typing import Any

import psycopg2
import pytest
import synthesis
from conftest import MakePostgres
from kubelet.container import Ended
from kubelet.kubernetes import Document, Namespace
from kubelet.pod import Pod
from postgres import PORT, Postgres
from tracking import client_of

ADMIN_PASSWORD = "admin's %p@ss/w:rd\\ $(PGUSER) "
# What a managed database gives its customers: no superuser.
MANAGED = "LOGIN CREATEDB CREATEROLE"
ODD_PASSWORD = string.punctuation + " ümläut ✓ "
ODD_USER, ODD_DATABASE = 'o\'dd "user" ü', 'My "data"; base ü$'


@pytest.fixture
def server(make_postgres: MakePostgres) -> Postgres:
    postgres = make_postgres().start()
    postgres.execute("ALTER SYSTEM SET log_statement = 'all'")
    postgres.execute("SELECT pg_reload_conf()")
    postgres.role("boss", ADMIN_PASSWORD, MANAGED)
    return postgres


def apply(namespace: Namespace, admin_password: str = ADMIN_PASSWORD, **options: Any) -> None:
    login = {"username": "boss", "password": admin_password}
    secret: Document = {"kind": "Secret", "metadata": {"name": "admin"}, "stringData": login}
    namespace.apply([secret, *synthesis.server(bootstrap=True, **options)])


def start(namespace: Namespace) -> Pod:
    [name] = [name for kind, name in namespace.objects if kind == "Job"]
    return namespace.job(name)


def bootstrap(namespace: Namespace) -> Ended:
    [ended] = start(namespace).wait_completed(60)
    return ended


def did(ended: Ended) -> list[str]:
    """What it says that it did, before the last line."""
    assert ended.code == 0, ended
    *steps, last = ended.log.removesuffix("\n").split("\n")
    assert last.startswith("bootstrap-database: ready: ")
    return [step.removeprefix("bootstrap-database: ") for step in steps]


def log_in(server: Postgres, user: str, password: str, database: str) -> Any:
    connection = psycopg2.connect(
        host=server.address, port=PORT, user=user, password=password, dbname=database
    )
    connection.autocommit = True
    return connection


OWNER = "SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = 'mlflow'"
ENCODING = "SELECT pg_encoding_to_char(encoding) FROM pg_database WHERE datname = 'mlflow'"
CREATED = ['created role "mlflow"', 'created database "mlflow", owned by "mlflow"']


def test_a_migration_job_waits_too(namespace: Namespace, server: Postgres) -> None:
    apply(namespace, migration="job")
    [pod] = namespace.deployment()
    names = [name for kind, name in namespace.objects if kind == "Job"]
    migration, bootstrapping = (namespace.job(name) for name in sorted(names, reverse=True))
    [ended] = bootstrapping.wait_completed(60)
    assert did(ended) == CREATED
    migration.wait_completed(120)
    pod.wait_ready()


@pytest.mark.parametrize("admin", [MANAGED, "SUPERUSER LOGIN"])
def test_everything_is_applied_at_once(admin: str, namespace: Namespace, server: Postgres) -> None:
    server.execute(f"ALTER ROLE boss {admin}")
    apply(namespace)
    [pod] = namespace.deployment()
    pod.wait_for_line("wait-for-database: wrong-password: ")
    assert did(bootstrap(namespace)) == CREATED
    client_of(pod.wait_ready()).create_experiment("first")
    assert (server.value(OWNER), server.value(ENCODING)) == ("mlflow", "UTF8")
    assert server.value("SELECT rolpassword LIKE 'SCRAM-SHA-256$%' FROM pg_authid WHERE rolname = 'mlflow'")
    # The administrator is not left as a member of the role.
    assert server.value("SELECT count(*) FROM pg_auth_members WHERE roleid = 'mlflow'::regrole") == 0
    assert did(bootstrap(namespace)) == []


def test_odd_names_and_passwords_stay_out_of_every_log(namespace: Namespace, server: Postgres) -> None:
    names = {"user": ODD_USER, "password": ODD_PASSWORD, "database": ODD_DATABASE}
    apply(namespace, **names)
    ended = bootstrap(namespace)
    assert did(ended) == [
        f'created role "{ODD_USER}"',
        f'created database "{ODD_DATABASE}", owned by "{ODD_USER}"',
    ]
    log_in(server, ODD_USER, ODD_PASSWORD, ODD_DATABASE).close()
    assert did(bootstrap(namespace)) == []
    for log in (ended.log, server.log()):
        assert "ümläut" not in log
        assert ADMIN_PASSWORD.strip() not in log
    assert "PASSWORD 'SCRAM-SHA-256$" in server.log()


def test_five_at_once(namespace: Namespace, server: Postgres) -> None:
    apply(namespace)
    pods = [start(namespace) for _ in range(5)]
    steps = sorted(did(pod.wait_completed(60)[0]) for pod in pods)
    assert steps == [[], [], [], [], CREATED]
    assert "ERROR:" not in server.log()


def test_changes_a_password_that_does_not_work(namespace: Namespace, server: Postgres) -> None:
    apply(namespace, password="the first")
    bootstrap(namespace)
    before = server.value("SELECT rolpassword FROM pg_authid WHERE rolname = 'mlflow'")
    assert did(bootstrap(namespace)) == []
    assert server.value("SELECT rolpassword FROM pg_authid WHERE rolname = 'mlflow'") == before
    first = {name for kind, name in namespace.objects if kind == "Job"}

    namespace.objects.clear()
    apply(namespace, password="the second")
    assert did(bootstrap(namespace)) == [
        'changed the password of role "mlflow", which could not log in with it'
    ]
    log_in(server, "mlflow", "the second", "mlflow").close()
    # Another password is another Job.
    assert not first & {name for kind, name in namespace.objects if kind == "Job"}


def test_never_a_superusers_password(namespace: Namespace, server: Postgres) -> None:
    server.role("root", "of old", "SUPERUSER LOGIN")
    server.execute("ALTER ROLE boss SUPERUSER")
    server.database("mlflow", "root")
    apply(namespace, user="root", password="another")
    ended = bootstrap(namespace)
    assert (ended.code, ended.message) == (
        1,
        'bootstrap-database: wrong-password: "root" cannot log in with its password. It is a superuser, and'
        " theirs are not changed. Give MLflow a role of its own\n",
    )
    log_in(server, "root", "of old", "mlflow").close()


def test_a_database_of_another_owner(namespace: Namespace, server: Postgres) -> None:
    """Its owner stays; the user gets what MLflow needs."""
    server.database("mlflow", "boss")
    server.execute("REVOKE ALL ON DATABASE mlflow FROM PUBLIC")
    apply(namespace)
    # Only the owner may hand out rights on the schema: pg_database_owner, since PostgreSQL 15.
    assert did(bootstrap(namespace)) == [
        'created role "mlflow"',
        'granted CONNECT and TEMPORARY on database "mlflow" to "mlflow"',
        'granted USAGE and CREATE on schema public to "mlflow"',
    ]
    assert server.value(OWNER) == "boss"
    [pod] = namespace.deployment()
    pod.wait_ready()


def test_a_database_that_the_administrator_has_no_say_in(namespace: Namespace, server: Postgres) -> None:
    server.database("mlflow", "postgres")
    server.execute("REVOKE ALL ON DATABASE mlflow FROM PUBLIC")
    apply(namespace)
    ended = bootstrap(namespace)
    assert (ended.code, ended.message) == (
        1,
        "bootstrap-database: admin-privilege: permission denied for database mlflow. The administrator needs"
        " CREATEROLE and CREATEDB; to own a database that exists; and since PostgreSQL 16, ADMIN OPTION on a"
        " role that exists\n",
    )


@pytest.mark.parametrize(
    ("rights", "text"),
    [
        ("NOCREATEROLE", "permission denied to create role"),
        ("NOCREATEDB", "permission denied to create database"),
    ],
)
def test_an_administrator_without_rights(
    rights: str, text: str, namespace: Namespace, server: Postgres
) -> None:
    server.execute(f"ALTER ROLE boss {rights}")
    apply(namespace)
    ended = bootstrap(namespace)
    assert ended.code == 1
    assert ended.message.startswith(f"bootstrap-database: admin-privilege: {text}. The administrator needs ")
    # Nothing of the way there is left behind.
    members = "SELECT count(*) FROM pg_auth_members WHERE member = 'boss'::regrole"
    assert server.value(members, "postgres") == 0


def test_a_role_that_may_not_log_in(namespace: Namespace, server: Postgres) -> None:
    server.role("mlflow", "a-password", "NOLOGIN")
    apply(namespace)
    ended = bootstrap(namespace)
    assert (ended.code, ended.message) == (
        1,
        'bootstrap-database: no-login: the role "mlflow" exists and may not log in. ALTER ROLE ... LOGIN, or'
        " take another name\n",
    )


def test_wrong_administrator(namespace: Namespace, server: Postgres) -> None:
    apply(namespace, "hunter2")
    ended = bootstrap(namespace)
    assert ended.code == 1
    assert ended.message.startswith("bootstrap-database: as the administrator: wrong-password: ")
    assert "hunter2" not in ended.log


def test_no_server(namespace: Namespace, make_postgres: MakePostgres) -> None:
    make_postgres()
    apply(namespace)
    ended = bootstrap(namespace)
    assert ended.code == 2
    assert ended.message.startswith("bootstrap-database: as the administrator: refused: ")
    assert "bootstrap-database: waiting: refused: " in ended.log


def apply_teams(namespace: Namespace, *teams: str) -> None:
    for team in teams:
        login = {"username": team, "password": f"of {team} {ODD_PASSWORD}"}
        namespace.apply([{"kind": "Secret", "metadata": {"name": team}, "stringData": login}])
    apply(namespace, furtherDatabases=list(teams))


def test_several_databases_in_one_job(namespace: Namespace, server: Postgres) -> None:
    """Each owner gets into its own database and no other; one that fails does not keep it from the others."""
    server.role("text", "a-password", "NOLOGIN")
    apply_teams(namespace, "text", "vision", "speech")
    ended = bootstrap(namespace)
    failure = (
        'bootstrap-database: database "text": no-login: the role "text" exists and may not log in. ALTER ROLE'
        " ... LOGIN, or take another name\n"
    )
    assert (ended.code, ended.message) == (1, failure)
    # The Job tries again: what is there already stays.
    server.execute("DROP ROLE text")
    ended = bootstrap(namespace)
    assert (ended.code, ended.log.count("bootstrap-database: ready: ")) == (0, 4)
    assert [line for line in ended.log.splitlines() if "ready" not in line] == [
        'bootstrap-database: created role "text"',
        'bootstrap-database: created database "text", owned by "text"',
        'bootstrap-database: created schema "tracking", owned by "text"',
        'bootstrap-database: set search_path of role "text" to "tracking" in database "text"',
    ]
    assert "ümläut" not in ended.log + server.log()

    log_in(server, "mlflow", "a-password", "mlflow").close()
    for team in ("text", "vision", "speech"):
        password = f"of {team} {ODD_PASSWORD}"
        with log_in(server, team, password, team) as connection, connection.cursor() as cursor:
            cursor.execute("CREATE TABLE experiments (id int)")
            cursor.execute("SELECT current_user, count(*) FROM tracking.experiments")
            assert cursor.fetchone() == (team, 0)
        for other in {"mlflow", "text", "vision", "speech"} - {team}:
            with pytest.raises(psycopg2.OperationalError, match="permission denied for database"):
                log_in(server, team, password, other)
