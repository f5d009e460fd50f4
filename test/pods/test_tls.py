"""Encrypted connections: a server with a certificate of our own CA, and clients with one."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import synthesis
from conftest import CERTIFICATES, CERTIFIED_ROLE, MakePostgres
from kubelet.kubernetes import Document, Namespace
from postgres import Postgres
from test_connection_check import AT_ONCE, check_ended
from tracking import client_of, log_everything

pytestmark = pytest.mark.migrated

ENCRYPTED = (
    "SELECT bool_and(ssl) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE usename <> 'postgres'"
)


def ca_of(name: str, config_map: str = "postgres-ca") -> Document:
    data = {"ca.crt": (CERTIFICATES / f"{name}.crt").read_text()}
    return {"kind": "ConfigMap", "metadata": {"name": config_map}, "data": data}


def client_certificate() -> Document:
    data = {f"tls.{kind}": (CERTIFICATES / f"client.{kind}").read_text() for kind in ("crt", "key")}
    return {"kind": "Secret", "metadata": {"name": "postgres-client"}, "stringData": data}


def test_right_ca_for_verify_full(namespace: Namespace, postgres: Postgres, tmp_path: Path) -> None:
    namespace.apply([ca_of("ca"), *synthesis.server(tls="verifyFull")])
    [pod] = namespace.deployment()
    log_everything(client_of(pod.wait_ready()), "encrypted", tmp_path)
    assert postgres.value(ENCRYPTED) is True


def test_cas_of_the_system(namespace: Namespace, postgres: Postgres, tmp_path: Path) -> None:
    """For psycopg2, whose OpenSSL has no CAs, and for PgBouncer, which does not know `sslrootcert=system`."""
    namespace.apply([ca_of("ca", "cluster-ca")])
    namespace.apply(synthesis.server(tls="systemCa", openShift=True, pooled={}))
    [pooler, _] = [pod.wait_ready() for pod in namespace.deployment("pgbouncer")]
    namespace.hosts["pgbouncer"] = pooler.address
    [pod] = namespace.deployment()
    log_everything(client_of(pod.wait_ready()), "encrypted", tmp_path)
    assert postgres.value(ENCRYPTED) is True


UNTRUSTED = (
    r"tls-untrusted: {at} failed: {why}\. Make PGSSLROOTCERT the CA that signed the server's certificate, "
    r"and PGHOST a name in it "
)


@pytest.mark.parametrize("mode", ["verifyCa", "verifyFull"])
def test_wrong_ca(mode: str, namespace: Namespace, postgres: Postgres) -> None:
    namespace.apply([ca_of("other-ca"), *synthesis.server(tls=mode)])
    refuse_certificate(namespace, "database", postgres, "SSL error: certificate verify failed")


def test_a_ca_that_the_system_does_not_know(namespace: Namespace, postgres: Postgres) -> None:
    namespace.apply(synthesis.server(tls="systemCa"))
    refuse_certificate(namespace, "database", postgres, "SSL error: certificate verify failed", waited=1)


def test_wrong_name_for_verify_full(namespace: Namespace, postgres: Postgres) -> None:
    namespace.hosts["elsewhere"] = postgres.address
    namespace.apply([ca_of("ca"), *synthesis.server(tls="verifyFull", host="elsewhere")])
    why = r'server certificate for "database" \(and 1 other name\) does not match host name "elsewhere"'
    refuse_certificate(namespace, "elsewhere", postgres, why)


def refuse_certificate(
    namespace: Namespace, host: str, postgres: Postgres, why: str, waited: int = 0
) -> None:
    [pod] = namespace.deployment(only_init=True)
    ended = pod.wait_init(60)[waited]
    at = rf'connection to server at "{host}" \({re.escape(postgres.address)}\), port 5432'
    line = UNTRUSTED.replace("{at}", at).replace("{why}", why)
    check_ended(ended, 1, line, AT_ONCE.replace("of 4 s", "of 120 s"))


def test_any_name_for_verify_ca(namespace: Namespace, postgres: Postgres) -> None:
    namespace.hosts["elsewhere"] = postgres.address
    namespace.apply([ca_of("ca"), *synthesis.server(tls="verifyCa", host="elsewhere")])
    [pod] = namespace.deployment(only_init=True)
    assert [each.code for each in pod.wait_init(120)] == [0]


def test_client_certificate(namespace: Namespace, make_postgres: MakePostgres, tmp_path: Path) -> None:
    """The key is a file of root that the pod's group may read: the one way that suits libpq and the pod."""
    postgres = make_postgres().start()
    postgres.owned_database("mlflow", CERTIFIED_ROLE, "not asked for")
    options = {"user": CERTIFIED_ROLE, "password": "wrong", "tls": "verifyFull", "clientCertificate": True}
    namespace.apply([ca_of("ca"), client_certificate(), *synthesis.server(**options)])
    [pod] = namespace.deployment()
    log_everything(client_of(pod.wait_ready()), "certified", tmp_path)
    assert postgres.value(ENCRYPTED) is True


def test_missing_client_certificate(namespace: Namespace, make_postgres: MakePostgres) -> None:
    postgres = make_postgres().start()
    postgres.owned_database("mlflow", CERTIFIED_ROLE, "not asked for")
    namespace.apply([ca_of("ca"), *synthesis.server(user=CERTIFIED_ROLE, tls="verifyFull")])
    [pod] = namespace.deployment(only_init=True)
    [ended] = pod.wait_init(60)
    at = rf'connection to server at "database" \({re.escape(postgres.address)}\), port 5432'
    line = (
        rf"client-certificate: {at} failed: FATAL: connection requires a valid client certificate\. "
        r"Give PGSSLCERT and PGSSLKEY a certificate for this user from a CA that the server trusts "
    )
    check_ended(ended, 1, line, AT_ONCE.replace("of 4 s", "of 120 s"))
