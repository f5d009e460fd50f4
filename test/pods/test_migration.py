"""The schema: brought to the image's version once, however many pods start, whatever happens meanwhile."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import synthesis
from kubelet.kubernetes import Namespace
from kubelet.pod import Pod
from old_server import OLD_REVISION, check_old_data, fill_old_database
from postgres import Postgres
from tracking import check_everything, client_of, log_everything

REVISION = "SELECT string_agg(version_num, ',') FROM alembic_version"
DONE = r"init-mlflow: ([\w-]+): revision (\w+) -> (\w+) in \d+\.\d s \(waited \d+\.\d s for the lock\)"


def last_line(pod: Pod) -> str:
    return pod.init[-1].log.splitlines()[-1]


def outcome(pod: Pod) -> str:
    """What the migration did, as it says itself."""
    assert [each.code for each in pod.init] == [0], pod.init[-1]
    match = re.fullmatch(DONE, last_line(pod))
    assert match, last_line(pod)
    return match[1]


@contextmanager
def paused_at_first_alter_table(postgres: Postgres) -> Iterator[None]:
    """Whoever alters a table waits inside its transaction, until this ends."""
    body = "BEGIN PERFORM pg_advisory_xact_lock(1); END"
    postgres.execute(f"CREATE FUNCTION gate() RETURNS event_trigger LANGUAGE plpgsql AS $${body}$$", "mlflow")
    trigger = (
        "CREATE EVENT TRIGGER gate ON ddl_command_end WHEN TAG IN ('ALTER TABLE') EXECUTE FUNCTION gate()"
    )
    with postgres.connect("mlflow") as connection, connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(1)")
        postgres.execute(trigger, "mlflow")
        yield
        postgres.execute("DROP EVENT TRIGGER gate", "mlflow")


def wait_until_paused(postgres: Postgres) -> None:
    waiting = "SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND objid = 1 AND NOT granted)"
    postgres.wait_for(waiting, "mlflow", 120)


@pytest.mark.parametrize("start", ["empty", "old"])
def test_eight_at_once(start: str, namespace: Namespace, postgres: Postgres) -> None:
    if start == "old":
        fill_old_database(postgres)
    namespace.apply(synthesis.server(replicas=8))
    pods = namespace.deployment(only_init=True)
    for pod in pods:
        pod.wait_init(300)
    did = "initialised" if start == "empty" else "upgraded"
    assert Counter(map(outcome, pods)) == {did: 1, "up-to-date": 7}
    assert "ERROR:" not in postgres.log()
    assert postgres.value("SELECT count(*) FROM experiments WHERE experiment_id = 0") == 1
    if start == "old":
        namespace.apply(synthesis.server())
        [pod] = namespace.deployment()
        check_old_data(client_of(pod.wait_ready(300)))


@pytest.mark.parametrize("start", ["empty", "old"])
def test_killed_in_the_middle(start: str, namespace: Namespace, postgres: Postgres, tmp_path: Path) -> None:
    if start == "old":
        fill_old_database(postgres)
    before = OLD_REVISION if start == "old" else None
    namespace.apply(synthesis.server())
    with paused_at_first_alter_table(postgres):
        [killed] = namespace.deployment(only_init=True)
        wait_until_paused(postgres)
        killed.kill()
    assert postgres.value("SELECT to_regclass('experiments') IS NOT NULL")
    assert (postgres.value(REVISION) if before else None) == before

    [pod] = namespace.deployment()
    client = client_of(pod.wait_ready())
    assert outcome(pod) == "upgraded"
    if start == "old":
        check_old_data(client)
    else:
        check_everything(client, log_everything(client, "new", tmp_path), tmp_path / "read")


def test_next_pod_starts_while_a_killed_one_still_blocks(namespace: Namespace, postgres: Postgres) -> None:
    """PostgreSQL notices late that a client is gone: its statement and its table locks go on for a while."""
    fill_old_database(postgres)
    namespace.apply(synthesis.server())
    with paused_at_first_alter_table(postgres):
        [killed] = namespace.deployment(only_init=True)
        wait_until_paused(postgres)
        killed.kill()
        [pod] = namespace.deployment(only_init=True)
        pod.wait_for_line("Updating database tables")
    pod.wait_init(120)
    assert outcome(pod) == "upgraded"


def test_deleted_while_it_waits_for_the_lock(namespace: Namespace, postgres: Postgres) -> None:
    fill_old_database(postgres)
    namespace.apply(synthesis.server())
    with paused_at_first_alter_table(postgres):
        [first] = namespace.deployment(only_init=True)
        wait_until_paused(postgres)
        [second] = namespace.deployment(only_init=True)
        second.wait_for_line("init-mlflow: waiting for the lock: another migration is running")
        stopped = second.delete()
    assert [(each.code, each.message) for each in stopped.ended] == [
        (143, "init-mlflow: terminated: got SIGTERM before the work was done\n")
    ]
    first.wait_init(120)
    assert outcome(first) == "upgraded"


def test_lock_is_not_free_in_time(namespace: Namespace, postgres: Postgres) -> None:
    fill_old_database(postgres)
    namespace.apply(synthesis.server(migrationDeadline=3))
    with paused_at_first_alter_table(postgres):
        [first] = namespace.deployment(only_init=True)
        wait_until_paused(postgres)
        [second] = namespace.deployment(only_init=True)
        ended = second.wait_init(60)[-1]
    assert ended.code == 3
    assert ended.message == (
        "init-mlflow: lock-timeout: another migration still held the lock after 3 s."
        " Look at the other init-mlflow containers, or raise MIGRATION_DEADLINE_SECONDS\n"
    )
    first.wait_init(120)  # the deadline does not cut a migration that runs
    assert outcome(first) == "upgraded"


def test_newer_schema(namespace: Namespace, postgres: Postgres) -> None:
    namespace.apply(synthesis.server())
    [pod] = namespace.deployment(only_init=True)
    pod.wait_init(120)
    head = postgres.value(REVISION)
    postgres.execute("UPDATE alembic_version SET version_num = 'feedfacecafe'", "mlflow")

    [pod] = namespace.deployment()
    ended = pod.wait_init(120)[-1]
    assert (ended.name, ended.code, pod.running) == ("init-mlflow", 4, [])
    assert ended.message == (
        "init-mlflow: newer-schema: the database is at revision feedfacecafe, which this image does not know:"
        f" its newest is {head}. Run the newer MLflow image that made it, or restore the backup from before"
        " that upgrade. Nothing was touched\n"
    )
    assert postgres.value(REVISION) == "feedfacecafe"


def test_job(namespace: Namespace, postgres: Postgres) -> None:
    """Pods that come before their Job wait for it, and change nothing themselves."""
    fill_old_database(postgres)
    namespace.apply(synthesis.server(migration="job", replicas=2))
    pods = namespace.deployment()
    for pod in pods:
        pod.wait_for_line(
            f"init-mlflow: waiting for the migration: revision {OLD_REVISION}, this image needs "
        )
    assert postgres.value(REVISION) == OLD_REVISION

    [name] = [name for kind, name in namespace.objects if kind == "Job"]
    [ended] = namespace.job(name).wait_completed(120)
    assert ended.code == 0, ended
    assert re.fullmatch(DONE, ended.log.splitlines()[-1])[1] == "upgraded"
    for pod in pods:
        check_old_data(client_of(pod.wait_ready()))
        assert re.fullmatch(r"init-mlflow: ready: revision \w+ \(waited \d+\.\d s\)", last_line(pod))

    [again] = namespace.job(name).wait_completed(120)
    assert re.fullmatch(DONE, again.log.splitlines()[-1])[1] == "up-to-date"


def test_job_that_never_comes(namespace: Namespace, postgres: Postgres) -> None:
    namespace.apply(synthesis.server(migration="job", migrationDeadline=3))
    [pod] = namespace.deployment()
    ended = pod.wait_init(60)[-1]
    assert (ended.code, pod.running) == (3, [])
    assert re.fullmatch(
        r"init-mlflow: deadline: not migrated after 3 s: revision none, this image needs \w+\."
        r" Look at the migration Job, or raise MIGRATION_DEADLINE_SECONDS\n",
        ended.message,
    )
    assert postgres.value("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == 0
