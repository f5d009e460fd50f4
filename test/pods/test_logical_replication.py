"""The commands of docs/moving-in.md that move a database by logical replication, while somebody logs."""

from __future__ import annotations

import os
import re
import subprocess
import threading
import time
from pathlib import Path

from conftest import MakePostgres, make_migrated
from mlflow import MlflowClient
from object_comparison import differences, objects_of
from postgres import PORT, TOOLS, Postgres
from repository import ROOT

SECTION = "### In seconds, by logical replication"


def commands() -> list[str]:
    """The blocks of the section, in their order."""
    page = (ROOT / "docs" / "moving-in.md").read_text()
    section = page.split(SECTION)[1].split("\n## ")[0]
    return re.findall(r"```sh\n(.*?)```", section, re.DOTALL)


def uri(server: Postgres) -> str:
    return f"postgresql+psycopg2://mlflow:a-password@{server.address}:{PORT}/mlflow"


def test_the_commands_lose_nothing(make_postgres: MakePostgres, target: Postgres, tmp_path: Path) -> None:
    source = make_postgres("old-database", template=make_migrated())
    with (source.folder / "postgresql.conf").open("a") as settings:
        settings.write("wal_level = logical\n")
    source.start()
    client = MlflowClient(uri(source), uri(source))
    experiment = client.create_experiment("moved", str(tmp_path))
    stop = threading.Event()

    def log() -> None:
        while not stop.is_set():
            run = client.create_run(experiment).info.run_id
            client.log_metric(run, "loss", 0.5)
            client.set_tag(run, "team", "text")
            client.set_terminated(run)

    writer = threading.Thread(target=log)
    writer.start()
    prepare, switch = commands()
    logins = {
        "OLD": f"host={source.folder} port={PORT} user=postgres dbname=mlflow",
        "NEW": f"host={target.folder} port={PORT} user=postgres dbname=mlflow",
        "FROM_NEW_TO_OLD": f"host={source.address} port={PORT} user=mover password=a-password dbname=mlflow",
    }
    environment = {**os.environ, **logins, "PATH": f"{TOOLS}:{os.environ['PATH']}"}

    def shell(script: str) -> float:
        began = time.monotonic()
        command = ["timeout", "120", "bash", "-euo", "pipefail", "-c", script]
        process = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert process.returncode == 0, process.stdout + process.stderr
        return time.monotonic() - began

    shell(prepare)
    runs = source.value("SELECT count(*) FROM runs")
    time.sleep(2)
    stop.set()
    writer.join(60)
    assert source.value("SELECT count(*) FROM runs") > runs
    seconds = shell(switch)
    versions = " to ".join(server.value("SHOW server_version") for server in (source, target))
    print(f"{versions}: switched in {seconds:.1f} s, {source.value('SELECT count(*) FROM runs')} runs")
    assert differences(objects_of(uri(source)), objects_of(uri(target))) == []
    assert target.value("SELECT count(*) FROM pg_subscription", "postgres") == 0
    assert source.value("SELECT count(*) FROM pg_replication_slots", "postgres") == 0
    client = MlflowClient(uri(target), uri(target))
    assert int(client.create_experiment("after the move", "file:///nowhere")) == int(experiment) + 1
    client.log_metric(client.create_run(experiment).info.run_id, "loss", 1)
