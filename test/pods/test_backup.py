"""Dumps and restores: what was in MLflow is there again, and what is not whole is not taken for a dump."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import mlflow.store.db.utils  # noqa: F401 (knows all models)
import pytest
import synthesis
from conftest import CERTIFICATES
from database_lock import SCHEMA_LOCK
from kubelet.container import Ended
from kubelet.kubernetes import Namespace
from kubelet.pod import Pod
from mlflow import MlflowClient
from mlflow.entities import Metric, Param, RunTag
from mlflow.store.db.base_sql_model import Base
from object_store import PORT, ObjectStore
from postgres import TOOLS, Postgres
from tracking import check_everything, client_of, log_everything

pytestmark = pytest.mark.migrated

NAME = r"backup-\d{8}T\d{6}Z-\d+"
# The models' own, and alembic_version.
TABLES = len(Base.metadata.tables) + 1
ABOUT = rf"{NAME}\.dump \(made [\d-]+ [\d:]+ UTC of mlflow, PostgreSQL [\d.]+, schema revision \w+\)"
STORED = rf"store-backup: stored: {ABOUT}, [\d.]+ kB, {TABLES} tables, \d+ rows; kept (\d+), deleted (.+)\n"
RUNS, STEPS = 40, 25
WithTool = Callable[[str, str], str]


@pytest.fixture
def migrated(namespace: Namespace, postgres: Postgres) -> Postgres:
    """A database with MLflow's tables, and no server on it."""
    namespace.apply(synthesis.server())
    return postgres


def fill(client: MlflowClient) -> None:
    """Runs with the values that are odd in a database: NaN, infinities, text of any script, an empty one."""
    experiment = client.create_experiment("filled")
    values = [float("nan"), float("inf"), float("-inf"), 1e-300, 0.1]
    for i in range(RUNS):
        run = client.create_run(experiment, run_name=f"läuft {i}").info.run_id
        metrics = [Metric("loss", values[step % 5], timestamp=step, step=step) for step in range(STEPS)]
        params = [Param("text", "'; DROP TABLE runs; --\\ \t\n世界"), Param("empty", "")]
        client.log_batch(run, metrics, params, [RunTag("i", str(i))])
        client.set_terminated(run)
        if i % 10 == 0:
            client.delete_run(run)


def portrait(client: MlflowClient) -> str:
    """Everything that the API tells, as text."""
    all_runs = {"run_view_type": 3, "max_results": 1000}
    experiments = sorted(client.search_experiments(view_type=3), key=lambda each: each.experiment_id)
    seen: dict[str, Any] = {"experiments": [dict(each) | {"tags": each.tags} for each in experiments]}
    for experiment in experiments:
        for run in client.search_runs([experiment.experiment_id], **all_runs):
            metrics = {key: client.get_metric_history(run.info.run_id, key) for key in run.data.metrics}
            history = {
                key: [(m.step, m.timestamp, str(m.value)) for m in many] for key, many in metrics.items()
            }
            seen[run.info.run_id] = [run.to_dictionary(), history]
    seen["models"] = [str(dict(each)) for each in client.search_registered_models()]
    seen["versions"] = [str(dict(each)) for each in client.search_model_versions()]
    return json.dumps(seen, indent=1, sort_keys=True, default=str)


def backup(namespace: Namespace, **options: Any) -> Pod:
    namespace.apply(synthesis.backup(**options))
    return namespace.cron_job("backup")


def restore(namespace: Namespace, **options: Any) -> Pod:
    documents = synthesis.restore(**options)
    namespace.apply(documents)
    [name] = [each["metadata"]["name"] for each in documents if each["kind"] == "Job"]
    return namespace.job(name)


def ended(pod: Pod) -> Ended:
    """The container that ended last: the first that failed, or the only one after the init containers."""
    init = pod.wait_init(120)
    return init[-1] if init[-1].code != 0 else pod.wait_completed(120)[0]


def stored(pod: Pod) -> str:
    last = ended(pod)
    assert last.code == 0, last
    match = re.fullmatch(STORED, last.log.splitlines(keepends=True)[-1])
    assert match, last
    return match[0]


def empty(postgres: Postgres) -> None:
    postgres.execute("DROP SCHEMA public CASCADE", "mlflow")
    postgres.execute("CREATE SCHEMA public AUTHORIZATION mlflow", "mlflow")


