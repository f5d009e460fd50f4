"""Real PostgreSQL servers, each on an address of its own, on the port that every manifest names."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psycopg2
from psycopg2 import sql
from waiting import eventually

BIN = Path(os.environ["E2E_POSTGRES_BIN"])
# psql, pg_dump and the others, which may be of a newer version than the server.
TOOLS = Path(os.environ["E2E_POSTGRES_TOOLS"])
PORT = 5432
_USER = next(user for user in ("postgres", "nobody") if user in {each.pw_name for each in pwd.getpwall()})
_SETTINGS = """
fsync = off
full_page_writes = off
max_connections = 100
shared_buffers = 32MB
log_connections = on
log_line_prefix = '%m [%p] %q%u@%d/%a '
ssl_cert_file = 'server.crt'
ssl_key_file = 'server.key'
ssl_ca_file = 'ca.crt'
"""
_HBA = """
local   all,replication all trust
hostssl all certified all cert
host    all all       all scram-sha-256
"""


def as_postgres(*command: str, check: bool = True) -> subprocess.CompletedProcess[bytes]:
    """Servers refuse to run as root."""
    user = ["setpriv", f"--reuid={_USER}", f"--regid={pwd.getpwnam(_USER).pw_gid}", "--clear-groups", "--"]
    process = subprocess.run(
        [*user, *command], stdin=subprocess.DEVNULL, capture_output=True, cwd="/", check=False
    )
    if check and process.returncode != 0:
        raise RuntimeError(f"{command[0]} failed: {process.stdout.decode()}{process.stderr.decode()}")
    return process


def make_template(folder: Path, certificates: Path, programs: Path = BIN) -> None:
    """A new cluster's files, made once and copied for each server."""
    folder.mkdir(mode=0o700)
    shutil.chown(folder, _USER, pwd.getpwnam(_USER).pw_gid)
    initdb = [str(programs / "initdb"), "--no-sync", "--auth=trust", "--username=postgres", "--encoding=UTF8"]
    as_postgres(*initdb, "--locale=C.UTF-8", "--pgdata", str(folder))
    (folder / "pg_hba.conf").write_text(_HBA)
    for name in ("ca.crt", "server.crt", "server.key"):
        shutil.copyfile(certificates / name, folder / name)
        shutil.chown(folder / name, _USER, pwd.getpwnam(_USER).pw_gid)
        (folder / name).chmod(0o600)


class Postgres:
    def __init__(
        self, template: Path | None, folder: Path, address: str, tls: bool = True, programs: Path = BIN
    ) -> None:
        self.address, self.folder, self._programs = address, folder, programs
        # A socket's path has to be short.
        self._log = folder / "server.log"
        if template:
            subprocess.run(["cp", "-a", str(template), str(folder)], check=True)
        with (folder / "postgresql.conf").open("a") as settings:
            settings.write(_SETTINGS)
            settings.write(f"listen_addresses = '{address}'\nport = {PORT}\n")
            settings.write(f"unix_socket_directories = '{folder}'\nssl = {'on' if tls else 'off'}\n")

    def standby(self, folder: Path, address: str) -> Postgres:
        """A copy that follows this server, over its socket; not started."""
        folder.mkdir(mode=0o700)
        shutil.chown(folder, _USER, pwd.getpwnam(_USER).pw_gid)
        here = [f"--host={self.folder}", f"--port={PORT}", "--username=postgres"]
        copy = [str(BIN / "pg_basebackup"), "--write-recovery-conf", "--checkpoint=fast", "--no-sync"]
        as_postgres(*copy, *here, "--pgdata", str(folder))
        (folder / f".s.PGSQL.{PORT}.lock").unlink()  # this server's, which keeps its socket with its data
        return Postgres(None, folder, address)

    def promote(self) -> None:
        """Makes a standby take writes."""
        self._control("promote", "--wait")

    def crash(self) -> None:
        """kill -9 of all of its processes at once, as when the machine goes down."""
        [postmaster, *_] = (self.folder / "postmaster.pid").read_text().split()
        children = Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text().split()
        for process in [postmaster, *children]:
            with suppress(ProcessLookupError):
                os.kill(int(process), signal.SIGKILL)

    def start(self) -> Postgres:
        try:
            self._control("start", "--wait", "--timeout=60", f"--log={self._log}")
        except RuntimeError as error:
            raise RuntimeError(f"{error}\n{self.log()}") from None
        return self

    def stop(self, mode: str = "fast") -> None:
        """fast: connections are cut; immediate: as after a crash."""
        self._control("stop", "--wait", "--timeout=60", f"--mode={mode}")

    def remove(self) -> None:
        command = [str(self._programs / "pg_ctl"), "stop", "--pgdata", str(self.folder), "--mode=immediate"]
        as_postgres(*command, check=False)
        shutil.rmtree(self.folder, ignore_errors=True)

    def role(self, name: str, password: str, options: str = "LOGIN") -> None:
        statement = sql.SQL("CREATE ROLE {} PASSWORD {} " + options)
        self.execute(statement.format(sql.Identifier(name), sql.Literal(password)))

    def database(self, name: str, owner: str) -> None:
        statement = sql.SQL("CREATE DATABASE {} OWNER {}")
        self.execute(statement.format(sql.Identifier(name), sql.Identifier(owner)))

    def owned_database(
        self, name: str = "mlflow", user: str = "mlflow", password: str = "a-password"
    ) -> None:
        """What the documentation tells an administrator to make."""
        self.role(user, password)
        self.database(name, user)

    def execute(self, statement: str | sql.Composable, database: str = "postgres") -> list[tuple[Any, ...]]:
        """One statement, as the superuser, over the socket."""
        with self.connect(database) as connection, connection.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchall() if cursor.description else []

    def value(self, statement: str, database: str = "mlflow") -> Any:
        [(value,)] = self.execute(statement, database)
        return value

    @contextmanager
    def connect(self, database: str = "postgres") -> Any:
        connection = psycopg2.connect(host=str(self.folder), port=PORT, user="postgres", dbname=database)
        connection.autocommit = True
        try:
            yield connection
        finally:
            connection.close()

    def wait_for(self, statement: str, database: str, seconds: float) -> None:
        """Until a query is true."""
        eventually(lambda: self.value(statement, database), statement, seconds, 0.05)

    def log(self) -> str:
        return self._log.read_text(errors="replace")

    def _control(self, *words: str) -> None:
        as_postgres(str(self._programs / "pg_ctl"), "--pgdata", str(self.folder), *words)
