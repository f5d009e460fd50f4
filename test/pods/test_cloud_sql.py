"""The synthesized pods with the real Cloud SQL Auth Proxy in them, against a stand-in of Cloud SQL."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import synthesis
from cloud_sql import CloudSql
from kubelet.kubernetes import Document, Namespace
from loading import Load, create_model, log_batch, search
from postgres import Postgres
from repository import ROOT, image
from tracking import check_everything, client_of, log_everything, url_of
from tracking_api import Caller

PROXY = os.environ["E2E_CLOUD_SQL_PROXY"]
USER = "mlflow@shop.iam"
PAGE = (ROOT / "docs" / "databases.md").read_text()
MakeCloud = Callable[..., CloudSql]


@pytest.fixture
def make_cloud(namespace: Namespace, postgres: Postgres, tmp_path: Path) -> Iterator[MakeCloud]:
    clouds: list[CloudSql] = []

    def make(lifetime: float = 3600) -> CloudSql:
        clouds.append(CloudSql(namespace.new_server_address(), tmp_path, postgres, lifetime))
        # Who logs in there has no password at all.
        postgres.execute(f'CREATE ROLE "{USER}" LOGIN')
        for statement in re.findall(r"`(GRANT ALL ON [^`]+)`", PAGE):
            postgres.execute(statement.replace("mlflow@your-project.iam", USER), "mlflow")
        namespace.images[image("cloudSqlProxy")] = Path(PROXY).parent
        namespace.entry_points[image("cloudSqlProxy")] = PROXY
        secret = {"google": {"key.json": clouds[-1].key_file()}}
        secret["login"] = {"username": "mlflow", "password": "a-password"}
        namespace.apply(
            [
                {"kind": "Secret", "metadata": {"name": name}, "stringData": data}
                for name, data in secret.items()
            ]
        )
        return clouds[-1]

    yield make
    for cloud in clouds:
        cloud.stop()


def server(
    cloud: CloudSql, instance: str = CloudSql.name, iam: str | None = USER, **options: object
) -> list[Document]:
    case = {"instance": instance, "api": cloud.api, **({"iamUser": iam} if iam else {})}
    return synthesis.server(cloudSql=case, **options)


def test_without_a_password(
    namespace: Namespace, make_cloud: MakeCloud, postgres: Postgres, tmp_path: Path
) -> None:
    cloud = make_cloud()
    documents = server(cloud)
    assert "PGPASSWORD" not in str([each for each in documents if each["kind"] != "ConfigMap"])
    namespace.apply(documents)
    [pod] = namespace.deployment()
    pod.wait_ready()
    assert [each.name for each in pod.init] == ["init-mlflow"]
    assert f'ready: user "{USER}"' in pod.init[0].log
    client = client_of(pod)
    check_everything(client, log_everything(client, "cloud", tmp_path), tmp_path / "read")
    [row] = postgres.execute(
        "SELECT array_agg(DISTINCT usename::text) FROM pg_stat_activity WHERE application_name = 'mlflow'"
    )
    assert row == ([USER],)
    stopped = pod.delete()
    assert not stopped.killed
    assert [(each.name, each.code) for each in stopped.sidecars] == [("cloud-sql-proxy", 0)]


def test_with_a_password(
    namespace: Namespace, make_cloud: MakeCloud, postgres: Postgres, tmp_path: Path
) -> None:
    cloud = make_cloud()
    postgres.execute("ALTER DATABASE mlflow OWNER TO mlflow")
    namespace.apply(server(cloud, iam=None))
    [pod] = namespace.deployment()
    pod.wait_ready()
    client = client_of(pod)
    check_everything(client, log_everything(client, "cloud", tmp_path), tmp_path / "read")
    assert cloud.seen.tokens == set()


def test_certificates_and_tokens_that_expire_fail_no_request(
    namespace: Namespace, make_cloud: MakeCloud, tmp_path: Path
) -> None:
    cloud = make_cloud(lifetime=45)  # the proxy asks for the next one every 30 s at the most
    # With this pool, most requests open a connection of their own.
    namespace.apply(server(cloud, pooling="none"))
    [pod] = namespace.deployment()
    pod.wait_ready()
    callers = [Caller(url_of(pod)) for _ in range(8)]
    began = time.time()
    load = Load(callers, [log_batch, create_model, search], 80)
    assert load.codes.keys() == {200}, load.texts
    seen = cloud.seen
    expired = [serial for serial in seen.connections if began < seen.expiries[serial] < time.time()]
    renewed = [serial for serial in seen.connections if seen.expiries[serial] > began + 45]
    print(load.codes, seen.connections.values(), len(seen.tokens))
    assert expired and len(renewed) >= 2 and len(seen.tokens) >= 3
    # It would have refused one that has expired.
    assert [cloud.first_answer(60), cloud.first_answer(-1)] == [b"E", b""]


def test_the_migration_job_ends(namespace: Namespace, make_cloud: MakeCloud) -> None:
    namespace.apply(server(make_cloud(), migration="job"))
    [name] = [name for kind, name in namespace.objects if kind == "Job"]
    job, [pod] = namespace.job(name), namespace.deployment()
    ended = job.wait_completed(120)
    assert [(each.name, each.code) for each in ended] == [("init-mlflow", 0), ("cloud-sql-proxy", 0)]
    pod.wait_ready()


def test_an_instance_that_it_may_not_see(namespace: Namespace, make_cloud: MakeCloud) -> None:
    namespace.apply(server(make_cloud(), instance="shop:europe-west1:another", check=5))
    [pod] = namespace.deployment(only_init=True)
    [ended] = pod.wait_init(60)
    assert ended.code == 2
    assert ended.message.startswith("wait-for-database: dropped: "), ended.message
    assert "The container cloud-sql-proxy connects for this one: the cause is in its log" in ended.message
    log = pod.sidecars[0].log()
    assert "shop:europe-west1:another" in log and "not authorized" in log


def test_an_account_that_postgresql_does_not_let_in(namespace: Namespace, make_cloud: MakeCloud) -> None:
    cloud = make_cloud()
    cloud.allowed.clear()
    namespace.apply(server(cloud))
    [pod] = namespace.deployment(only_init=True)
    [ended] = pod.wait_init(60)
    assert ended.code == 1
    assert ended.message.startswith(
        'wait-for-database: cloud-iam: connection to server at "127.0.0.1", port 5432 failed: FATAL: '
        f'Cloud SQL IAM service account authentication failed for user "{USER}". Make PGUSER an IAM user'
    ), ended.message
