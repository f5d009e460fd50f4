"""The synthesized pods with their token writer, against a stand-in of RDS that takes tokens for seconds."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg2
import pytest
import synthesis
from conftest import CERTIFICATES, SERVER_NAMES, MakePostgres
from kubelet.kubernetes import Document, Namespace
from kubelet.pod import Pod
from loading import Load, create_model, log_batch, search
from postgres import PORT, Postgres
from rds import REGION, Rds, Sts
from repository import ROOT
from tracking import check_everything, client_of, log_everything, url_of
from tracking_api import Caller
from waiting import eventually

pytestmark = pytest.mark.migrated

HOST = SERVER_NAMES[1]
PAGE = (ROOT / "docs" / "databases.md").read_text()
KEY = {"AWS_ACCESS_KEY_ID": "AKIAEXAMPLE", "AWS_SECRET_ACCESS_KEY": "a/secret+key"}
# Longer than a pod needs to see a new file, much shorter than a test.
LIFETIME, RENEWAL = 20, 5
MakeSts = Callable[[], Sts]


@pytest.fixture
def rds(namespace: Namespace, postgres: Postgres) -> Iterator[Rds]:
    rds = Rds(namespace.new_server_address(HOST), HOST, CERTIFICATES, postgres, LIFETIME)
    ca = (CERTIFICATES / "ca.crt").read_text()
    namespace.apply(
        [
            {"kind": "Secret", "metadata": {"name": "aws"}, "stringData": KEY},
            {"kind": "ConfigMap", "metadata": {"name": "postgres-ca"}, "data": {"ca.crt": ca}},
        ]
    )
    yield rds
    rds.stop()


@pytest.fixture
def make_sts(namespace: Namespace, rds: Rds) -> Iterator[MakeSts]:
    made: list[Sts] = []

    def make() -> Sts:
        made.append(Sts(namespace.new_server_address(), rds, LIFETIME))
        return made[-1]

    yield make
    for each in made:
        each.stop()


def server(identity: str = "key", **options: object) -> list[Document]:
    return synthesis.server(rds={"host": HOST, "identity": identity, "renewal": RENEWAL}, **options)


def with_role(documents: list[Document], sts: Sts) -> list[Document]:
    """What the webhook of EKS makes of a pod whose ServiceAccount has the annotation."""
    [account] = [each for each in documents if each["kind"] == "ServiceAccount"]
    variables = {
        "AWS_ROLE_ARN": account["metadata"]["annotations"]["eks.amazonaws.com/role-arn"],
        "AWS_WEB_IDENTITY_TOKEN_FILE": "/var/run/secrets/eks.amazonaws.com/serviceaccount/token",
        "AWS_ENDPOINT_URL_STS": sts.url,  # not the webhook's
    }
    [deployment] = [each for each in documents if each["kind"] == "Deployment"]
    spec = deployment["spec"]["template"]["spec"]
    spec["volumes"].append({"name": "aws-iam-token", "secret": {"secretName": "identity"}})
    for container in [*spec["initContainers"], *spec["containers"]]:
        container["env"] += [{"name": name, "value": value} for name, value in variables.items()]
        path = "/var/run/secrets/eks.amazonaws.com/serviceaccount"
        container["volumeMounts"].append({"name": "aws-iam-token", "mountPath": path, "readOnly": True})
    identity = {"kind": "Secret", "metadata": {"name": "identity"}, "stringData": {"token": sts.token}}
    return [identity, *documents]


def logs(pod: Pod) -> str:
    return "".join([each.log for each in pod.init] + [each.log() for each in [*pod.sidecars, *pod.running]])


def wait_for(text: str, log: Callable[[], str], seconds: float) -> None:
    eventually(lambda: text in log(), log, seconds)


def test_what_readme_tells_an_administrator_to_run(make_postgres: MakePostgres) -> None:
    """As RDS has them: an administrator who is no superuser, and whoever is in rds_iam needs a token."""
    server = make_postgres().start()
    server.role("admin", "a-password", "LOGIN CREATEDB CREATEROLE")
    server.execute("CREATE ROLE rds_iam")
    [commands] = re.findall(r"^psql (-c 'CREATE ROLE mlflow LOGIN'.*?)  #", PAGE, re.MULTILINE | re.DOTALL)
    with server.connect() as connection, connection.cursor() as cursor:
        cursor.execute("SET ROLE admin")
        for statement in re.findall(r"-c '([^']+)'", commands):
            cursor.execute(statement)
    owner = "SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = 'mlflow'"
    assert server.value(owner) == "mlflow"
    assert server.value("SELECT pg_has_role('mlflow', 'rds_iam', 'member')")
    assert not server.value("SELECT pg_has_role('admin', 'rds_iam', 'member')")


def test_without_a_password_that_lasts(
    namespace: Namespace, rds: Rds, postgres: Postgres, tmp_path: Path
) -> None:
    documents = server()
    assert "PGPASSWORD" not in str([each for each in documents if each["kind"] != "ConfigMap"])
    namespace.apply(documents)
    [pod] = namespace.deployment()
    pod.wait_ready()
    assert [each.name for each in pod.init] == ["init-mlflow"]
    assert 'ready: user "mlflow"' in pod.init[0].log
    client = client_of(pod)
    check_everything(client, log_everything(client, "rds", tmp_path), tmp_path / "read")
    [sidecar] = pod.sidecars
    written = f'rds-token: written: for user "mlflow" at {HOST}, again every {RENEWAL} s\n'
    assert sidecar.log() == written
    said = logs(pod) + postgres.log()
    assert rds.seen.tokens and not rds.seen.refused
    assert not any(token in said for token in rds.seen.tokens) and "X-Amz-Signature" not in said
    stopped = pod.delete()
    assert not stopped.killed
    assert [(each.name, each.code) for each in stopped.sidecars] == [("rds-token", 0)]


def test_tokens_that_expire_fail_no_request(namespace: Namespace, rds: Rds, postgres: Postgres) -> None:
    # With this pool, most requests open a connection of their own.
    namespace.apply(server(pooling="none"))
    [pod] = namespace.deployment()
    pod.wait_ready()
    callers = [Caller(url_of(pod)) for _ in range(8)]
    before = sum(rds.seen.tokens.values())
    load = Load(callers, [log_batch, create_model, search], 80)
    assert load.codes.keys() == {200}, load.texts
    logins = sum(rds.seen.tokens.values()) - before
    print(
        load.codes, f"{logins} logins by {len(rds.seen.tokens)} tokens, of {max(rds.seen.ages):.1f} s at most"
    )
    assert rds.seen.refused == []
    assert len(rds.seen.tokens) >= 80 / RENEWAL - 2 and logins > 100
    assert max(rds.seen.ages) < RENEWAL + 5
    # It would have refused one that has expired.
    first, *_, last = rds.seen.tokens
    where = {"host": rds.address, "port": PORT, "user": "mlflow", "dbname": "mlflow", "sslmode": "require"}
    psycopg2.connect(password=last, **where).close()
    with pytest.raises(psycopg2.OperationalError, match='PAM authentication failed for user "mlflow"'):
        psycopg2.connect(password=first, **where)
    assert re.fullmatch(r"it is \d\d+ s old", rds.seen.refused[0]), rds.seen.refused


def test_connections_that_are_cut_are_made_anew(namespace: Namespace, rds: Rds, postgres: Postgres) -> None:
    """Long after the first token: a pool of the library's own, whose sessions an administrator ends."""
    namespace.apply(server())
    [pod] = namespace.deployment()
    pod.wait_ready()
    caller = Caller(url_of(pod))
    ended, deadline = 0, time.monotonic() + 65
    while time.monotonic() < deadline:
        [(count,)] = postgres.execute(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = 'mlflow'"
        )
        ended += count
        time.sleep(0.5)
        for _ in range(4):
            code, text = search(caller, 0)
            assert code == 200, text
        time.sleep(2)
    print(f"{ended} sessions ended, {len(rds.seen.tokens)} tokens used")
    assert ended >= 20 and len(rds.seen.tokens) >= 8 and rds.seen.refused == []


