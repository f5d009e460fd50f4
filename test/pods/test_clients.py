"""examples/client.ts: `connect()` makes a workload a client of a server with a login and a certificate."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import requests
import synthesis
from certificates import sign
from conftest import CERTIFICATES, MakePostgres, make_migrated
from kubelet.kubernetes import Document, Namespace

ADMIN = ("admin", "twelve or more")
LOGIN = {"username": "training", "password": "twelve or more, too"}


def secret(name: str, **texts: str) -> Document:
    return {"kind": "Secret", "metadata": {"name": name}, "stringData": texts}


def certificate(folder: Path) -> Document:
    shutil.copytree(CERTIFICATES, folder)
    sign(folder, "server", "mlflow.mlflow", "mlflow.mlflow")
    files = {"ca.crt": "ca.crt", "tls.crt": "server.crt", "tls.key": "server.key"}
    return secret("mlflow-tls", **{key: (folder / file).read_text() for key, file in files.items()})


def test_client_logs_in_and_verifies_the_server(
    namespace: Namespace, make_postgres: MakePostgres, tmp_path: Path
) -> None:
    make_postgres("your-postgres-host", template=make_migrated()).start()
    namespace.apply(
        [
            certificate(tmp_path / "ca"),
            secret("postgres-database-secret", username="mlflow", password="a-password"),
            secret(
                "mlflow-auth",
                **{"admin-password": ADMIN[1], "flask-key": "f" * 64, "passphrase": "p" * 64},
            ),
            secret("training-login", **LOGIN),
            *synthesis.example("client"),
        ]
    )
    job = namespace.objects[("CronJob", "training")]["spec"]["jobTemplate"]["spec"]
    [container] = job["template"]["spec"]["containers"]
    # The home of the image's user.
    container["env"] += [
        {"name": "HOME", "value": "/tmp"},
        {"name": "MLFLOW_DISABLE_TELEMETRY", "value": "true"},
    ]
    namespace.images["registry.example.com/training:1.0"] = Path(sys.prefix)
    [server] = namespace.deployment()
    server.wait_ready()
    namespace.hosts["mlflow.mlflow"] = server.address

    [before] = namespace.cron_job("training").wait_completed(180)
    assert before.code != 0
    assert "401" in before.log, before.log

    url = f"https://{server.address}:5000/api/2.0/mlflow"
    made = requests.post(f"{url}/users/create", json=LOGIN, auth=ADMIN, verify=False, timeout=60)
    assert made.status_code == 200, made.text
    [training] = namespace.cron_job("training").wait_completed(180)
    assert training.code == 0, training.log

    named = {"experiment_name": "nightly"}
    found = requests.get(f"{url}/experiments/get-by-name", params=named, auth=ADMIN, verify=False, timeout=60)
    runs = {"experiment_ids": [found.json()["experiment"]["experiment_id"]]}
    searched = requests.post(f"{url}/runs/search", json=runs, auth=ADMIN, verify=False, timeout=60)
    [run] = searched.json()["runs"]
    assert [(each["key"], each["value"]) for each in run["data"]["metrics"]] == [("loss", 0.1)]
