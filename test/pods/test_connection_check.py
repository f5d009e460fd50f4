"""The check before anything else: exit code, line, termination message, and that it does not wait in vain."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

import pytest
import synthesis
from conftest import MakePostgres
from kubelet.container import Ended
from kubelet.kubernetes import Namespace
from postgres import Postgres

DEADLINE = 4
NODE = "10.88.0.1"  # an address where nothing listens
AT_ONCE = r"\(attempt 1 at \d+\.\d of 4 s: waiting cannot heal this\)"
AT_LAST = r"\(attempt ([2-9]|\d\d) at \d+\.\d of 4 s: giving up\)"


@dataclass(frozen=True)
class Failure:
    arrange: Callable[[Postgres, Namespace], object]
    code: int
    line: str  # a regular expression; {at} is the server as libpq names it
    tls: str = "disable"


def nothing(postgres: Postgres, namespace: Namespace) -> None:
    pass


def drop_database(postgres: Postgres, namespace: Namespace) -> None:
    postgres.execute("DROP DATABASE mlflow")


def own_nothing(postgres: Postgres, namespace: Namespace) -> None:
    """What the guide makes: GRANT ALL ON DATABASE, which is not enough from PostgreSQL 15 on."""
    postgres.execute("ALTER DATABASE mlflow OWNER TO postgres")
    postgres.execute("GRANT ALL ON DATABASE mlflow TO mlflow")
    postgres.execute("REVOKE CREATE ON SCHEMA public FROM PUBLIC", "mlflow")


FAILURES = {
    "refused": Failure(
        lambda postgres, namespace: namespace.hosts.update(database=NODE),
        2,
        r"refused: {at} failed: Connection refused\. Nothing listens there yet: is PostgreSQL running, and "
        r"are PGHOST and PGPORT right ",
    ),
    "unknown-host": Failure(
        lambda postgres, namespace: namespace.hosts.pop("database"),
        2,
        r'unknown-host: could not translate host name "database" to address: Name or service not known\. '
        r"PGHOST does not resolve: check the Service's name and namespace, and the cluster's DNS ",
    ),
    "wrong-password": Failure(
        lambda postgres, namespace: postgres.execute("ALTER ROLE mlflow PASSWORD 'another'"),
        1,
        r'wrong-password: {at} failed: FATAL: password authentication failed for user "mlflow"\. '
        r"Check PGUSER and PGPASSWORD, and the secret they come from ",
    ),
    "no-login": Failure(
        lambda postgres, namespace: postgres.execute("ALTER ROLE mlflow NOLOGIN"),
        1,
        r'no-login: {at} failed: FATAL: role "mlflow" is not permitted to log in\. '
        r"Create the role, or ALTER ROLE \.\.\. LOGIN ",
    ),
    "missing-database": Failure(
        drop_database,
        1,
        r'missing-database: {at} failed: FATAL: database "mlflow" does not exist\. '
        r"CREATE DATABASE \.\.\. OWNER this user, or correct PGDATABASE ",
    ),
    "no-create-privilege": Failure(
        own_nothing,
        1,
        r'no-create-privilege: no USAGE or no CREATE on the schema \(user "mlflow", database "mlflow", '
        r'schema "public"\)\. GRANT USAGE, CREATE ON SCHEMA public to this user, or make it the owner of the '
        r"database \(PostgreSQL 15 and later grant CREATE to nobody else\) ",
    ),
    "tls-not-offered": Failure(
        nothing,
        1,
        r"tls-not-offered: {at} failed: server does not support SSL, but SSL was required\. "
        r"The server has no TLS: switch it on there, or lower PGSSLMODE ",
        tls="require",
    ),
}


def check_ended(ended: Ended, code: int, line: str, at_the_end: str) -> None:
    assert (ended.name, ended.code) == ("init-mlflow", code), ended
    last = ended.log.splitlines()[-1]
    assert re.fullmatch(f"wait-for-database: {line}{at_the_end}", last), last
    assert ended.message == f"{last}\n"
    _, cause, _ = last.split(": ", 2)
    link = f"See https://cdk8s-mlflow.github.io/cdk8s-mlflow/errors#{cause}\n"
    assert ended.termination_message == f"{last}\n{link}"


@pytest.mark.parametrize("case", FAILURES)
def test_failure(case: str, namespace: Namespace, make_postgres: MakePostgres) -> None:
    failure = FAILURES[case]
    postgres = make_postgres(tls=False).start()
    postgres.owned_database()
    failure.arrange(postgres, namespace)
    namespace.apply(synthesis.server(check=DEADLINE, tls=failure.tls))
    [pod] = namespace.deployment(only_init=True)

    [ended] = pod.wait_init(60)
    at = (
        rf'connection to server at "database" \({re.escape(namespace.hosts.get("database", ""))}\), port 5432'
    )
    waits = failure.code == 2
    check_ended(ended, failure.code, failure.line.replace("{at}", at), AT_LAST if waits else AT_ONCE)
    if waits:
        assert ended.seconds >= DEADLINE
    else:
        assert len(ended.log.splitlines()) == 1


def test_waits_for_too_many_connections(namespace: Namespace, make_postgres: MakePostgres) -> None:
    postgres = make_postgres().start()
    postgres.owned_database()
    postgres.execute("ALTER ROLE mlflow CONNECTION LIMIT 0")
    namespace.apply(synthesis.server())
    [pod] = namespace.deployment(only_init=True)
    pod.wait_for_line("wait-for-database: too-many-connections: ")
    postgres.execute("ALTER ROLE mlflow CONNECTION LIMIT -1")
    assert [each.code for each in pod.wait_init(120)] == [0]


def test_off(namespace: Namespace, postgres: Postgres) -> None:
    namespace.apply(synthesis.server(check="off"))
    [pod] = namespace.deployment(only_init=True)
    [ended] = pod.wait_init(120)
    assert (ended.name, ended.code) == ("init-mlflow", 0)
    assert "wait-for-database" not in ended.log


def test_stops_at_once_when_the_pod_is_deleted(namespace: Namespace, make_postgres: MakePostgres) -> None:
    make_postgres()  # not started: the check waits
    namespace.apply(synthesis.server())
    [pod] = namespace.deployment(only_init=True)
    pod.wait_for_line("wait-for-database: refused: ")
    stopped = pod.delete()
    assert (stopped.killed, [each.code for each in stopped.ended]) == (False, [143])
    assert stopped.ended[0].message == "init-mlflow: terminated: got SIGTERM before the work was done\n"
