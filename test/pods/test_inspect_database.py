"""The questions of a runbook, to a real PostgreSQL with MLflow's tables in it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time

import pytest
import synthesis
from conftest import MakePostgres
from kubelet.kubernetes import Namespace
from postgres import Postgres
from repository import ROOT

SCRIPT = ROOT / "lib" / "scripts" / "server" / "inspect_database.py"


def ask(server: Postgres, *questions: str, **settings: str) -> tuple[int, str]:
    login = {"PGUSER": "mlflow", "PGPASSWORD": "a-password", "PGDATABASE": "mlflow", "PGSSLMODE": "require"}
    # In a pod, all scripts are in one folder.
    modules = {"PYTHONPATH": os.pathsep.join(sys.path)}
    env = {**os.environ, **modules, "PGHOST": server.address, **login, **settings}
    process = subprocess.run(
        [sys.executable, str(SCRIPT), *questions], env=env, capture_output=True, text=True, check=False
    )
    assert process.stderr == ""
    assert env["PGPASSWORD"] not in process.stdout
    return process.returncode, process.stdout


def test_answers_all_questions(namespace: Namespace, postgres: Postgres) -> None:
    namespace.apply(synthesis.server())
    [pod] = namespace.deployment(only_init=True)
    pod.wait_init(120)
    code, said = ask(postgres)
    assert code == 0, said
    for answer in (
        rf"^reachable: {postgres.address} port 5432: listens \({postgres.address}, \d+ ms\)$",
        r"^login: PostgreSQL \d+.*, TLSv1\.\d, TLS_\w+$",
        r'^login: user "mlflow", database "mlflow", schema "public", with MLflow\'s tables$',
        r"^revision: database (\w+), image \1$",
        r"^tables: \d\d tables$",
        r"^  runs +mlflow +0$",
        r"^sizes: mlflow: \d+ [kM]B$",
    ):
        assert re.search(answer, said, re.MULTILINE), (answer, said)


def test_counts_connections(postgres: Postgres) -> None:
    counted = re.compile(r"connections: (\d+) of 100, of which 3 are for superusers\n")
    deadline = time.monotonic() + 10
    # A session that has just ended may still be there: of those before, and of its own there is one.
    while (found := counted.match(said := ask(postgres, "connections")[1])) and found[1] != "1":
        assert time.monotonic() < deadline, said
    assert found, said
    with postgres.connect(), postgres.connect():
        assert counted.match(ask(postgres, "connections")[1])[1] == "3"


def test_changes_nothing(namespace: Namespace, postgres: Postgres) -> None:
    postgres.execute("ALTER SYSTEM SET log_statement = 'all'")
    postgres.execute("SELECT pg_reload_conf()")
    ask(postgres, "tables", "sizes", "connections", PGAPPNAME="asking")
    asked = [line for line in postgres.log().splitlines() if "/asking LOG:  statement: " in line]
    statements = [line.split("statement: ")[1] for line in asked]
    assert len(statements) > 9
    assert {each.split(" ")[0] for each in statements if each} == {"BEGIN", "SET", "SELECT", "ROLLBACK"}


@pytest.mark.parametrize(
    ("settings", "cause"),
    [
        ({"PGPASSWORD": "wrong-one"}, "wrong-password"),
        ({"PGDATABASE": "missing"}, "missing-database"),
        ({"PGPORT": "5433"}, "refused"),
    ],
)
def test_tells_failures_apart(settings: dict[str, str], cause: str, postgres: Postgres) -> None:
    code, said = ask(postgres, "login", **settings)
    assert code == 1
    assert said.startswith(f"login: {cause}: ")


def test_tells_a_server_without_tls(make_postgres: MakePostgres) -> None:
    server = make_postgres(tls=False).start()
    code, said = ask(server, "reachable", "login")
    assert code == 1
    assert re.match(r"reachable: .* listens .*\nlogin: tls-not-offered: ", said)
