from __future__ import annotations

import json

import pytest
from conftest import PASSWORD, DatabaseError
from database_errors import CAUSES, Problem, classify, find_database_error

TO = 'connection to server at "db" (10.0.0.7), port 5432 failed: '
# What libpq 13 to 17, PostgreSQL 13 to 17 and PgBouncer say.
MESSAGES = [
    (
        "refused",
        f"{TO}Connection refused\n\tIs the server running on that host and accepting TCP/IP connections?\n",
    ),
    ("refused", 'connection to server on socket "/run/.s.PGSQL.5432" failed: No such file or directory\n'),
    ("unknown-host", 'could not translate host name "db" to address: Name or service not known\n'),
    ("unknown-host", 'could not translate host name "db" to address: Temporary failure in name resolution\n'),
    ("timeout", f"{TO}timeout expired\n"),
    ("timeout", f"{TO}Connection timed out\n"),
    ("no-route", f"{TO}No route to host\n"),
    ("no-route", f"{TO}Network is unreachable\n"),
    ("starting-up", f"{TO}FATAL:  the database system is starting up\n"),
    ("starting-up", f"{TO}FATAL:  the database system is shutting down\n"),
    ("starting-up", f"{TO}FATAL:  the database system is in recovery mode\n"),
    ("starting-up", f"{TO}FATAL:  the database system is not yet accepting connections\n"),
    ("too-many-connections", f"{TO}FATAL:  sorry, too many clients already\n"),
    (
        "too-many-connections",
        f"{TO}FATAL:  remaining connection slots are reserved for roles with SUPERUSER\n",
    ),
    ("too-many-connections", f'{TO}FATAL:  too many connections for role "mlflow"\n'),
    ("too-many-connections", f"{TO}FATAL:  no more connections allowed (max_client_conn)\n"),
    ("read-only", f"{TO}session is read-only\n"),
    ("read-only", f"{TO}server is in hot standby mode\n"),
    (
        "dropped",
        f"{TO}server closed the connection unexpectedly\n\tThis probably means the server terminated\n",
    ),
    ("dropped", f"{TO}could not receive data from server: Connection reset by peer\n"),
    ("dropped", f"{TO}SSL SYSCALL error: EOF detected\n"),
    ("wrong-password", f'{TO}FATAL:  password authentication failed for user "mlflow"\n'),
    ("wrong-password", f"{TO}fe_sendauth: no password supplied\n"),
    ("wrong-password", f'{TO}FATAL:  PAM authentication failed for user "mlflow"\n'),
    ("no-login", f'{TO}FATAL:  role "mlflow" is not permitted to log in\n'),
    ("no-login", f'{TO}FATAL:  role "mlflow" does not exist\n'),
    ("missing-database", f'{TO}FATAL:  database "mlflow" does not exist\n'),
    ("missing-database", f"{TO}FATAL:  no such database: mlflow\n"),
    (
        "no-connect-privilege",
        f'{TO}FATAL:  permission denied for database "mlflow"\nDETAIL:  User does not have it.\n',
    ),
    ("no-connect-privilege", f'{TO}FATAL:  database "mlflow" is not currently accepting connections\n'),
    ("no-create-privilege", "permission denied for schema public\nLINE 2: CREATE TABLE experiments (\n"),
    ("no-table-privilege", "permission denied for table alembic_version\n"),
    ("no-table-privilege", "must be owner of table tags\n"),
    (
        "pg-hba",
        f'{TO}FATAL:  no pg_hba.conf entry for host "10.0.0.9", user "u", database "d", no encryption\n',
    ),
    ("pg-hba", f'{TO}FATAL:  pg_hba.conf rejects connection for host "10.0.0.9", user "u", database "d"\n'),
    ("tls-not-offered", f"{TO}server does not support SSL, but SSL was required\n"),
    ("tls-untrusted", f"{TO}SSL error: certificate verify failed\n"),
    ("tls-untrusted", f'{TO}server certificate for "a" (and 1 other name) does not match host name "db"\n'),
    (
        "tls-file",
        f'{TO}root certificate file "/tls/ca.crt" does not exist\nEither provide the file, or not.\n',
    ),
    ("tls-file", f'{TO}could not open certificate file "/tls/tls.crt": No such file or directory\n'),
    (
        "tls-file",
        f'{TO}private key file "/tls/tls.key" has group or world access; file must have u=rw (0600)\n',
    ),
    ("tls-file", f'{TO}certificate present, but not private key file "/tls/tls.key"\n'),
    ("client-certificate", f"{TO}FATAL:  connection requires a valid client certificate\n"),
    ("client-certificate", f"{TO}SSL error: tlsv1 alert unknown ca\n"),
    ("client-certificate", f"{TO}SSL error: tlsv13 alert certificate required\n"),
    ("client-certificate", f'{TO}FATAL:  certificate authentication failed for user "mlflow"\n'),
    ("bad-settings", 'invalid sslmode value: "yes"\n'),
    ("missing-schema", 'ERROR:  schema "ml" does not exist\n'),
    ("bad-settings", 'invalid integer value "tcp://10.0.0.1:5432" for connection option "port"\n'),
    ("bad-settings", "could not match 3 port numbers to 2 hosts\n"),
    ("bad-settings", f"{TO}FATAL:  unsupported startup parameter: options\n"),
    ("bad-settings", f'{TO}FATAL:  unrecognized configuration parameter "nosuch"\n'),
    ("bad-settings", 'definition of service "main" not found\n'),
    ("bad-settings", f"{TO}server is not in hot standby mode\n"),
    ("unknown", f"{TO}FATAL:  Passwort-Authentifizierung für Benutzer »mlflow« fehlgeschlagen\n"),
]
WORTH_WAITING = {
    "refused", "unknown-host", "timeout", "no-route", "starting-up", "too-many-connections", "read-only",
    "dropped", "unknown",
}  # fmt: skip