def folder_of(namespace: Namespace) -> Path:
    return namespace.folder_of_claim("backup-dumps")


def files(namespace: Namespace) -> list[str]:
    return sorted(path.name for path in folder_of(namespace).iterdir())


@pytest.mark.parametrize("place", ["volume", "bucket"])
def test_everything_is_there_again(
    place: str, namespace: Namespace, postgres: Postgres, store: ObjectStore, tmp_path: Path
) -> None:
    options = {} if place == "volume" else {"endpoint": f"http://minio:{PORT}"}
    namespace.apply(synthesis.server())
    [server] = namespace.deployment()
    client = client_of(server.wait_ready(300))
    logged = log_everything(client, "before", tmp_path)
    fill(client)
    before = portrait(client)
    stored(backup(namespace, **options))  # while the server runs
    server.delete()
    empty(postgres)

    done = ended(restore(namespace, **options))
    assert done.code == 0, done
    restored = rf"restore-database: restored: {ABOUT}; {TABLES} tables, \d+ rows, in \d+ s"
    assert re.fullmatch(restored, done.log.splitlines()[-1]), done
    [server] = namespace.deployment()
    client = client_of(server.wait_ready(300))
    assert "init-mlflow: up-to-date" in server.init[-1].log
    assert portrait(client) == before
    assert before.count('"run_id"') >= RUNS
    check_everything(client, logged, tmp_path / "read")
    log_everything(client, "after", tmp_path)  # sequences go on behind what was restored


def test_verified_tls(namespace: Namespace, migrated: Postgres) -> None:
    """By the CAs of the system, which libpq 15 does not know by itself, and by a CA of its own."""
    ca = {"ca.crt": (CERTIFICATES / "ca.crt").read_text()}
    for name in ("cluster-ca", "postgres-ca"):
        namespace.apply([{"kind": "ConfigMap", "metadata": {"name": name}, "data": ca}])
    stored(backup(namespace, trustedCa=True))
    empty(migrated)
    assert ended(restore(namespace, verifyTls=True)).code == 0
    assert "hostssl" not in migrated.log()  # no line of pg_hba.conf was missed


def test_retention(namespace: Namespace, migrated: Postgres) -> None:
    names = []
    for _ in range(4):
        pod = backup(namespace, keep=2)
        last = stored(pod)
        names += re.findall(NAME, last)[:1]
    assert last.endswith(f"; kept 2, deleted {names[1]}\n")
    assert files(namespace) == sorted(f"{name}.{kind}" for name in names[2:] for kind in ("dump", "json"))


def test_what_is_not_its_own_is_never_deleted(namespace: Namespace, migrated: Postgres) -> None:
    """Also not what is old: the age of a dump counts, and the newest one stays whatever its age."""
    stored(backup(namespace))
    folder = folder_of(namespace)
    [name] = {path.stem for path in folder.iterdir()}
    old = json.loads((folder / f"{name}.json").read_text()) | {"created": "2020-01-02T03:04:05Z"}
    kept = ["notes.txt", "other-20200102T030405Z-abcde.dump", "other-20200102T030405Z-abcde.json"]
    for backup_name in ("backup", "other"):
        aged = f"{backup_name}-20200102T030405Z-abcde"
        shutil.copy(folder / f"{name}.dump", folder / f"{aged}.dump")
        (folder / f"{aged}.json").write_text(json.dumps(old | {"name": aged, "backup": backup_name}))
    (folder / "notes.txt").write_text("mine")
    (folder / "backup-20200102T030405Z-dead.dump").write_text("a pod that was killed left it")
    last = stored(backup(namespace, maxAgeSeconds=3600))
    assert last.endswith("; kept 2, deleted backup-20200102T030405Z-abcde, backup-20200102T030405Z-dead\n")
    assert [each for each in files(namespace) if not re.match(rf"{NAME}\.", each)] == kept


def test_two_at_once(namespace: Namespace, migrated: Postgres) -> None:
    namespace.apply(synthesis.backup())
    pods = [namespace.cron_job("backup") for _ in range(2)]
    lines = [stored(pod) for pod in pods]
    assert len({re.findall(NAME, line)[0] for line in lines}) == 2
    assert len(files(namespace)) == 4


