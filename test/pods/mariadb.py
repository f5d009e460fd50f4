"""A real MariaDB server, in the place of the MySQL that an old server used."""

from __future__ import annotations

import pwd
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pymysql
from certificates import make_ca, sign
from waiting import eventually

PORT = 3306
PASSWORD = "a'pass\\word ü"
_USER = "nobody"


class MariaDb:
    """Its login for MLflow is `mlflow`, that of an import is `reader`, which may only SELECT."""

    def __init__(self, folder: Path, address: str, *names: str) -> None:
        self.address, self._folder = address, folder
        folder.mkdir(mode=0o755)
        make_ca(folder)
        sign(folder, "server", names[0], *names)
        for path in (folder, folder / "server.key"):
            shutil.chown(path, _USER, pwd.getpwnam(_USER).pw_gid)
        self._data, self._socket = folder / "data", folder / "socket"
        install = ["mariadb-install-db", "--no-defaults", f"--user={_USER}", f"--datadir={self._data}"]
        made = subprocess.run(
            [*install, "--auth-root-authentication-method=normal", "--skip-test-db"],
            capture_output=True,
            text=True,
            check=False,
        )
        assert made.returncode == 0, made.stderr + made.stdout
        self._process = subprocess.Popen(
            [
                *(
                    "mariadbd",
                    "--no-defaults",
                    f"--user={_USER}",
                    f"--datadir={self._data}",
                    "--skip-log-bin",
                ),
                *(f"--socket={self._socket}", f"--port={PORT}", f"--bind-address={address}"),
                *(
                    "--character-set-server=utf8mb4",
                    "--innodb-flush-log-at-trx-commit=0",
                    "--skip-name-resolve",
                ),
                *(f"--ssl-cert={folder}/server.crt", f"--ssl-key={folder}/server.key"),
                *(f"--pid-file={folder}/pid", f"--tmpdir={folder}", "--innodb-buffer-pool-size=64M"),
            ],
            stdout=(folder / "log").open("wb"),
            stderr=subprocess.STDOUT,
        )
        eventually(self._socket.exists, "the socket of MariaDB", 60, 0.1)
        # The driver takes no other characters than those of Latin-1 from SQLAlchemy.
        for user, password in (("mlflow", "a-password"), ("reader", PASSWORD)):
            self.execute(f"CREATE USER {user}@'%%' IDENTIFIED BY %s", password)
        self.database("mlflow")

    @property
    def ca(self) -> str:
        return (self._folder / "ca.crt").read_text()

    def database(self, name: str) -> None:
        self.execute(f"CREATE DATABASE {name}")
        self.execute(f"GRANT ALL ON {name}.* TO mlflow@'%'")
        self.execute(f"GRANT SELECT ON {name}.* TO reader@'%'")

    def execute(self, statement: str, *values: object, database: str | None = None) -> list[tuple[Any, ...]]:
        """One statement, as the administrator, over the socket."""
        connection = pymysql.connect(
            unix_socket=str(self._socket), user="root", database=database, autocommit=True, charset="utf8mb4"
        )
        with connection, connection.cursor() as cursor:
            cursor.execute(statement, values or None)
            return list(cursor.fetchall())

    def checksums(self, database: str = "mlflow") -> list[tuple[Any, ...]]:
        """What MariaDB itself computes of each table."""
        tables = [name for (name,) in self.execute("SHOW TABLES", database=database)]
        return self.execute("CHECKSUM TABLE " + ", ".join(f"`{name}`" for name in tables), database=database)

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()
        shutil.rmtree(self._folder, ignore_errors=True)
