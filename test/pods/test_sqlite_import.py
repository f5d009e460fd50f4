"""SQLite into PostgreSQL: nothing is lost, nothing half-done, and what does not fit is named."""

from __future__ import annotations

import hashlib
import random
import re
import shutil
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import import_engine
import import_rows
import psycopg2
import pytest
from conftest import SCRATCH
from import_fit import check_rows
from import_plan import read_plan
from kubelet.container import Ended
from kubelet.kubernetes import Namespace
from mlflow import MlflowClient
from object_comparison import Objects, differences, objects_of
from old_server import OLD_REVISION, check_old_data, fill_old_file
from postgres import PORT, Postgres
from sqlite_files import POINTS, RUNS, changed, make_files, put, run, start
from working_copy import open_copy

IMPORTED = r"import-sqlite: imported: (\d+) rows in \d+ tables, digest [0-9a-f]{16}, in \d+\.\d s"
TABLES = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"


@pytest.fixture(scope="session")
def files() -> tuple[Path, Path]:
    return make_files(SCRATCH / "sqlite")


@pytest.fixture(scope="session")
def large(files: tuple[Path, Path]) -> Path:
    return files[0]


@pytest.fixture
def small(files: tuple[Path, Path], tmp_path: Path) -> Path:
    """One to change."""
    return Path(shutil.copyfile(files[1], tmp_path / "small.db"))


def uri(postgres: Postgres) -> str:
    return f"postgresql+psycopg2://mlflow:a-password@{postgres.address}:{PORT}/mlflow"


def last_line(ended: Ended) -> str:
    return ended.log.splitlines()[-1]


def check_imported(ended: Ended) -> int:
    assert ended.code == 0, ended
    match = re.fullmatch(IMPORTED, last_line(ended))
    assert match, last_line(ended)
    return int(match[1])


def check_refused(ended: Ended, code: int, text: str) -> None:
    assert (ended.code, ended.message.rstrip("\n")) == (code, last_line(ended)), ended
    assert re.match(rf"import-sqlite: {text}", last_line(ended)), last_line(ended)


def rows(postgres: Postgres) -> int:
    """Of what an import brings; what is not there yet has none."""
    there = postgres.value("SELECT to_regclass('runs') IS NOT NULL")
    return postgres.value("SELECT (SELECT count(*) FROM runs) + (SELECT count(*) FROM tags)") if there else 0


def test_every_object_arrives(large: Path, namespace: Namespace, postgres: Postgres) -> None:
    source = put(namespace, large)
    before = hashlib.sha256(source.read_bytes()).digest()
    assert check_imported(run(namespace)) > RUNS * POINTS
    assert hashlib.sha256(source.read_bytes()).digest() == before
    assert [path.name for path in source.parent.iterdir()] == ["mlflow.db"]

    expected, found = objects_of(f"sqlite:///{large}"), objects_of(uri(postgres))
    kinds = [name.partition(" ")[0] for name in expected]
    counts = {kind: kinds.count(kind) for kind in set(kinds)}
    assert counts["run"] == RUNS and counts["point"] >= RUNS * POINTS
    assert all(
        counts[kind] >= 10 for kind in ("trace", "experiment", "registered", "version", "alias", "logged")
    )
    assert differences(expected, found) == []

    again = run(namespace)
    assert (again.code, last_line(again).split(": ")[1]) == (0, "already-imported"), again
    client = MlflowClient(uri(postgres), uri(postgres))
    number = int(client.create_experiment("after the import"))
    assert number == 1 + max(int(name.split()[1]) for name in expected if name.startswith("experiment "))
    check_refused(run(namespace), 5, r"not-empty: the database has data of its own, .* Import into an empty ")
    assert client.get_experiment(str(number)).name == "after the import"