def test_two_restores_at_once(namespace: Namespace, migrated: Postgres) -> None:
    stored(backup(namespace))
    empty(migrated)
    documents = synthesis.restore()
    namespace.apply(documents)
    [name] = [each["metadata"]["name"] for each in documents if each["kind"] == "Job"]
    both = [ended(pod) for pod in [namespace.job(name), namespace.job(name)]]
    assert sorted(each.code for each in both) == [0, 3], both


@pytest.mark.parametrize("damage", ["cut", "changed", "gone"])
def test_damaged_where_it_is_stored(damage: str, namespace: Namespace, migrated: Postgres) -> None:
    first = re.findall(NAME, stored(backup(namespace)))[0]
    second = re.findall(NAME, stored(backup(namespace)))[0]
    dump = folder_of(namespace) / f"{second}.dump"
    content = dump.read_bytes()
    if damage == "gone":
        dump.unlink()
    else:
        dump.write_bytes(content[:-1] if damage == "cut" else content[:-1] + bytes([content[-1] ^ 1]))
    empty(migrated)
    last = ended(restore(namespace))
    assert (last.name, last.code) == ("fetch", 4), last
    assert re.fullmatch(
        rf"fetch-backup: damaged: {second}\.dump (is not whole|has the digest \w+ instead of \w+)\."
        rf" The newest others are {first}: name one of them to restore it\n",
        last.message,
    ), last
    assert migrated.value("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == 0
    if damage != "changed":
        # What is not whole does not count as kept, so the last whole one stays.
        restored = ended(restore(namespace, dump=first))
        assert restored.code == 0, restored
        assert stored(backup(namespace, keep=2)).endswith("; kept 2, deleted none\n")
        return
    assert ended(restore(namespace, dump=first)).code == 0


@pytest.fixture
def with_tool(namespace: Namespace) -> Iterator[WithTool]:
    """Makes an image of PostgreSQL in which one program is a script."""
    # Not below /tmp, over which pods mount a folder of their own.
    with tempfile.TemporaryDirectory(dir="/var/tmp") as name:
        folder = Path(name)

        def make(program: str, script: str) -> str:
            folder.chmod(0o755)
            (folder / "bin").mkdir()
            for each in TOOLS.iterdir():
                (folder / "bin" / each.name).symlink_to(each)
            file = folder / "bin" / program
            file.unlink()
            file.write_text(f"#!/bin/sh\n{script}\n")
            file.chmod(0o755)
            namespace.images["own/tools:1"] = folder
            return "own/tools:1"

        yield make


@pytest.mark.parametrize("job", [backup, restore])
def test_older_than_the_server(
    job: Any, namespace: Namespace, migrated: Postgres, with_tool: WithTool
) -> None:
    stored(backup(namespace))
    program = "pg_dump" if job is backup else "pg_restore"
    old = with_tool(program, f"echo '{program} (PostgreSQL) 9.6.24'")
    last = ended(job(namespace, clientImage=old))
    assert last.code == 4, last
    assert re.fullmatch(
        rf"\w+-database: client-too-old: the server is PostgreSQL [^,]+, and {program} of this image"
        r" is 9\.6\.24\. Use an image of PostgreSQL \d+ or later \(clientImage\)\n",
        last.message,
    ), last


CUT = 'TOOLS/pg_dump "$@" && for a; do case $a in --file=*) truncate -s -BYTES "${a#--file=}";; esac; done'


@pytest.mark.parametrize("bytes_", [1, 1000])
def test_cut_before_it_is_stored(
    bytes_: int, namespace: Namespace, migrated: Postgres, with_tool: WithTool
) -> None:
    script = f'case $1 in --version) exec {TOOLS}/pg_dump "$1";; esac\n' + CUT.replace("TOOLS", str(TOOLS))
    image = with_tool("pg_dump", script.replace("BYTES", str(bytes_)))
    last = ended(backup(namespace, clientImage=image))
    assert (last.name, last.code) == ("dump", 1), last
    assert last.message.startswith("dump-database: damaged: pg_restore: error: "), last
    assert files(namespace) == []


def test_pg_dump_that_fails(namespace: Namespace, migrated: Postgres) -> None:
    migrated.execute("CREATE TABLE foreign_to_us (a int)", "mlflow")
    last = ended(backup(namespace))
    assert last.code == 1, last
    assert last.message.startswith("dump-database: no-table-privilege: pg_dump: error: "), last
    assert "permission denied for table foreign_to_us" in last.message
    assert files(namespace) == []


def test_disk_full(namespace: Namespace, migrated: Postgres) -> None:
    namespace.apply(synthesis.backup())
    folder = namespace.folder_of_claim("backup-dumps")
    folder.mkdir(parents=True)
    options = "size=100k,mode=2775,gid=1001"
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "none", str(folder)], check=True)
    try:
        last = ended(namespace.cron_job("backup"))
        assert (last.name, last.code) == ("dump", 1), last
        assert last.message.startswith("dump-database: disk-full: pg_dump: error: "), last
        assert last.message.endswith("No space left on device. Enlarge the volume, or keep fewer dumps\n"), (
            last
        )
        assert files(namespace) == []
        subprocess.run(["mount", "-o", "remount,size=10m", str(folder)], check=True)
        stored(namespace.cron_job("backup"))
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def test_killed(namespace: Namespace, migrated: Postgres) -> None:
    """What a killed pod leaves is no dump, and is cleared away when no pod can be working on it."""
    with migrated.connect("mlflow") as connection, connection.cursor() as cursor:
        cursor.execute("BEGIN; LOCK TABLE metrics")
        namespace.apply(synthesis.backup())
        pod = namespace.cron_job("backup")
        pod.wait_for_line("dump-database: dumping")
        waiting = "SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)"
        migrated.wait_for(waiting, "mlflow", 60)
        pod.kill()
        [left] = files(namespace)
        second = namespace.cron_job("backup")
        second.wait_for_line("dump-database: dumping")
        migrated.wait_for("SELECT count(*) = 2 FROM pg_locks WHERE NOT granted", "mlflow", 60)
        stopped = second.delete()
        cursor.execute("ROLLBACK")
    assert [(each.code, each.message) for each in stopped.ended] == [
        (143, "dump-database: terminated: got SIGTERM before the work was done\n")
    ]
    assert files(namespace) == [left]
    subprocess.run(["touch", "-d", "7 hours ago", str(folder_of(namespace) / left)], check=True)
    stored(namespace.cron_job("backup"))
    assert len(files(namespace)) == 2


