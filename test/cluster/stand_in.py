"""A PostgreSQL with TLS that stands in for the database that an example takes as given."""

from __future__ import annotations

import base64
import secrets
import tempfile
from pathlib import Path
from typing import Any

from certificates import make_ca, sign
from cluster import Namespace, restricted_pod
from settings import POSTGRES_IMAGE

from examples import ADMINISTRATOR_PASSWORD, Example, service_of

NAME = "stand-in"
UID = 999
INIT_SCRIPTS = "/docker-entrypoint-initdb.d"
SUPERUSER_PASSWORD = "only-the-test-knows"
ADMIN, ADMIN_PASSWORD = "cloud_admin", "p@ss/w:rd%"


def certificates(host: str, *more: str) -> dict[str, bytes]:
    """A CA, and a certificate that it signed for the hosts."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory)
        make_ca(path)
        sign(path, "tls", host, host, *more)
        return {name: (path / name).read_bytes() for name in ("ca.crt", "tls.crt", "tls.key")}


def provide(namespace: Namespace, example: Example) -> None:
    """All that the example takes as given: the database, its host name, the Secret, the CA."""
    if example.host is None:
        return
    host = service_of(example.host)
    files = certificates(host)
    files["prepare.sql"] = prepared(example).encode()
    namespace.create(secret(NAME, files), service(host), server())
    if example.secret:
        # Option 3 of the guide, word for word.
        login = [f"--from-literal=username={example.user}", f"--from-literal=password={example.password}"]
        namespace.kubectl("create", "secret", "generic", example.secret, *login)
    if example.admin_secret:
        login = [f"--from-literal=username={ADMIN}", f"--from-literal=password={ADMIN_PASSWORD}"]
        namespace.kubectl("create", "secret", "generic", example.admin_secret, *login)
    if example.auth_secret:
        names = ("flask-key", "passphrase", "ada-password", "ci-secret")
        values = {name: secrets.token_hex(32) for name in names}
        values["admin-password"] = ADMINISTRATOR_PASSWORD
        values["webhook-key"] = base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()
        keys = [f"--from-literal={name}={value}" for name, value in values.items()]
        namespace.kubectl("create", "secret", "generic", example.auth_secret, *keys)
    if example.ca:
        bundle = f"--from-literal=global-bundle.pem={files['ca.crt'].decode()}"
        namespace.kubectl("create", "configmap", "rds-ca", bundle)
    namespace.kubectl("wait", "--for=condition=Ready", f"pod/{NAME}", "--timeout=600s", seconds=610)


def prepared(example: Example) -> str:
    if example.admin_secret:
        # As managed databases have them: no superuser.
        return f"CREATE ROLE {ADMIN} LOGIN CREATEDB CREATEROLE PASSWORD '{ADMIN_PASSWORD}';\n"
    # "Prepare PostgreSQL Database" of the guide, with the owner that PostgreSQL 15 and later need.
    role = f"CREATE USER {example.user} WITH PASSWORD '{example.password}';\n"
    return role + f"CREATE DATABASE mlflow OWNER {example.user};\n"


def sql(namespace: Namespace, statement: str, database: str = "mlflow", **variables: str) -> str:
    """What a statement answers, run by the superuser; `:'name'` in it is a variable."""
    values = [f"--set={name}={value}" for name, value in variables.items()]
    login = ["env", f"PGPASSWORD={SUPERUSER_PASSWORD}", "psql", "-h", "127.0.0.1", "-U", "postgres"]
    quiet = ["-d", database, "-XqtA", "--set=ON_ERROR_STOP=1", *values]
    return namespace.kubectl("exec", "-i", NAME, "--", *login, *quiet, stdin=statement).strip()


def secret(name: str, files: dict[str, bytes]) -> dict[str, Any]:
    data = {key: base64.b64encode(value).decode() for key, value in files.items()}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "data": data}


def service(host: str) -> dict[str, Any]:
    spec = {"selector": {"app": NAME}, "ports": [{"port": 5432}]}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": host}, "spec": spec}


def server() -> dict[str, Any]:
    files = {"ssl_cert_file": "/files/tls.crt", "ssl_key_file": "/files/tls.key", "ssl": "on"}
    container = {
        "name": "postgres",
        "image": POSTGRES_IMAGE,
        "args": [arg for key, value in files.items() for arg in ("-c", f"{key}={value}")],
        "env": [
            {"name": "POSTGRES_PASSWORD", "value": SUPERUSER_PASSWORD},
            {"name": "PGDATA", "value": "/var/lib/postgresql/data/pgdata"},
        ],
        "readinessProbe": {
            "exec": {"command": ["pg_isready", "-q", "-h", "127.0.0.1", "-U", "postgres"]},
            "periodSeconds": 1,
            "timeoutSeconds": 20,
        },
        "resources": {"requests": {"cpu": "50m", "memory": "128Mi"}},
        "volumeMounts": [
            {"name": "data", "mountPath": "/var/lib/postgresql/data"},
            {"name": "files", "mountPath": "/files"},
            {"name": "files", "mountPath": f"{INIT_SCRIPTS}/prepare.sql", "subPath": "prepare.sql"},
        ],
    }
    pod = restricted_pod(NAME, container, UID, {"app": NAME})
    # PostgreSQL takes a key that its group can read only from root, whose files a Secret's are.
    pod["spec"]["volumes"] = [
        {"name": "data", "emptyDir": {}},
        {"name": "files", "secret": {"secretName": NAME, "defaultMode": 0o440}},
    ]
    return pod
