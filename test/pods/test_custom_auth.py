"""Logins of the user's own on the real MLflow: the function of docs/logins.md, and an app, from files."""

from __future__ import annotations

import base64
import re
from pathlib import Path

import pytest
import synthesis
from conftest import MakePostgres
from kubelet.kubernetes import Document, Namespace
from kubelet.pod import Pod
from mlflow import MlflowException
from postgres import Postgres
from repository import ROOT
from test_auth import PASSWORD, log_in
from tracking import DEFAULT_EXPERIMENT, check_everything, client_of, log_everything, request

[FUNCTION] = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "logins.md").read_text(), re.DOTALL)

# The directory: it is asked as ldap3 is, and knows one user.
LDAP = """
import os

class Connection:
    def __init__(self, url, user, password, receive_timeout):
        assert url == "ldaps://ldap.example.com"
        self._right = (user, password) == ("uid=ada\\\\,x,ou=people", os.environ["LOGIN"])

    def bind(self):
        return self._right
"""
RDN = """
def escape_rdn(text):
    return text.replace(",", "\\\\,")
"""
APP = """
import os
from mlflow.server import app
from mlflow.server.fastapi_app import create_fastapi_app
from starlette.responses import PlainTextResponse

def create_app():
    server = create_fastapi_app(app)

    @server.middleware("http")
    async def login(request, call_next):
        if request.url.path != "/health" and request.headers.get("X-Login") != os.environ["LOGIN"]:
            return PlainTextResponse("no login", 401)
        return await call_next(request)

    return server
"""
FILES = {
    "ldap_auth.py": FUNCTION,
    "ldap.py": LDAP,
    "rdn.py": RDN,
    "empty.py": "",
    "our_auth.py": APP,
    "entry-points": "[mlflow.app]\nour-auth = our_auth:create_app\n",
    "metadata": "Metadata-Version: 2.1\nName: our-auth\nVersion: 1.0\n",
}
LDAP_PASSWORD = "a password: of LDAP"
FUNCTION_CASE = {
    "function": "ldap_auth:authenticate",
    "files": {
        "ldap_auth.py": "ldap_auth.py",
        "ldap3/__init__.py": "ldap.py",
        "ldap3/utils/__init__.py": "empty.py",
        "ldap3/utils/dn.py": "rdn.py",
    },
}
APP_CASE = {
    "app": "our-auth",
    "files": {
        "our_auth.py": "our_auth.py",
        "our_auth-1.0.dist-info/entry_points.txt": "entry-points",
        "our_auth-1.0.dist-info/METADATA": "metadata",
    },
}


def start(namespace: Namespace, **options: object) -> Pod:
    secrets = {
        "admin-password": PASSWORD,
        "flask-key": "f" * 40,
        "passphrase": "p" * 40,
        "login": LDAP_PASSWORD,
    }
    objects: list[Document] = [
        {"kind": "Secret", "metadata": {"name": "auth"}, "stringData": secrets},
        {"kind": "ConfigMap", "metadata": {"name": "login"}, "data": FILES},
    ]
    namespace.apply([*objects, *synthesis.server(**options)])
    [pod] = namespace.deployment()
    return pod.wait_ready(300)


def test_a_function_that_asks_a_directory(
    namespace: Namespace, make_postgres: MakePostgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = make_postgres("database", "replica").start()
    server.owned_database()
    pod = start(
        namespace,
        customAuth=FUNCTION_CASE,
        workspaces=True,
        extraEnvVars={"LDAP_USERS": "ou=people"},
        readHost="replica",
    )
    # The user is new, gets into the default workspace, and reads and writes artifacts through the server.
    log_in(monkeypatch, "ada,x", LDAP_PASSWORD)
    client = client_of(pod)
    check_everything(client, log_everything(client, "mine", tmp_path), tmp_path / "read")
    assert not server.value("SELECT is_admin FROM users WHERE username = 'ada,x'")
    log_in(monkeypatch, "admin")
    client_of(pod).get_experiment("0")
    for user, password in (
        ("ada,x", PASSWORD),
        ("admin", LDAP_PASSWORD),
        ("someone", LDAP_PASSWORD),
        (None, ""),
    ):
        log_in(monkeypatch, user, password)
        with pytest.raises(MlflowException, match="401"):
            client_of(pod).get_experiment("0")
    token = base64.b64encode(b"ada,x:wrong").decode()
    for path in (DEFAULT_EXPERIMENT, "/api/2.0/mlflow-artifacts/artifacts/none", "/version", "/"):
        assert request(pod, path, Authorization=f"Basic {token}").status == 401, path
    assert request(pod, "/health").status == 200
    # Users and permissions have a pool of their own for the replica.
    assert "read_database_uri = postgresql+psycopg2:///?host=replica" in str(namespace.objects)


def test_an_app_from_files(namespace: Namespace, postgres: Postgres) -> None:
    pod = start(namespace, customAuth=APP_CASE)
    asked = {path: request(pod, path).status for path in ("/health", "/version", DEFAULT_EXPERIMENT)}
    assert asked == {"/health": 200, "/version": 401, DEFAULT_EXPERIMENT: 401}
    headers = {"X-Login": LDAP_PASSWORD}
    assert request(pod, DEFAULT_EXPERIMENT, **headers).status == 200
    assert request(pod, "/", **headers).status == 200