def test_the_migration_job_ends(namespace: Namespace, rds: Rds) -> None:
    namespace.apply(server(migration="job"))
    [name] = [name for kind, name in namespace.objects if kind == "Job"]
    job, [pod] = namespace.job(name), namespace.deployment()
    ended = job.wait_completed(120)
    assert [(each.name, each.code) for each in ended] == [("init-mlflow", 0), ("rds-token", 0)]
    pod.wait_ready()


def test_a_backup_and_a_restore(namespace: Namespace, rds: Rds, postgres: Postgres) -> None:
    namespace.apply(server())
    [pod] = namespace.deployment(only_init=True)
    pod.wait_init(120)
    case = {"host": HOST, "identity": "key", "renewal": RENEWAL}
    namespace.apply(synthesis.backup(rds=case))
    ended = namespace.cron_job("backup").wait_completed(120)
    assert [(each.name, each.code) for each in ended] == [("store", 0), ("rds-token", 0)], ended
    postgres.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public AUTHORIZATION mlflow", "mlflow")
    documents = synthesis.restore(rds=case)
    namespace.apply(documents)
    [name] = [each["metadata"]["name"] for each in documents if each["kind"] == "Job"]
    ended = namespace.job(name).wait_completed(120)
    assert [(each.name, each.code) for each in ended] == [("restore", 0), ("rds-token", 0)], ended
    assert rds.seen.refused == []