def test_killed_at_any_point(large: Path, namespace: Namespace, postgres: Postgres) -> None:
    put(namespace, large)
    with changed(large) as connection:
        [whole] = connection.execute(
            "SELECT (SELECT count(*) FROM runs) + (SELECT count(*) FROM tags)"
        ).fetchone()
    seed = time.time_ns()
    dice = random.Random(seed)
    for line in dice.choices(
        ["copied /source", "database: ", "runs: ", "latest_metrics: ", "metrics: "], k=5
    ):
        pod = start(namespace)
        pod.wait_for_line(f"import-sqlite: {line}", 120)
        time.sleep(dice.uniform(0, 1.5))
        pod.kill()
        ours = "SELECT count(*) = 0 FROM pg_stat_activity WHERE application_name = 'sqlite-import'"
        postgres.wait_for(ours, "postgres", 30)
        assert rows(postgres) in (0, whole), (seed, line)
        if rows(postgres) == whole:  # killed after its last line but one
            break
    ended = run(namespace)
    assert ended.code == 0, ended
    assert rows(postgres) == whole
    assert postgres.value("SELECT count(*) FROM metrics") >= RUNS * POINTS


def test_two_at_once(small: Path, namespace: Namespace, postgres: Postgres) -> None:
    put(namespace, small)
    ended = [each for pod in [start(namespace), start(namespace)] for each in pod.wait_completed(300)]
    assert [each.code for each in ended] == [0, 0], ended
    assert sorted(last_line(each).split(": ")[1] for each in ended) == ["already-imported", "imported"]


def test_an_old_schema_and_a_log_beside_it(namespace: Namespace, postgres: Postgres, tmp_path: Path) -> None:
    """MLflow 2.14's file, as it lies there after a crash in WAL mode: the last rows are only in the log."""
    path = tmp_path / "mlflow.db"
    fill_old_file(path)
    with changed(path) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA wal_autocheckpoint = 0")
        connection.execute("INSERT INTO experiment_tags VALUES ('in the log', 'yes', 1)")
        connection.commit()
        source = put(namespace, path, Path(f"{path}-wal"))
    with sqlite3.connect(f"file:{source}?immutable=1", uri=True) as connection:
        assert connection.execute("SELECT count(*) FROM experiment_tags").fetchone() == (0,)
    moved = {"oldPrefix": "s3://bucket/old", "newPrefix": "s3://new/place/"}
    ended = run(namespace, artifactLocations=[moved])
    check_imported(ended)
    assert f"import-sqlite: source: revision {OLD_REVISION} -> " in ended.log
    rewritten = "20 in runs.artifact_uri rewritten by 's3://bucket/old' -> 's3://new/place/', such as s3://bucket/old/"
    assert rewritten in ended.log
    client = MlflowClient(uri(postgres), uri(postgres))
    experiment = client.get_experiment_by_name("old")
    assert (experiment.artifact_location, experiment.tags) == ("s3://new/place", {"in the log": "yes"})
    run_id = client.search_runs(["1"], max_results=1)[0].info.run_id
    assert client.get_run(run_id).info.artifact_uri == f"s3://new/place/{run_id}/artifacts"
    postgres.execute(
        "UPDATE experiments SET artifact_location = 's3://bucket/old' WHERE experiment_id = 1", "mlflow"
    )
    postgres.execute("UPDATE model_versions SET source = 's3://bucket/old/model'", "mlflow")
    check_old_data(client)


def test_waits_for_servers_and_spares_data(small: Path, namespace: Namespace, postgres: Postgres) -> None:
    put(namespace, small)
    login = {"host": postgres.address, "user": "mlflow", "password": "a-password", "dbname": "mlflow"}
    server = psycopg2.connect(**login, application_name="mlflow")
    check_refused(
        run(namespace, deadline=2), 3, r"server-runs: an MLflow server still has 1 connections after 2 s"
    )
    assert postgres.value(TABLES) == 0
    pod = start(namespace, dryRun=True)
    pod.wait_for_line("import-sqlite: waiting for MLflow's servers to stop: 1 connections")
    server.close()
    [ended] = pod.wait_completed(120)
    assert ended.code == 0 and "dry-run, nothing was kept: " in last_line(ended), ended
    assert rows(postgres) == 0

    MlflowClient(uri(postgres), uri(postgres)).create_registered_model("precious")
    check_refused(run(namespace), 5, r"not-empty: .* \(rows: registered_models 1\)")
    with psycopg2.connect(**login) as other, other.cursor() as cursor:
        cursor.execute("LOCK TABLE runs IN ROW EXCLUSIVE MODE")
        check_refused(
            run(namespace), 3, r"in-use: other sessions work on MLflow's tables: a session \d+\. Stop "
        )
    check_imported(run(namespace, existingData="replace"))
    assert postgres.value("SELECT count(*) FROM registered_models WHERE name = 'precious'") == 0
    postgres.execute("UPDATE alembic_version SET version_num = 'feedfacecafe'", "mlflow")
    check_refused(run(namespace), 4, "newer-schema: the database is at revision feedfacecafe")


