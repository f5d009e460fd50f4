"""Copy the SQLite database of an MLflow server into PostgreSQL: all of it, or nothing.

usage: import_sqlite.py

Environment besides libpq's own (PG*):
  MLFLOW_BACKEND_STORE_URI  default postgresql+psycopg2://
  IMPORT_SOURCE             the SQLite file, which is only read
  IMPORT_FOLDER             where its working copy goes
  IMPORT_LOCATION_RULES     JSON, [["old prefix", "new prefix"], ...]: the first that fits a location counts
  IMPORT_REPAIRS            names of repairs, with commas: renumber-experiments, drop-orphans, replace-nul
  IMPORT_EXISTING_DATA      refuse (default), or replace: delete what is there, in the same transaction
  IMPORT_DRY_RUN            true: do everything, and roll it back
  IMPORT_DEADLINE_SECONDS   how long to wait for servers to stop and for the lock (default 600)

Last line on stdout when it ends well:
  import-sqlite: imported|already-imported|dry-run: <n> rows in <n> tables, digest <16 digits>, in <s> s

Exit codes: 0 done; 1 failed (the cause is named); 3 the deadline passed, or others use the tables; 4 the
schema of the database is newer than this image; 5 the database has data already; 6 the source cannot be
imported as it is; 143 stopped by SIGTERM. The line of a failure is also the termination message. Whatever the
code, and if it is killed: one transaction, so that nothing is half-done, and it can be started again.
"""

from __future__ import annotations

import sqlite3
import sys
from pathlib import Path

from import_engine import Say, Source, main
from import_settings import Settings
from init_container import required
from mlflow_schema import Revisions
from sqlite_file import FileState, check_same, make_copy, state_of

PROGRAM = "import-sqlite"


class SqliteFile(Source):
    def __init__(self) -> None:
        self._path = Path(required("IMPORT_SOURCE"))
        self._state: FileState = {}

    def make_copy(self, settings: Settings, image: Revisions, say: Say) -> Path:
        self._state = state_of(self._path)
        copy = make_copy(self._path, settings.folder)
        say(f"copied {self._path}: {copy.stat().st_size >> 10} KiB")
        return copy

    def check_unchanged(self) -> None:
        check_same(self._path, self._state)

    def explain(self, error: Exception) -> str | None:
        if isinstance(error, sqlite3.Error):
            return f"source-damaged: SQLite cannot read the file: {error}. Look at it with `sqlite3`"
        return None


if __name__ == "__main__":
    sys.exit(main(PROGRAM, sys.argv[1:], SqliteFile))
