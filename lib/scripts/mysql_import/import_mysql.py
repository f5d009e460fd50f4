"""Copy the MySQL or MariaDB database of an MLflow server into PostgreSQL: all of it, or nothing.

usage: import_mysql.py

Environment besides libpq's own (PG*):
  MLFLOW_BACKEND_STORE_URI  default postgresql+psycopg2://
  MYSQL_HOST, MYSQL_PORT, MYSQL_DATABASE, MYSQL_USER, MYSQL_PASSWORD
                            the old database, which is only read
  MYSQL_TLS                 disable, require (any certificate), or verify-full
  MYSQL_TLS_CA              file of the CA for verify-full (default: those of the system)
  IMPORT_FOLDER             where a working copy in SQLite goes
  IMPORT_LOCATION_RULES     JSON, [["old prefix", "new prefix"], ...]: the first that fits a location counts
  IMPORT_REPAIRS            names of repairs, with commas: drop-orphans, replace-nul
  IMPORT_EXISTING_DATA      refuse (default), or replace: delete what is there, in the same transaction
  IMPORT_DRY_RUN            true: do everything, and roll it back
  IMPORT_DEADLINE_SECONDS   how long to wait for the MySQL server, for servers to stop, and for the lock
                            (default 600)

Last line on stdout when it ends well:
  import-mysql: imported|already-imported|dry-run: <n> rows in <n> tables, digest <16 digits>, in <s> s

Exit codes: 0 done; 1 failed (the cause is named); 2 the MySQL server could not be reached in time; 3 the
deadline passed, or others use the tables; 4 the schema of the database is newer than this image, or the image
has no driver; 5 the database has data already; 6 the source cannot be imported as it is; 143 stopped by
SIGTERM. The line of a failure is also the termination message. Whatever the code, and if it is killed: one
transaction, so that nothing is half-done, and it can be started again.
"""

from __future__ import annotations

import sys
from contextlib import closing
from pathlib import Path

from import_engine import Say, Source, main
from import_rows import Digest
from import_settings import Settings
from init_container import required
from mlflow_schema import Revisions
from mysql_copy import copy_database, server_digests
from mysql_login import connect_source, driver, explain_mysql
from working_copy import UnusableSource, new_copy

PROGRAM = "import-mysql"


class MySqlDatabase(Source):
    def __init__(self) -> None:
        driver()
        self._name = required("MYSQL_DATABASE")
        self._seconds = 0.0
        self._digests: dict[str, Digest] = {}

    def make_copy(self, settings: Settings, image: Revisions, say: Say) -> Path:
        self._seconds = settings.seconds
        copy = new_copy(settings.folder)
        with closing(connect_source(self._seconds)) as source:
            self._digests = copy_database(source, copy, image, say)
        say(f"copied {self._name}: {copy.stat().st_size >> 10} KiB")
        return copy

    def check_unchanged(self) -> None:
        with closing(connect_source(self._seconds)) as source:
            now = server_digests(source, self._digests)
        changed = sorted(name for name, digest in self._digests.items() if now[name] != digest)
        if changed:
            raise UnusableSource(
                f"source-in-use: {', '.join(changed)} changed while it was imported. Stop the server"
                " that writes to it"
            )

    def explain(self, error: Exception) -> str | None:
        return explain_mysql(error)


if __name__ == "__main__":
    sys.exit(main(PROGRAM, sys.argv[1:], MySqlDatabase))