def test_each_host_has_a_token_of_its_own(namespace: Namespace, rds: Rds, postgres: Postgres) -> None:
    database = namespace.new_server_address("database")  # where nobody listens
    place = {
        "host": "database",
        "failoverHosts": [HOST],
        "region": REGION,
        "identity": "key",
        "renewal": RENEWAL,
    }
    namespace.apply(synthesis.server(rds=place))
    [pod] = namespace.deployment(only_init=True)
    assert [each.code for each in pod.wait_init(120)] == [0]
    assert rds.seen.tokens and rds.seen.refused == []

    reader = Rds(database, "database", CERTIFICATES, postgres, LIFETIME)
    place = {"host": HOST, "readHost": "database", "region": REGION, "identity": "key", "renewal": RENEWAL}
    namespace.apply(synthesis.server(rds=place))
    [pod] = namespace.deployment()
    pod.wait_ready()
    assert client_of(pod).search_experiments()
    reader.stop()
    assert reader.seen.tokens and not reader.seen.tokens.keys() & rds.seen.tokens.keys()
    assert reader.seen.refused == rds.seen.refused == []


def test_a_key_that_rds_does_not_take(namespace: Namespace, rds: Rds) -> None:
    rds.keys["AKIAEXAMPLE"].secret = "another"
    namespace.apply(server())
    [pod] = namespace.deployment(only_init=True)
    [ended] = pod.wait_init(60)
    assert ended.code == 1
    assert re.match(
        rf'wait-for-database: rds-iam: connection to server at "{HOST}" \(.+\), port 5432 failed: FATAL: PAM'
        r' authentication failed for user "mlflow"\. GRANT rds_iam TO this user, allow the identity',
        ended.message,
    ), ended.message
    assert rds.seen.refused == ["its signature is wrong"]


def test_a_role_that_may_not_log_in_by_iam(namespace: Namespace, rds: Rds) -> None:
    rds.roles.clear()
    namespace.apply(server())
    [pod] = namespace.deployment(only_init=True)
    [ended] = pod.wait_init(60)
    assert ended.code == 1
    assert ended.message.startswith("wait-for-database: rds-iam: "), ended.message
    assert 'password authentication failed for user "mlflow"' in ended.message


def test_a_role_of_iam_whose_credentials_expire(
    namespace: Namespace, rds: Rds, make_sts: MakeSts, tmp_path: Path
) -> None:
    sts = make_sts()
    namespace.apply(with_role(server("role"), sts))
    [pod] = namespace.deployment()
    pod.wait_ready()
    client = client_of(pod)
    check_everything(client, log_everything(client, "rds", tmp_path), tmp_path / "read")
    time.sleep(LIFETIME + RENEWAL)
    assert client.search_experiments() and sts.asked >= 4 and rds.seen.refused == []
    [sidecar] = pod.sidecars
    [container] = [each for each in pod.template.init_containers if each.name == "rds-token"]

    sts.stop()
    wait_for("rds-token: unreachable: ", sidecar.log, 40)
    alive = container.liveness.command
    assert sidecar.execute(alive, 10) == 0
    # A quarter of an hour later.
    [file] = (tmp_path / "kubelet").rglob("pgpass")
    os.utime(file, (time.time() - 841, time.time() - 841))
    assert sidecar.execute(alive, 10) == 1
    # What the kubelet does then, before it starts the container anew.
    sidecar.signal(15)
    ended = sidecar.wait(5)
    assert ended.code == 1
    assert ended.message.startswith('rds-token: unreachable: Could not connect to the endpoint URL: "http'), (
        ended
    )


def test_a_role_that_does_not_trust_the_pod(namespace: Namespace, rds: Rds, make_sts: MakeSts) -> None:
    sts = make_sts()
    documents = with_role(server("role"), sts)
    sts.token = "of another ServiceAccount"
    namespace.apply(documents)
    [pod] = namespace.deployment()
    wait_for("rds-token: ", lambda: "".join(each.log() for each in pod.sidecars), 40)
    assert (
        pod.sidecars[0]
        .log()
        .startswith(
            "rds-token: refused: An error occurred (AccessDenied) when calling the AssumeRoleWithWebIdentity"
            " operation: Not authorized to perform sts:AssumeRoleWithWebIdentity. Let the role trust this"
        )
    )
    assert pod.init == []


def test_no_credentials_at_all(namespace: Namespace, rds: Rds) -> None:
    namespace.apply(server("ambient"))
    [pod] = namespace.deployment()
    wait_for("rds-token: ", lambda: "".join(each.log() for each in pod.sidecars), 40)
    assert (
        pod.sidecars[0]
        .log()
        .startswith(
            "rds-token: no-credentials: Unable to locate credentials. Nothing gives this pod credentials: "
        )
    )
    assert pod.init == []
