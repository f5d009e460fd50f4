"""Every example of the library, unmodified: reaches ready, and keeps what was logged, also over a new pod."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import synthesis
from conftest import CERTIFICATES, MakePostgres
from kubelet.kubernetes import Document, Namespace
from kubelet.pod import Pod
from kubelet.volumes import object_data
from postgres import Postgres
from repository import ROOT
from tracking import check_everything, client_of, log_everything

RDS = "postgresql-instance1.cg034hpkmmjt.eu-central-1.rds.amazonaws.com"


def secret(name: str, **texts: str) -> Document:
    return {"kind": "Secret", "metadata": {"name": name}, "stringData": texts}


@dataclass(frozen=True)
class Example:
    """What the world around the example looks like: what its documentation asks the reader to have."""

    host: str
    login: tuple[str, str] = ("mlflow_user", "your_secure_password")
    given: list[Document] = field(default_factory=list)
    servers: list[str] = field(default_factory=lambda: ["mlflow"])
    namespace: str = "mlflow"
    # Brings the database itself; its image cannot run here, so a PostgreSQL of ours takes the place.
    brings_database: bool = False
    # The login of MLflow's client.
    user: dict[str, str] = field(default_factory=dict)


KUBECTL = secret("postgres-database-secret", username="mlflow_user", password="your_secure_password")
ZALANDO = secret(
    "mlflow.acid-mlflow.credentials.postgresql.acid.zalan.do", username="mlflow", password="zalando"
)
BASIC_AUTH = secret(
    "mlflow-auth", **{"admin-password": "twelve or more", "flask-key": "f" * 64, "passphrase": "p" * 64}
)
RDS_CA = {"kind": "ConfigMap", "metadata": {"name": "rds-ca"}, "data": {}}
EXAMPLES = {
    "external": Example("your-postgres-host"),
    "bitnami": Example("postgres", brings_database=True),
    "bitnami-complete": Example("postgres", brings_database=True),
    "existing-secret": Example(RDS, given=[KUBECTL]),
    "values-file": Example(RDS, login=("mlflowuser", "Pa33w0rd!")),
    "high-availability": Example("your-postgres-cluster-endpoint", given=[KUBECTL]),
    "custom-pooling": Example(
        "your-postgres-host",
        given=[KUBECTL],
        servers=["mlflow-written-out", "mlflow-derived", "mlflow-subclass"],
    ),
    "basic-auth": Example(
        "your-postgres-host",
        given=[KUBECTL, BASIC_AUTH],
        user={"MLFLOW_TRACKING_USERNAME": "admin", "MLFLOW_TRACKING_PASSWORD": "twelve or more"},
    ),
    "monitoring": Example("postgres", brings_database=True),
    "own-backend": Example("acid-mlflow", login=("mlflow", "zalando"), given=[ZALANDO]),
    "customized-deployment": Example("your-postgres-host", given=[KUBECTL]),
    "environment-development": Example("postgres", namespace="mlflow-dev", brings_database=True),
    "environment-production": Example(RDS, given=[KUBECTL, RDS_CA], namespace="mlflow-prod"),
}
# One for each place that keeps data: a volume, the database of an example's own, the tables of the login.
REPLACED = ["external", "bitnami", "basic-auth"]


@pytest.mark.parametrize("name", EXAMPLES)
def test_example_keeps_what_was_logged(
    name: str,
    namespace: Namespace,
    make_postgres: MakePostgres,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    example = EXAMPLES[name]
    for variable, value in example.user.items():
        monkeypatch.setenv(variable, value)
    namespace.name = example.namespace
    namespace.apply([*example.given, *synthesis.example(name)])
    start_database(example, namespace, make_postgres)

    pods = start_servers(example, namespace)
    if name == "bitnami":  # README's first server
        check_answers(pods["mlflow"][0])
    logged = [log_everything(client_of(pods[server][0]), server, tmp_path) for server in example.servers]
    for i, each in enumerate(logged):
        check_everything(client_of(pods[each.name][-1]), each, tmp_path / f"first-{i}")

    delete(pods)
    if name not in REPLACED:
        return
    pods = start_servers(example, namespace)
    for i, each in enumerate(logged):
        check_everything(client_of(pods[each.name][-1]), each, tmp_path / f"second-{i}")
    for pod in (pod for each in pods.values() for pod in each):
        assert "up-to-date: revision" in pod.init[-1].log


def check_answers(pod: Pod) -> None:
    """README quotes what the first start says, in other times."""
    quoted = re.findall(
        r"^((?:wait-for-database|init-mlflow): .+)$", (ROOT / "README.md").read_text(), re.MULTILINE
    )
    assert len(quoted) == 2
    said = "\n".join(container.log for container in pod.init)
    for line in quoted:
        pattern = re.sub(r"\d+\\\.\d+", r"\\d+\\.\\d+", re.escape(line))
        assert re.search(f"^{pattern}$", said, re.MULTILINE), f"{line}\n{said}"


def start_database(example: Example, namespace: Namespace, make_postgres: MakePostgres) -> None:
    if example.brings_database:
        server = make_postgres(example.host, tls=False).start()
        obey_stateful_set(namespace, server)
    else:
        if RDS_CA in example.given:
            bundle = (CERTIFICATES / "other-ca.crt").read_text() + (CERTIFICATES / "ca.crt").read_text()
            namespace.apply([{**RDS_CA, "data": {"global-bundle.pem": bundle}}])
        server = make_postgres(example.host).start()
        user, password = example.login
        server.owned_database("mlflow", user, password)


def obey_stateful_set(namespace: Namespace, server: Postgres) -> None:
    """What the image does at its first start with the environment and the files that it is given."""
    spec = namespace.objects[("StatefulSet", "postgres")]["spec"]["template"]["spec"]
    env = {each["name"]: each.get("value") for each in spec["containers"][0]["env"]}
    [mount] = [each for each in spec["containers"][0]["volumeMounts"] if each["name"] == "passwords"]
    [source] = [each["secret"] for each in spec["volumes"] if each["name"] == "passwords"]
    data = object_data(namespace.objects[("Secret", source["secretName"])])
    files = {f"{mount['mountPath']}/{each['path']}": data[each["key"]].decode() for each in source["items"]}
    user, password = env["POSTGRES_USER"], files[env["POSTGRES_PASSWORD_FILE"]]
    if user == "postgres":
        server.execute(f"ALTER ROLE postgres PASSWORD '{password}'")
    else:
        server.role(user, password, "LOGIN CREATEDB")
    server.database(env["POSTGRES_DATABASE"], user)


def start_servers(example: Example, namespace: Namespace) -> dict[str, list[Pod]]:
    pods = {server: namespace.deployment(server) for server in example.servers}
    for pod in (pod for each in pods.values() for pod in each):
        if example.brings_database:
            check_admitted(namespace, pod)
        pod.wait_ready(300)
    return pods


def check_admitted(namespace: Namespace, pod: Pod) -> None:
    """By the network policy that the example puts around its database."""
    [rule] = namespace.objects[("NetworkPolicy", "postgres")]["spec"]["ingress"]
    selectors: list[dict[str, Any]] = [each["podSelector"]["matchLabels"] for each in rule["from"]]
    assert any(each.items() <= pod.template.labels.items() for each in selectors)


def delete(pods: dict[str, list[Pod]]) -> None:
    with ThreadPoolExecutor() as pool:
        for stopped in pool.map(Pod.delete, [pod for each in pods.values() for pod in each]):
            assert not stopped.killed
            assert [each.code for each in stopped.ended] == [0]
