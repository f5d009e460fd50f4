"""What every case starts from: a namespace of its own, and PostgreSQL servers of its own."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from certificates import make_ca, sign
from kubelet.kubernetes import Namespace
from object_store import CREDENTIALS, ObjectStore
from postgres import BIN, TOOLS, Postgres, make_template
from repository import ROOT, image

os.environ.update(MLFLOW_DISABLE_TELEMETRY="true", DO_NOT_TRACK="true", GIT_PYTHON_REFRESH="quiet")
# A client tries again for a while if a server does not answer; the cases have deadlines of their own.
os.environ.update(MLFLOW_HTTP_REQUEST_MAX_RETRIES="4", MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR="false")

SCRATCH = Path(os.environ["E2E_SCRATCH"])
CERTIFICATES, TEMPLATE, PGBOUNCER = (SCRATCH / name for name in ("certificates", "template", "pgbouncer"))
MIGRATED = SCRATCH / "migrated"
TARGET_BIN = Path(os.environ["E2E_TARGET_BIN"])
# As the server of a certificate may be called: the names of the examples and of the cases.
SERVER_NAMES = ["database", "postgresql-instance1.cg034hpkmmjt.eu-central-1.rds.amazonaws.com"]
CERTIFIED_ROLE = "certified"
MakePostgres = Callable[..., Postgres]


def pytest_configure(config: pytest.Config) -> None:
    if hasattr(config, "workerinput") or CERTIFICATES.exists():
        return
    SCRATCH.chmod(0o755)
    make_certificates(CERTIFICATES)
    make_template(TEMPLATE, CERTIFICATES)
    (PGBOUNCER / "bin").mkdir(parents=True)
    shutil.copy(str(shutil.which("pgbouncer")), PGBOUNCER / "bin")


def make_certificates(folder: Path) -> None:
    """A CA, a certificate of a server for the names that the cases use, one of a client, and another CA."""
    folder.mkdir()
    make_ca(folder)
    make_ca(folder, "other-ca")
    sign(folder, "server", SERVER_NAMES[0], *SERVER_NAMES)
    sign(folder, "mlflow", "mlflow", "mlflow")
    sign(folder, "client", CERTIFIED_ROLE, CERTIFIED_ROLE)


def make_migrated() -> Path:
    """The files of a cluster with the role, the database and MLflow's tables, made once for all processes."""
    with (SCRATCH / "migrated.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not MIGRATED.exists():
            server = Postgres(TEMPLATE, SCRATCH / "migrating", "127.0.0.1").start()
            server.owned_database()
            folders = [str(ROOT / "lib" / "scripts" / name) for name in ("shared", "startup")]
            login = {"PGHOST": str(server.folder), "PGUSER": "mlflow", "PGDATABASE": "mlflow"}
            subprocess.run(
                [sys.executable, f"{folders[1]}/migrate_database.py"],
                env={**os.environ, **login, "PYTHONPATH": os.pathsep.join(folders)},
                check=True,
            )
            server.stop()
            (server.folder / "server.log").unlink()
            server.folder.rename(MIGRATED)
    return MIGRATED


def images() -> dict[str, Path]:
    """The virtual environments in the place of images. MLflow's is the default's version, or E2E_MLFLOW's."""
    return {
        image("mlflow"): Path(sys.prefix),
        image("postgres"): TOOLS.parent,
        image("pgBouncer"): PGBOUNCER,
    }


@pytest.fixture(autouse=True)
def own_environment() -> Iterator[None]:
    """MLflow's set_experiment() sets a variable, by which programs of a later test would log elsewhere."""
    before = dict(os.environ)
    yield
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture(scope="session")
def addresses(worker_id: str) -> Iterator[str]:
    """Addresses on the bridge `pods`, each given once, apart from those of pytest-xdist's other processes."""
    process = 0 if worker_id == "master" else int(worker_id.removeprefix("gw"))
    return (
        f"10.88.{third}.{last}" for third in range(1 + 8 * process, 9 + 8 * process) for last in range(1, 255)
    )


@pytest.fixture
def namespace(tmp_path: Path, addresses: Iterator[str]) -> Iterator[Namespace]:
    space = Namespace(tmp_path / "kubelet", images(), addresses)
    yield space
    space.stop()


@pytest.fixture
def make_postgres(namespace: Namespace, tmp_path: Path) -> Iterator[MakePostgres]:
    """Makes servers, which the pods know by the given names."""
    servers: list[Postgres] = []

    def make(
        *names: str,
        tls: bool = True,
        primary: Postgres | None = None,
        template: Path = TEMPLATE,
        programs: Path = BIN,
    ) -> Postgres:
        address = namespace.new_server_address(*(names or ("database",)))
        folder = SCRATCH / f"pg-{address}"
        if primary:
            server = primary.standby(folder, address)
        else:
            server = Postgres(template, folder, address, tls, programs)
        servers.append(server)
        return server

    yield make
    for server in servers:
        server.remove()


@pytest.fixture
def target(make_postgres: MakePostgres) -> Postgres:
    """The server that a database moves to, with an empty one: of version E2E_TARGET_POSTGRES."""
    template = SCRATCH / f"target-{os.environ.get('PYTEST_XDIST_WORKER', 'master')}"
    if TARGET_BIN != BIN and not template.exists():
        make_template(template, CERTIFICATES, TARGET_BIN)
    options = {"template": template, "programs": TARGET_BIN} if TARGET_BIN != BIN else {}
    server = make_postgres("database", **options).start()
    server.owned_database()
    return server


@pytest.fixture
def postgres(make_postgres: MakePostgres, request: pytest.FixtureRequest) -> Postgres:
    """A running server, `database` for the pods, with the role and the database that the cases use."""
    if request.node.get_closest_marker("migrated"):
        return make_postgres(template=make_migrated()).start()
    server = make_postgres().start()
    server.owned_database()
    return server


@pytest.fixture
def store(namespace: Namespace, tmp_path: Path) -> Iterator[ObjectStore]:
    """`minio` for the pods, with the buckets of synth.ts, and its login in the Secret `s3`."""
    store = ObjectStore(namespace.new_server_address("minio"), tmp_path / "store.log")
    namespace.apply([{"kind": "Secret", "metadata": {"name": "s3"}, "stringData": CREDENTIALS}])
    yield store.with_buckets("models", "dumps")
    store.stop()
