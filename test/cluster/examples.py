"""The examples, and what each of them expects to exist already."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import settings
from repository import run_typescript

ZALANDO_SECRET = "mlflow.acid-mlflow.credentials.postgresql.acid.zalan.do"
RDS = "postgresql-instance1.cg034hpkmmjt.eu-central-1.rds.amazonaws.com"


@dataclass(frozen=True)
class Example:
    name: str
    host: str | None = None  # of a database that is there already
    user: str = "mlflow_user"
    password: str = "your_secure_password"
    secret: str | None = None  # that is there already, with user and password
    ca: bool = False  # the ConfigMap rds-ca is there already
    namespace: str | None = None  # that the YAML names
    superuser: str | None = None  # the password of `postgres`, of a server in the cluster
    admin_secret: str | None = None  # of an administrator; role and database are not there yet
    auth_secret: str | None = None  # that is there already, with what logging in needs


EXAMPLES = [
    Example("external", host="your-postgres-host"),
    Example("bitnami", superuser="mlflow_password", user="postgres", password="mlflow_password"),
    Example("bitnami-complete", user="mlflowuser", password="Pa33w0rd!"),
    Example("existing-secret", host=RDS, secret="postgres-database-secret"),
    Example("values-file", host=RDS, user="mlflowuser", password="Pa33w0rd!"),
    Example("high-availability", host="your-postgres-cluster-endpoint", secret="postgres-database-secret"),
    Example("custom-pooling", host="your-postgres-host", secret="postgres-database-secret"),
    Example(
        "basic-auth",
        host="your-postgres-host",
        secret="postgres-database-secret",
        auth_secret="mlflow-auth",
    ),
    Example("own-backend", host="acid-mlflow", secret=ZALANDO_SECRET),
    Example("customized-deployment", host="your-postgres-host", secret="postgres-database-secret"),
    Example(
        "environment-development", superuser="only-for-development", user="postgres", namespace="mlflow-dev"
    ),
    Example(
        "environment-production",
        host=RDS,
        secret="postgres-database-secret",
        ca=True,
        namespace="mlflow-prod",
    ),
]
# With tests of their own: what they add to a server, and the server's runbook.
OPERATIONS = [
    Example("garbage-collection", host="your-postgres-host", secret="postgres-database-secret"),
    Example(
        "bootstrap",
        host="your-postgres-host",
        secret="postgres-database-secret",
        admin_secret="postgres-admin-secret",
    ),
    Example(
        "objects",
        host="your-postgres-host",
        secret="postgres-database-secret",
        auth_secret="mlflow-auth",
    ),
]
# Of the first administrator of `basic-auth`, as its documentation makes it.
ADMINISTRATOR, ADMINISTRATOR_PASSWORD = "admin", "Zm9yIHRoZSB0ZXN0IG9ubHk="
BY_NAME = {example.name: example for example in [*EXAMPLES, *OPERATIONS]}


def service_of(host: str) -> str:
    """The Service that stands in for a host: of the same name, or of its first part where there are dots."""
    return host.split(".", maxsplit=1)[0]


def synthesize(directory: Path, program: str = "examples/main.ts", **environment: str) -> None:
    run_typescript(program, CDK8S_OUTDIR=str(directory), **environment)


def manifest_for(example: Example, directory: Path, namespace: str) -> str:
    """The YAML of an example as a user would have it for this cluster. This is all that is changed in it."""
    text = (directory / f"{example.name}.k8s.yaml").read_text()
    # A name with dots is no Service's; names without are left alone.
    text = text.replace(RDS, service_of(RDS))
    # No namespace but our own, which a user would name in `new Production(app, id, namespace)`.
    if example.namespace:
        text = re.sub(rf"\b{example.namespace}\b", namespace, text)
    # Of customized-deployment: a node label that exists here as well.
    text = text.replace("- key: pool\n", "- key: kubernetes.io/os\n").replace("- services\n", "- linux\n")
    # Settings of this cluster.
    text = text.replace("- ReadWriteMany\n", f"- {settings.SHARED_ACCESS_MODE}\n")
    text = re.sub(r"cpu: (\d+)m\n", lambda found: f"cpu: {min(int(found[1]), settings.MOST_CPU)}m\n", text)
    text = text.replace(f"image: {settings.MLFLOW_IN_EXAMPLES}\n", f"image: {settings.MLFLOW_IMAGE}\n")
    return text.replace(f"image: {settings.BITNAMI_IN_EXAMPLES}\n", f"image: {settings.BITNAMI_IMAGE}\n")