@pytest.mark.parametrize(("cause", "message"), MESSAGES)
def test_names_the_cause(cause: str, message: str) -> None:
    assert classify(DatabaseError(message)).cause.name == cause


def test_waits_for_what_can_heal_only() -> None:
    assert {cause.name for cause in CAUSES.values() if cause.retry} == WORTH_WAITING


def test_every_cause_has_an_example_above() -> None:
    assert {name for name, _ in MESSAGES} == set(CAUSES) - {
        "bad-image",
        "other-schema",
    }  # told apart otherwise


@pytest.mark.parametrize(
    ("pgcode", "message", "cause"),
    [
        ("57P01", "FATAL: Verbindung wird abgebrochen", "starting-up"),
        ("25006", "kann CREATE TABLE nicht ausführen", "read-only"),
        ("42501", "keine Berechtigung für Schema public", "no-create-privilege"),
        ("42501", "must be owner of table tags", "no-table-privilege"),
        ("08006", "Verbindungsfehler", "dropped"),
        ("53300", "zu viele", "too-many-connections"),
        ("42P01", 'relation "x" says Connection refused', "unknown"),
    ],
)
def test_prefers_sqlstate_to_the_text(pgcode: str, message: str, cause: str) -> None:
    assert classify(DatabaseError(message, pgcode)).cause.name == cause


DENIED = f'{TO}FATAL:  password authentication failed for user "mlflow"\n'
REFUSED = 'connection to server at "db2" (10.0.0.8), port 5432 failed: Connection refused\n'


@pytest.mark.parametrize("message", [DENIED + REFUSED, REFUSED + DENIED])
def test_retries_if_one_host_of_a_list_can_heal(message: str) -> None:
    assert classify(DatabaseError(message)).cause.name == "refused"


def test_does_not_retry_if_no_host_can_heal() -> None:
    other = DENIED.replace("10.0.0.7", "10.0.0.8")
    assert classify(DatabaseError(DENIED + other)).cause.name == "wrong-password"


def test_retries_if_one_host_of_a_list_says_something_unknown() -> None:
    assert classify(DatabaseError(DENIED + f"{TO}a new error\n")).cause.name == "unknown"


def test_says_the_same_error_with_and_without_tls_once() -> None:
    assert classify(DatabaseError(DENIED + DENIED)).saw.count("authentication failed") == 1


