"""A schema other than `public`, which is closed: the life of such a database, and what a restore may find."""

from __future__ import annotations

from pathlib import Path

import pytest
import synthesis
from conftest import SCRATCH, MakePostgres
from kubelet.kubernetes import Namespace
from postgres import Postgres
from sqlite_files import make_files, put, run
from test_backup import backup, ended, restore, stored
from test_pgbouncer import connect
from tracking import check_everything, client_of, log_everything

ODD = 'Team\'s "ML" \\ 1'
QUOTED = '"Team\'s ""ML"" \\ 1"'
PLACES = "SELECT string_agg(DISTINCT schemaname, ', ') FROM pg_tables WHERE tablename = 'runs'"
RUN_IDS = f"SELECT string_agg(run_uuid, ',') FROM {QUOTED}.runs"
ADMIN = {"username": "boss", "password": "boss's password"}


def closed_database(server: Postgres, name: str) -> None:
    """What a DBA gives: nobody but the DBA has anything in `public`."""
    server.execute(f"CREATE DATABASE {name}")
    server.execute("ALTER SCHEMA public OWNER TO postgres", name)
    server.execute("REVOKE ALL ON SCHEMA public FROM PUBLIC", name)


def test_whole_life(namespace: Namespace, make_postgres: MakePostgres, tmp_path: Path) -> None:
    """Bootstrap, migration, server behind a pooler in transaction mode, backup, restore."""
    server = make_postgres().start()
    server.role(*ADMIN.values(), "SUPERUSER LOGIN")
    for name in ("mlflow", "restored"):
        closed_database(server, name)

    admin = {"kind": "Secret", "metadata": {"name": "admin"}, "stringData": ADMIN}
    namespace.apply([admin, *synthesis.server(bootstrap=True, pooled={}, schema=ODD, threads=4)])
    [job] = [name for kind, name in namespace.objects if kind == "Job"]
    [bootstrapped] = namespace.job(job).wait_completed(60)
    assert bootstrapped.code == 0, bootstrapped
    assert f'created schema "{ODD}", owned by "mlflow"\n' in bootstrapped.log
    # From here on, pods know the schema from their manifests alone, and the migration makes it again.
    server.execute("ALTER ROLE mlflow IN DATABASE mlflow RESET ALL")
    server.execute(f"DROP SCHEMA {QUOTED}", "mlflow")
    server.execute("GRANT CREATE ON DATABASE mlflow TO mlflow")

    pooler = namespace.deployment("pgbouncer")[0].wait_ready()
    namespace.hosts["pgbouncer"] = pooler.address
    [pod] = namespace.deployment()
    client = client_of(pod.wait_ready(300))
    check_everything(client, log_everything(client, "before", tmp_path), tmp_path / "read")
    assert server.value(PLACES) == ODD
    stored(backup(namespace, schema=ODD))

    server.execute("GRANT CREATE ON DATABASE restored TO mlflow")
    restored = ended(restore(namespace, database="restored", schema=ODD))
    assert restored.code == 0, restored
    assert server.value(PLACES, "restored") == ODD
    assert server.value(RUN_IDS, "restored") == server.value(RUN_IDS)


@pytest.fixture
def moved(postgres: Postgres) -> Postgres:
    """The tables are in the schema as docs/databases.md says that a running MLflow gets there."""
    postgres.execute(f"ALTER SCHEMA public RENAME TO {QUOTED}", "mlflow")
    return postgres


@pytest.mark.migrated
def test_restores_beside_what_is_there(namespace: Namespace, moved: Postgres) -> None:
    stored(backup(namespace, schema=ODD))
    taken = ended(restore(namespace, schema=ODD))
    assert taken.code == 3, taken
    assert taken.message.endswith(
        f"empty this one: DROP SCHEMA {QUOTED} CASCADE; CREATE SCHEMA {QUOTED}. Nothing was changed\n"
    ), taken

    closed_database(moved, "other")
    refused = ended(restore(namespace, database="other", schema=ODD))
    assert refused.code == 1, refused
    assert 'missing-schema: there is no such schema (user "mlflow", database "other"' in refused.message

    # The dump of another schema than the login's would be tables that no server finds.
    moved.execute("CREATE SCHEMA theirs AUTHORIZATION mlflow", "other")
    moved.execute("ALTER ROLE mlflow IN DATABASE other SET search_path = theirs")
    moved.execute("GRANT CREATE ON DATABASE other TO mlflow")
    elsewhere = ended(restore(namespace, database="other"))
    assert elsewhere.code == 3, elsewhere
    assert elsewhere.message == (
        "restore-database: other-schema: the dump has no tables in theirs, the schema of this login, but in"
        f" {QUOTED}. Restore with that one (schema of the backend, or the role's search_path), and"
        " rename it afterwards: ALTER SCHEMA ... RENAME TO. Nothing was changed\n"
    )
    assert moved.value(PLACES, "other") is None

    # Into a schema that is there, and beside tables of others.
    moved.execute("CREATE TABLE theirs.tables (a int)", "other")
    moved.execute(f"CREATE SCHEMA {QUOTED} AUTHORIZATION mlflow", "other")
    restored = ended(restore(namespace, database="other", schema=ODD))
    assert restored.code == 0, restored
    assert moved.value(PLACES, "other") == ODD


@pytest.mark.migrated
def test_imports(namespace: Namespace, moved: Postgres) -> None:
    put(namespace, make_files(SCRATCH / "sqlite")[1])
    imported = run(namespace, schema=ODD)
    assert imported.code == 0, imported
    assert moved.value(f"SELECT count(*) > 0 FROM {QUOTED}.runs")


@pytest.mark.migrated
def test_pooled_sessions(namespace: Namespace, moved: Postgres) -> None:
    """In session mode, the next client gets the connection after a reset."""
    pooled = {"poolMode": "session", "defaultPoolSize": 45}
    namespace.apply(synthesis.server(pooled=pooled, schema=ODD, threads=4))
    pooler = namespace.deployment("pgbouncer")[0].wait_ready()
    paths, backends = [], []
    for _ in range(2):
        connection = connect(pooler, "mlflow", "a-password")
        with connection, connection.cursor() as cursor:
            cursor.execute("SELECT current_setting('search_path'), pg_backend_pid()")
            path, backend_pid = cursor.fetchone()
            cursor.execute("SET SESSION search_path = pg_catalog")
        connection.close()
        paths.append(path)
        backends.append(backend_pid)
    assert paths == [QUOTED, QUOTED]
    assert backends[0] == backends[1]
