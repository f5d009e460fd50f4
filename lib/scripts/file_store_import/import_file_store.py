"""Copy the file store of MLflow, a folder `mlruns`, into PostgreSQL: all of it, or nothing.

usage: import_file_store.py

Environment besides libpq's own (PG*):
  MLFLOW_BACKEND_STORE_URI  default postgresql+psycopg2://
  IMPORT_SOURCE             the folder mlruns, which is only read
  IMPORT_FOLDER             where a working copy goes: its files besides artifacts, and a SQLite file
  IMPORT_LOCATION_RULES     JSON, [["old prefix", "new prefix"], ...]: the first that fits a location counts
  IMPORT_REPAIRS            names of repairs, with commas: renumber-experiments, drop-orphans, replace-nul
  IMPORT_EXISTING_DATA      refuse (default), or replace: delete what is there, in the same transaction
  IMPORT_DRY_RUN            true: do everything, and roll it back
  IMPORT_DEADLINE_SECONDS   how long to wait for servers to stop and for the lock (default 600)

Last line on stdout when it ends well:
  import-file-store: imported|already-imported|dry-run: <n> rows in <n> tables, digest <16 digits>, in <s> s

Exit codes: 0 done; 1 failed (the cause is named); 3 the deadline passed, or others use the tables; 4 the
schema of the database is newer than this image, or the image has no migrate-filestore; 5 the database has
data already; 6 the source cannot be imported as it is; 143 stopped by SIGTERM. The line of a failure is also
the termination message. Whatever the code, and if it is killed: one transaction, so that nothing is
half-done, and it can be started again.
"""

from __future__ import annotations

import sys
from pathlib import Path

from file_store_copy import (
    Files,
    check_same_files,
    copy_files,
    correct_assessments,
    drop_incomplete,
    files_of,
    migrate_files,
    prepare_files,
)
from file_store_objects import check_same, counts_of, file_digests, sql_digests
from import_engine import Say, Source, main
from import_fit import DROP_ORPHANS
from import_settings import Settings
from init_container import one_line, required
from mlflow_schema import Revisions
from working_copy import new_copy

PROGRAM = "import-file-store"


class FileStoreFolder(Source):
    def __init__(self) -> None:
        self._path = Path(required("IMPORT_SOURCE"))
        self._files: Files = {}

    def make_copy(self, settings: Settings, image: Revisions, say: Say) -> Path:
        self._files = files_of(self._path)
        store = copy_files(self._path, settings.folder, self._files)
        say(f"copied {self._path}: {len(self._files)} files, without artifacts")
        for line in drop_incomplete(store, DROP_ORPHANS in settings.repairs):
            say(f"source: {line}")
        expected = file_digests(store)
        say(f"source: {counts_of(expected)}")
        copy = new_copy(settings.folder)
        for line in prepare_files(store):
            say(f"source: {line}")
        migrate_files(store, copy)
        for line in correct_assessments(store, copy):
            say(f"source: {line}")
        check_same(expected, sql_digests(copy))
        say("source: MLflow reads the same of the file store and of its copy")
        return copy

    def check_unchanged(self) -> None:
        check_same_files(self._path, self._files)

    def explain(self, error: Exception) -> str | None:
        if type(error).__module__.partition(".")[0] in ("yaml", "mlflow"):
            text = one_line(str(error))
            return f"unreadable: MLflow's file store: {text}. Correct or delete the file in the old store"
        return None


if __name__ == "__main__":
    sys.exit(main(PROGRAM, sys.argv[1:], FileStoreFolder))