def test_a_migration_and_a_dump_wait_for_each_other(namespace: Namespace, migrated: Postgres) -> None:
    with migrated.connect("mlflow") as connection, connection.cursor() as cursor:
        cursor.execute(f"SELECT pg_advisory_lock({SCHEMA_LOCK})")
        namespace.apply(synthesis.backup())
        pod = namespace.cron_job("backup")
        migrated.wait_for("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)", "mlflow", 60)
        cursor.execute("UPDATE alembic_version SET version_num = 'abc'")
        cursor.execute(f"SELECT pg_advisory_unlock({SCHEMA_LOCK})")
    assert "schema revision abc)" in stored(pod)  # what was committed while the dump waited


def test_wrong_password(namespace: Namespace, migrated: Postgres) -> None:
    for job in (backup, restore):
        last = ended(job(namespace, password="not-the-password"))
        assert (last.name, last.code) == ("wait-for-database", 1), last
        assert "wrong-password" in last.message
        assert "not-the-password" not in last.log


def test_not_empty(namespace: Namespace, migrated: Postgres) -> None:
    kinds = "relkind IN ('r', 'v', 'S') AND relnamespace = 'public'::regnamespace"
    objects = migrated.value(f"SELECT count(*) FROM pg_class WHERE {kinds}")
    stored(backup(namespace))
    last = ended(restore(namespace))
    assert (last.name, last.code) == ("restore", 3), last
    assert last.message == (
        f"restore-database: not-empty: mlflow has {objects} tables, views and sequences, among them"
        " alembic_version, assessments, budget_policies, datasets. Restore into an empty database, or empty"
        " this one: DROP SCHEMA public CASCADE; CREATE SCHEMA public AUTHORIZATION pg_database_owner. Nothing"
        " was changed\n"
    )