MISFITS = [
    ("INSERT INTO params VALUES ('k', 'v', 'no such run')", r"1 in params without their row in runs"),
    (
        "UPDATE runs SET name = 'a' || char(0) || 'b' WHERE name = 'run 19'",
        r"1 in runs.name with NUL characters",
    ),
    (
        "INSERT INTO experiments VALUES (123456789012345678, 'files', '/m', 'active', 5, 5, 'default')",
        r"1 in experiments.experiment_id above 2147483647, which renumber-experiments numbers anew",
    ),
    (
        "UPDATE runs SET experiment_id = 123456789012345678 WHERE name = 'run 18'",
        r"1 in runs.experiment_id above",
    ),
]


def test_what_does_not_fit(small: Path, namespace: Namespace, postgres: Postgres) -> None:
    with changed(small) as connection:
        for statement, _ in MISFITS:
            connection.execute(statement)
    put(namespace, small)
    ended = run(namespace)
    check_refused(ended, 6, "misfits: PostgreSQL cannot store ")
    for _, text in MISFITS:
        assert re.search(text, last_line(ended)), last_line(ended)
    check_imported(run(namespace, repairs=["renumber-experiments", "drop-orphans", "replace-nul"]))
    client = MlflowClient(uri(postgres), uri(postgres))
    experiment = client.get_experiment_by_name("files")
    assert int(experiment.experiment_id) < 100
    [moved] = client.search_runs([experiment.experiment_id])
    assert moved.info.run_name == "run 18"
    assert postgres.value("SELECT name FROM runs WHERE name LIKE 'a%b'") == "a\ufffdb"

    with changed(small) as connection:
        connection.execute("UPDATE tags SET value = ? WHERE rowid = 1", ("ü" * 8001,))
        connection.execute("UPDATE runs SET start_time = 'yesterday' WHERE name = 'run 18'")
    put(namespace, small)
    repairs = ["renumber-experiments", "drop-orphans", "replace-nul"]
    check_refused(
        run(namespace, repairs=repairs),
        6,
        r"misfits: .*1 in runs.start_time of another type than int8 \(run_uuid '\w{32}'\).*"
        r"1 in tags.value longer than 8000 \(key '.*', run_uuid '\w{32}'\)\. Allow",
    )
    wrong = {"oldPrefix": "/mlrunz", "newPrefix": "mlflow-artifacts:/"}
    check_refused(
        run(namespace, artifactLocations=[wrong]),
        6,
        r"unknown-prefix: no location starts with that of the rule '/mlrunz' -> .*\. Others do: /m",
    )