def test_the_text_is_one_line_with_cause_sight_and_advice() -> None:
    assert str(classify(DatabaseError(f"{TO}timeout\n\t expired.\n"))) == (
        'unknown: connection to server at "db" (10.0.0.7), port 5432 failed: timeout expired.'
        " No cause that is known here: read the message, and PostgreSQL's log"
    )


# What sidecars bring: a proxy, a keeper of passwords, and a cause that only some messages have.
PROXY = {"replaces": "refused", "name": "refused", "advice": "The container proxy connects for this one"}
KEEPER = {"replaces": "wrong-password", "name": "vault-lease", "advice": "Renew the lease of this role"}
SOME = {**KEEPER, "name": "no-account", "messageContains": "Cloud account"}


ADVICE = "Renew the lease of this role"
SECRET = "Check PGUSER and PGPASSWORD, and the secret they come from"


@pytest.mark.parametrize(
    ("causes", "message", "name", "advice"),
    [
        ([PROXY], REFUSED, "refused", "The container proxy connects for this one"),
        ([PROXY], DENIED, "wrong-password", SECRET),
        ([KEEPER], DENIED, "vault-lease", ADVICE),
        ([KEEPER], DENIED.replace("password auth", "PAM auth"), "vault-lease", ADVICE),
        ([SOME, KEEPER], DENIED, "vault-lease", ADVICE),
        ([SOME, KEEPER], DENIED.replace("password", "cloud account"), "no-account", ADVICE),
    ],
)
def test_a_sidecar_brings_its_own_cause_and_advice(
    causes: list[dict[str, str]], message: str, name: str, advice: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_FAILURE_CAUSES", json.dumps(causes))
    assert str(classify(DatabaseError(message))) == f"{name}: {' '.join(message.split())}. {advice}"


def test_a_cause_of_a_sidecar_is_waited_for_as_the_one_that_it_replaces(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DATABASE_FAILURE_CAUSES", json.dumps([PROXY, KEEPER]))
    assert classify(DatabaseError("Verbindungsfehler", "08006")).cause == CAUSES["dropped"]
    for message, name in ((REFUSED, "refused"), (DENIED, "wrong-password")):
        cause = classify(DatabaseError(message)).cause
        assert (cause.retry, cause.may_appear) == (CAUSES[name].retry, CAUSES[name].may_appear)


@pytest.mark.parametrize("echo", [PASSWORD, "s3cret%20p%40ss%2Fw%25rd"])
def test_hides_a_password_that_libpq_echoes(echo: str) -> None:
    text = str(classify(DatabaseError(f'could not translate host name "u:{echo}@db" to address\n')))
    assert '"u:***@db"' in text
    assert echo not in text


@pytest.mark.parametrize("echo", ["p%40ss", "p@ss"])
def test_hides_the_password_of_a_uri(echo: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_BACKEND_STORE_URI", "postgresql+psycopg2://u:p%40ss@db/mlflow")
    assert str(Problem(CAUSES["unknown"], f"saw {echo} here")).startswith("unknown: saw *** here.")


def test_survives_an_error_without_text() -> None:
    assert str(classify(DatabaseError(""))).startswith("unknown: DatabaseError. ")


def test_finds_the_driver_error_in_what_others_made_of_it() -> None:
    original = DatabaseError("lost", "57P01")
    wrapped, outer = RuntimeError("sqlalchemy"), RuntimeError("mlflow")
    wrapped.orig = original
    outer.__cause__ = wrapped
    assert find_database_error(outer) is original
    assert find_database_error(RuntimeError("other")) is None


def test_a_pooler_that_refuses_the_schema(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_SCHEMA", "ml")
    refused = classify(Exception("FATAL:  unsupported startup parameter: options"))
    assert str(refused) == (
        "other-schema: FATAL: unsupported startup parameter: options. A pooler passes no schema on: ALTER"
        " ROLE this user IN DATABASE this database SET search_path = ml, and leave out `schema` of the"
        " backend"
    )


def test_advice_names_the_schema_of_the_message() -> None:
    assert " ON SCHEMA ml to this user" in str(classify(Exception("permission denied for schema ml")))
