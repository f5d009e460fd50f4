"""MLflow behind a real PgBouncer, with the configuration that the library writes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import psycopg2
import pytest
import synthesis
from kubelet.kubernetes import Namespace
from kubelet.pod import Pod
from loading import Load, Sampler, create_model, log_batch, search
from postgres import Postgres
from repository import ROOT
from tracking import check_everything, client_of, log_everything, url_of
from tracking_api import Caller

pytestmark = pytest.mark.migrated

README = (ROOT / "README.md").read_text()
BACKENDS = "SELECT count(*) FROM pg_stat_activity WHERE application_name <> 'test' AND usename = 'mlflow'"
REFUSED = r"authentication failed|no such user"


def start(namespace: Namespace, **options: object) -> tuple[list[Pod], Pod]:
    """Both PgBouncers, of which pods know the first, and a server behind it."""
    namespace.apply(synthesis.server(**{"workers": 2, "threads": 4, **options}))
    poolers = [pod.wait_ready() for pod in namespace.deployment("pgbouncer")]
    namespace.hosts["pgbouncer"] = poolers[0].address
    [server] = namespace.deployment()
    return poolers, server.wait_ready()


def connect(pooler: Pod, user: str, password: str) -> psycopg2.extensions.connection:
    return psycopg2.connect(host=pooler.address, port=6432, dbname="mlflow", user=user, password=password)


def test_many_clients_share_few_connections(namespace: Namespace, postgres: Postgres, tmp_path: Path) -> None:
    """As many as the rule asks for: 16 requests at once, those of a rolling update included."""
    _, server = start(namespace, pooled={"defaultPoolSize": 17})
    client = client_of(server)
    check_everything(client, log_everything(client, "pooled", tmp_path), tmp_path / "read")
    with Sampler(lambda: int(postgres.value(BACKENDS))) as sampler:
        load = Load([Caller(url_of(server)) for _ in range(24)], [log_batch, create_model, search], 15)
    assert set(load.codes) == {200}, load.texts
    assert load.codes[200] > 100
    assert 5 <= sampler.most <= 17


def test_finds_a_restarted_database_again(namespace: Namespace, postgres: Postgres, tmp_path: Path) -> None:
    _, server = start(namespace, pooled={})
    client = client_of(server)
    logged = log_everything(client, "before", tmp_path)
    postgres.stop()
    postgres.start()
    check_everything(client, logged, tmp_path / "read")
    check_everything(client, log_everything(client, "after", tmp_path), tmp_path / "read-2")


@pytest.fixture
def lookup(postgres: Postgres) -> Iterator[str]:
    """What README.md tells an administrator to run, and the query that goes with it."""
    [sql] = re.findall(r"```sql\n(CREATE FUNCTION pgbouncer_lookup.*?)```", README, re.DOTALL)
    [query] = re.findall(r"authQuery: '(.*?)'", README)
    postgres.execute(sql, "mlflow")
    yield query


def test_further_users_by_query(namespace: Namespace, postgres: Postgres, lookup: str) -> None:
    odd = 'it\'s 100% "odd" \\ пароль'
    postgres.role("reporter", odd, "LOGIN")
    postgres.role("former", odd, "LOGIN VALID UNTIL 'yesterday'")
    postgres.role("boss", odd, "LOGIN SUPERUSER")
    pooled = {"authQuery": lookup, "defaultPoolSize": 17, "maxDatabaseConnections": 17}
    [pooler, _], _ = start(namespace, pooled=pooled)

    def user_of(name: str, password: str) -> str:
        connection = connect(pooler, name, password)
        try:
            with connection.cursor() as cursor:
                cursor.execute("SELECT current_user")
                return str(cursor.fetchone()[0])
        finally:
            connection.close()

    assert user_of("mlflow", "a-password") == "mlflow"
    assert user_of("reporter", odd) == "reporter"
    refused = [("reporter", "wrong"), *((each, odd) for each in ("former", "boss", "nobody", "mlflow"))]
    for name, password in refused:
        with pytest.raises(psycopg2.OperationalError, match=REFUSED):
            user_of(name, password)
    # Asked anew at each login: no restart.
    postgres.execute("ALTER ROLE reporter PASSWORD 'another one'")
    assert user_of("reporter", "another one") == "reporter"


def test_others_are_nobody_without_a_query(namespace: Namespace, postgres: Postgres) -> None:
    postgres.role("reporter", "a-password", "LOGIN")
    [pooler, _], _ = start(namespace, pooled={})
    with pytest.raises(psycopg2.OperationalError, match=REFUSED):
        connect(pooler, "reporter", "a-password")