def test_a_folder_of_files_in_two_steps(namespace: Namespace, postgres: Postgres, tmp_path: Path) -> None:
    """mlflow migrate-filestore, and then the import, as docs/moving-in.md says."""
    folder, target = tmp_path / "mlruns", tmp_path / "mlflow.db"
    script = (
        "import sys; from mlflow import MlflowClient; from mlflow.entities import Metric, Param\n"
        "client = MlflowClient(sys.argv[1], sys.argv[1])\n"
        "run = client.create_run(client.create_experiment('files')).info.run_id\n"
        "client.log_batch(run, [Metric('loss', 0.5, 1, i) for i in range(5)], [Param('lr', '0.1')], [])\n"
        "client.create_registered_model('m'); client.create_model_version('m', 'runs:/%s/model' % run, run)\n"
    )
    # MLflow 3.17 wants to be asked twice for a store of files.
    environment = {
        "PATH": str(Path(sys.executable).parent),
        "HOME": str(tmp_path),
        "MLFLOW_ALLOW_FILE_STORE": "true",
    }
    subprocess.run([sys.executable, "-c", script, str(folder)], env=environment, check=True, cwd=tmp_path)
    command = ["mlflow", "migrate-filestore", "--source", str(tmp_path), "--target", f"sqlite:///{target}"]
    subprocess.run([str(Path(sys.executable).with_name("mlflow")), *command[1:]], env=environment, check=True)
    put(namespace, target)
    check_refused(run(namespace), 6, "misfits: .* which renumber-experiments numbers anew")
    moved = {"oldPrefix": str(folder), "newPrefix": "mlflow-artifacts:/"}
    check_imported(run(namespace, repairs=["renumber-experiments"], artifactLocations=[moved]))
    client = MlflowClient(uri(postgres), uri(postgres))
    experiment = client.get_experiment_by_name("files")
    [found] = client.search_runs([experiment.experiment_id])
    assert (found.data.params, found.data.metrics) == ({"lr": "0.1"}, {"loss": 0.5})
    assert found.info.artifact_uri.startswith("mlflow-artifacts:/")
    assert client.get_model_version("m", "1").run_id == found.info.run_id


TABLES_IN_A_CIRCLE = """
CREATE TABLE a (id BIGINT PRIMARY KEY, b BIGINT);
CREATE TABLE b (id BIGINT PRIMARY KEY, a BIGINT{0}, parent BIGINT{1});
"""


def test_tables_that_refer_to_each_other(
    postgres: Postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not in MLflow's schema today: whole batches come before the rows that they refer to."""
    monkeypatch.setattr(import_rows, "_ROWS", 2)
    with changed(tmp_path / "circle.db") as connection:
        connection.executescript(TABLES_IN_A_CIRCLE.format("", ""))
        connection.executemany("INSERT INTO a VALUES (?, ?)", [(i, 9 - i) for i in range(10)])
        connection.executemany("INSERT INTO b VALUES (?, ?, ?)", [(i, 9 - i, 9 - i) for i in range(10)])
    source = open_copy(tmp_path / "circle.db")
    target = psycopg2.connect(uri(postgres).replace("+psycopg2", ""))
    cursor = target.cursor()
    cursor.execute(TABLES_IN_A_CIRCLE.format(" REFERENCES a", " REFERENCES b"))
    cursor.execute("ALTER TABLE a ADD FOREIGN KEY (b) REFERENCES b")
    target.commit()
    plan = read_plan(cursor, ["a", "b"])
    assert len(plan.circular) == 2
    import_engine.fill(source, cursor, plan, check_rows(source, plan))
    target.commit()
    assert postgres.value("SELECT count(*) FROM a JOIN b ON a.b = b.id") == 10
    assert postgres.value("SELECT bool_or(condeferrable) FROM pg_constraint") is False

    source.execute("UPDATE b SET parent = 77 WHERE id = 9")
    with pytest.raises(psycopg2.errors.ForeignKeyViolation):
        import_engine.fill(source, cursor, plan, {"a": 10, "b": 10})
    target.close()
    assert postgres.value("SELECT count(*) FROM b WHERE parent = 0") == 1


def test_the_comparison_sees_what_differs(small: Path) -> None:
    before: Objects = objects_of(f"sqlite:///{small}")
    with changed(small) as connection:
        connection.execute("UPDATE metrics SET value = value + 1e-12 WHERE rowid = 100")
        connection.execute("DELETE FROM model_version_tags WHERE rowid = 3")
        connection.execute("UPDATE spans SET content = replace(content, 'child 1', 'child I')")
        connection.execute("UPDATE logged_model_params SET param_value = 'x' WHERE rowid = 2")
    found = differences(before, objects_of(f"sqlite:///{small}"))
    kinds = {each.partition(" ")[0] for each in found}
    assert kinds == {"point", "version", "alias", "registered", "logged", "trace"}, found
