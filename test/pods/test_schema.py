"""A schema other than `public`, which is closed: the whole life of such a database, on one server."""

from __future__ import annotations

from pathlib import Path

import synthesis
from conftest import SCRATCH, MakePostgres
from kubelet.kubernetes import Namespace
from postgres import Postgres
from sqlite_files import make_files, put, run
from test_backup import backup, ended, restore, stored
from tracking import check_everything, client_of, log_everything

ODD = 'Team\'s "ML" \\ 1'
QUOTED = '"Team\'s ""ML"" \\ 1"'
PLACES = "SELECT string_agg(DISTINCT schemaname, ', ') FROM pg_tables WHERE tablename = 'runs'"
# session: connections are used again by other clients after a reset, besides what holds in each mode.
POOLED = {"poolMode": "session", "defaultPoolSize": 45}
ADMIN = {"username": "boss", "password": "boss's password"}


def closed_database(server: Postgres, name: str) -> None:
    """What a DBA gives: nobody but the DBA has anything in `public`."""
    server.execute(f"CREATE DATABASE {name}")
    server.execute("ALTER SCHEMA public OWNER TO postgres", name)
    server.execute("REVOKE ALL ON SCHEMA public FROM PUBLIC", name)


def test_whole_life(namespace: Namespace, make_postgres: MakePostgres, tmp_path: Path) -> None:
    server = make_postgres().start()
    server.role(*ADMIN.values(), "SUPERUSER LOGIN")
    for name in ("mlflow", "absent", "present", "imported"):
        closed_database(server, name)

    admin = {"kind": "Secret", "metadata": {"name": "admin"}, "stringData": ADMIN}
    options = {"schema": ODD, "workers": 1, "threads": 4}
    namespace.apply([admin, *synthesis.server(bootstrap=True, pooled=POOLED, **options)])
    [job] = [name for kind, name in namespace.objects if kind == "Job"]
    [bootstrapped] = namespace.job(job).wait_completed(60)
    assert bootstrapped.code == 0, bootstrapped
    assert f'created schema "{ODD}", owned by "mlflow"\n' in bootstrapped.log
    # From here on, pods know the schema from their manifests alone, as where a DBA has made the role.
    server.execute("ALTER ROLE mlflow IN DATABASE mlflow RESET ALL")

    poolers = [pod.wait_ready() for pod in namespace.deployment("pgbouncer")]
    namespace.hosts["pgbouncer"] = poolers[0].address
    [pod] = namespace.deployment()
    client = client_of(pod.wait_ready(300))
    logged = log_everything(client, "before", tmp_path)
    check_everything(client, logged, tmp_path / "read")
    assert server.value(PLACES) == ODD
    stored(backup(namespace, schema=ODD))
    pod.delete()

    taken = ended(restore(namespace, schema=ODD))
    assert taken.code == 3, taken
    assert taken.message.endswith(
        f"empty this one: DROP SCHEMA {QUOTED} CASCADE; CREATE SCHEMA {QUOTED}. Nothing was changed\n"
    ), taken

    # A schema that is not there, which the login may create. Tables of others are not in the way.
    server.execute("CREATE SCHEMA others CREATE TABLE theirs (a int)", "absent")
    refused = ended(restore(namespace, database="absent", schema=ODD))
    assert refused.code == 1, refused
    assert 'missing-schema: there is no such schema (user "mlflow", database "absent"' in refused.message
    server.execute("GRANT CREATE ON DATABASE absent TO mlflow")
    restored = ended(restore(namespace, database="absent", schema=ODD))
    assert restored.code == 0, restored
    assert server.value(PLACES, "absent") == ODD

    # One that is there, by the role's own search_path, without a word in the manifest.
    server.execute(f"CREATE SCHEMA {QUOTED} AUTHORIZATION mlflow", "present")
    server.execute(f"ALTER ROLE mlflow IN DATABASE present SET search_path = other, {QUOTED}")
    restored = ended(restore(namespace, database="present"))
    assert restored.code == 0, restored
    namespace.apply(synthesis.server(database="present"))
    [pod] = namespace.deployment(only_init=True)
    assert "init-mlflow: up-to-date" in pod.wait_init(120)[-1].log
    same = f"SELECT string_agg(run_uuid, ',' ORDER BY run_uuid) FROM {QUOTED}.runs"
    assert server.value(same, "present") == server.value(same)
    assert server.value(PLACES, "present") == ODD

    # The dump of another schema than the login's would be tables that no server finds.
    server.execute(f"DROP SCHEMA {QUOTED} CASCADE", "present")
    server.execute("CREATE SCHEMA other AUTHORIZATION mlflow", "present")
    server.execute("ALTER ROLE mlflow IN DATABASE present SET search_path = other")
    server.execute("GRANT CREATE ON DATABASE present TO mlflow")
    elsewhere = ended(restore(namespace, database="present"))
    assert elsewhere.code == 3, elsewhere
    assert elsewhere.message == (
        "restore-database: other-schema: the dump has no tables in other, the schema of this login, but in"
        f" {QUOTED}. Restore with that one (schema of the backend, or the role's search_path), and"
        " rename it afterwards: ALTER SCHEMA ... RENAME TO. Nothing was changed\n"
    )
    assert server.value(PLACES, "present") is None

    put(namespace, make_files(SCRATCH / "sqlite")[1])
    server.execute("GRANT CREATE ON DATABASE imported TO mlflow")
    imported = run(namespace, database="imported", schema=ODD)
    assert imported.code == 0, imported
    assert server.value(PLACES, "imported") == ODD
    assert server.value(f"SELECT count(*) > 0 FROM {QUOTED}.runs", "imported")