def test_other_rows(namespace: Namespace, migrated: Postgres) -> None:
    """The manifest's digest is right, and yet it promises other rows: nothing of it is kept."""
    name = re.findall(NAME, stored(backup(namespace)))[0]
    manifest = folder_of(namespace) / f"{name}.json"
    manifest.write_text(manifest.read_text().replace('"public.experiments": 1', '"public.experiments": 2'))
    empty(migrated)
    last = ended(restore(namespace))
    assert last.code == 1, last
    assert "< 2 public.experiments\n> 1 public.experiments\n" in last.log.replace("---\n", "")
    assert last.message.startswith("restore-database: other-rows: "), last
    assert migrated.value("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == 0


def test_restore_that_fails_in_the_middle(
    namespace: Namespace, migrated: Postgres, with_tool: WithTool
) -> None:
    stored(backup(namespace))
    empty(migrated)
    script = (
        f'case $1 in --version|--list) exec {TOOLS}/pg_restore "$@";; esac\n'
        f'{TOOLS}/pg_restore "$@" | head -c 150000\n'
        'echo "pg_restore: error: could not read from input file" >&2; exit 1'
    )
    image = with_tool("pg_restore", script)
    last = ended(restore(namespace, clientImage=image))
    assert last.code == 1, last
    assert last.message.startswith("restore-database: damaged: pg_restore: error: could not read"), last
    assert migrated.value("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == 0


def test_settings_of_a_newer_pg_restore(
    namespace: Namespace, migrated: Postgres, with_tool: WithTool
) -> None:
    """pg_restore 17 begins with a setting that older servers do not know."""
    stored(backup(namespace))
    empty(migrated)
    script = (
        f'case $1 in --version|--list) exec {TOOLS}/pg_restore "$@";; esac\n'
        f'{TOOLS}/pg_restore "$@" | sed "s/^SET lock_timeout = 0;/&\\nSET transaction_timeout = 0;/"'
    )
    image = with_tool("pg_restore", script)
    last = ended(restore(namespace, clientImage=image))
    assert last.code == 0, last


def test_what_belongs_to_the_administrator_is_left_out(namespace: Namespace, migrated: Postgres) -> None:
    for statement in (
        "CREATE EXTENSION tablefunc",
        "COMMENT ON EXTENSION tablefunc IS 'mine'",
        "COMMENT ON SCHEMA public IS 'mine'",
        "CREATE PUBLICATION everything FOR ALL TABLES",
        "ALTER SCHEMA public OWNER TO postgres",
        "GRANT ALL ON SCHEMA public TO mlflow",
    ):
        migrated.execute(statement, "mlflow")
    stored(backup(namespace))
    empty(migrated)
    last = ended(restore(namespace))
    assert last.code == 0, last
    assert migrated.value("SELECT tableowner FROM pg_tables WHERE tablename = 'runs'") == "mlflow"


@pytest.mark.parametrize(
    ("broken", "cause"),
    [("bucket", "no-bucket"), ("endpoint", "unreachable")],
)
def test_bucket_that_cannot_be_used(
    broken: str, cause: str, namespace: Namespace, migrated: Postgres, store: ObjectStore
) -> None:
    endpoint = f"http://minio:{PORT}"
    if broken == "bucket":
        store.client.delete_bucket(Bucket="dumps")
    else:
        endpoint = "http://minio:1"
    last = ended(backup(namespace, endpoint=endpoint))
    assert (last.name, last.code) == ("store", 1), last
    assert re.match(rf"store-backup: ({cause}): ", last.message), last


def test_bucket_keeps_as_a_volume_does(namespace: Namespace, migrated: Postgres, store: ObjectStore) -> None:
    options = {"endpoint": f"http://minio:{PORT}"}
    names = [re.findall(NAME, stored(backup(namespace, **options, keep=2)))[0] for _ in range(3)]
    keys = [f"team/mlflow/{name}.{kind}" for name in names[1:] for kind in ("dump", "json")]
    assert store.keys("dumps") == sorted(keys)
    body = store.client.get_object(Bucket="dumps", Key=keys[-2])["Body"].read()
    store.client.put_object(Bucket="dumps", Key=keys[-2], Body=body[:-100])
    empty(migrated)
    last = ended(restore(namespace, **options))
    assert last.message == (
        f"fetch-backup: damaged: {names[2]}.dump is not whole. The newest others are {names[1]}:"
        " name one of them to restore it\n"
    )
    assert ended(restore(namespace, **options, dump=names[1])).code == 0
