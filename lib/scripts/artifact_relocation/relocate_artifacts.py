"""Copy all artifacts to another store, and then change every location in the database, in one transaction.

The files that are moved come from read_artifacts.py, in another container. They are only read.

Environment besides libpq's own (PG*):
  MLFLOW_BACKEND_STORE_URI     default postgresql+psycopg2://
  RELOCATION_TARGET            where the artifacts go: the store's folder or URI
  RELOCATION_EXCHANGE          the folder that both containers mount
  RELOCATION_RULES             JSON, [["old prefix", "new prefix", "what the server calls that"], ...]
  RELOCATION_REQUIRED_RULES    how many of them, from the first, have to fit a location (default 0)
  RELOCATION_EXISTING_FILES    refuse (default), or replace: what the target has with another content
  RELOCATION_DRY_RUN           true: count, and change nothing
  RELOCATION_DEADLINE_SECONDS  how long to wait for servers to stop and for the lock (default 600)

Last line on stdout when it ends well:
  relocate-artifacts: moved|dry-run, nothing was changed: <n> files, <n> bytes, <n> of them there before,
  <n> locations, in <s> s

Exit codes: 0 done; 1 failed (the cause is named); 3 the deadline passed, or others use the tables; 4 the
schema is not this image's; 5 the target has other files; 6 the source cannot be moved as it is; 143 stopped
by SIGTERM. The line of a failure is also the termination message. Whatever the code, and if it is killed: the
locations are all old or all new, the old files are as they were, and it can be started again.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import time
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from contextlib import closing, contextmanager
from pathlib import Path
from threading import Lock
from typing import Any, Callable, NamedTuple
from uuid import uuid4

from artifact_files import SOCKET, ArtifactFiles, Fetched, File, Listing, offered
from artifact_locations import PLACES, Count, Rule, check_matches, on_postgres, rewrite_locations
from database_errors import fail_with
from database_lock import take_lock, ticks
from database_writers import lock_tables, servers, wait_for_servers
from exit_codes import BAD_SOURCE, DONE, FAILED, HAS_DATA
from init_container import BadSetting, Failure, fail, one_line, prepare, redact, required, seconds_from
from mlflow_schema import check_current, connect, store_uri

PROGRAM = "relocate-artifacts"
DEADLINE = "RELOCATION_DEADLINE_SECONDS"
_THREADS = 8
_SECONDS = 10.0
_COLUMNS = """
SELECT relname, attname FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid
WHERE pg_class.oid = ANY (SELECT to_regclass(name) FROM unnest(%s) AS name)
  AND attnum > 0 AND NOT attisdropped
"""


class BadFiles(Failure):
    code = BAD_SOURCE


class OtherContent(Failure):
    code = HAS_DATA


class Settings(NamedTuple):
    uri: str
    target: str
    exchange: Path
    rules: list[Rule]
    required: int
    replace: bool
    dry_run: bool
    seconds: float


class Total:
    """What was found so far, with a line every ten seconds."""

    def __init__(self) -> None:
        self._lock, self._said = Lock(), time.monotonic()
        self.files = self.bytes = self.before = 0

    def add(self, file: File, was_there: bool) -> None:
        with self._lock:
            self.files += 1
            self.bytes += file.size
            self.before += was_there
            if time.monotonic() - self._said >= _SECONDS:
                self._said = time.monotonic()
                say(f"copied so far, with what was there: {self}")

    def __str__(self) -> str:
        return f"{self.files} files, {self.bytes} bytes, {self.before} of them there before"


def say(line: str) -> None:
    print(f"{PROGRAM}: {one_line(redact(line))}", flush=True)


class Relocation:
    def __init__(self, settings: Settings, source: Any, target: ArtifactFiles) -> None:
        self._settings, self._source, self._target = settings, source, target
        self.total = Total()

    def count(self) -> None:
        """By size only: nothing is read."""

        def compare(file: File, there: int | None) -> None:
            self.total.add(file, there == file.size)

        self._walk(compare)

    def copy(self) -> None:
        self._walk(self._bring)

    def verify(self) -> None:
        """Once more by what is listed: also what came to the source since is at the target."""
        missing: list[str] = []
        found = Total()

        def compare(file: File, there: int | None) -> None:
            found.add(file, True)
            if there != file.size:
                missing.append(file.path)

        self._walk(compare)
        if missing or (found.files, found.bytes) != (self.total.files, self.total.bytes):
            changed = ", ".join(sorted(missing)[:5]) or f"{self.total.files} files were {found.files}"
            raise BadFiles(
                f"changed: the artifacts changed while they were copied: {changed}. Stop every client that"
                " writes to the store itself, and start again. No location was changed"
            )

    def _walk(self, use: Callable[[File, int | None], None]) -> None:
        """Calls for each file, with the size that it has at the target."""
        folders, running = [""], set()
        with ThreadPoolExecutor(_THREADS) as pool:
            while folders or running:
                while folders and len(running) < _THREADS:
                    running.add(pool.submit(self._visit, folders.pop(), use))
                done, running = wait(running, return_when=FIRST_COMPLETED)
                for each in done:
                    folders += each.result()

    def _visit(self, folder: str, use: Callable[[File, int | None], None]) -> list[str]:
        at = folder
        try:
            here: Listing = self._source.list(folder)
            there = dict(self._target.list(folder).files) if here.files else {}
            for file in here.files:
                at = file.path
                use(file, there.get(file.path))
            return here.folders
        except Failure:
            raise
        except Exception as error:
            raise Failure(
                f"artifacts: {at or 'the top folder'}: {type(error).__name__}: {one_line(str(error))}. Look"
                " at the credentials and the addresses of both stores. No location was changed"
            ) from error

    def _bring(self, file: File, there: int | None) -> None:
        with self._folder() as own:
            fetched: Fetched = self._source.fetch(file.path, str(own / "source"))
            stored = self._target.fetch(file.path, str(own / "before")) if there is not None else None
            was_there = stored is not None and stored.digest == fetched.digest
            if not was_there:
                if stored is not None and not self._settings.replace and not _begins(fetched, stored):
                    raise OtherContent(
                        f"other-content: the target has {file.path} with another content: {stored.size} bytes"
                        f" instead of {fetched.size}. Move into an empty folder, or let the files be replaced"
                    )
                self._target.store(fetched.file, file.path)
                fetched.file.unlink()  # before the next copy of it: files may be large
                again = self._target.fetch(file.path, str(own / "after"))
                if again.digest != fetched.digest:
                    raise Failure(
                        f"different: {file.path}: {fetched.size} bytes were sent, and other {again.size} are"
                        " stored. Start again. No location was changed"
                    )
        self.total.add(File(file.path, fetched.size), was_there)

    @contextmanager
    def _folder(self) -> Iterator[Path]:
        own = self._settings.exchange / uuid4().hex
        own.mkdir()
        try:
            yield own
        finally:
            shutil.rmtree(own, ignore_errors=True)


def _begins(whole: Fetched, part: Fetched) -> bool:
    """Whether a file is the first part of another: an older MLflow writes to a volume like that."""
    with whole.file.open("rb") as left, part.file.open("rb") as right:
        while block := right.read(1 << 20):
            if left.read(len(block)) != block:
                return False
    return part.size < whole.size


def relocate(settings: Settings) -> str:
    started = time.monotonic()
    check_current(settings.uri)
    relocation = Relocation(settings, wait_for_source(settings.exchange), ArtifactFiles(settings.target))
    with closing(connect(settings.uri)) as lock:
        if not settings.dry_run:
            wait_for_servers(lock, settings.seconds, PROGRAM, DEADLINE)
            take_lock(lock, settings.seconds, PROGRAM, DEADLINE)
            relocation.copy()
            say(f"copied {relocation.total}. Comparing")
            relocation.verify()
        else:
            relocation.count()
        if relocation.total.files == 0:
            raise BadFiles("no-files: there is no file where the artifacts should be. Correct `source`")
        counts = rewrite(settings, lock)
    did = "dry-run, nothing was changed" if settings.dry_run else "moved"
    changed = sum(count.rows for count in counts if count.rule)
    seconds = time.monotonic() - started
    return f"{did}: {relocation.total}, {changed} locations, in {seconds:.1f} s"


def rewrite(settings: Settings, lock: Any) -> list[Count]:
    with closing(connect(settings.uri)) as connection, connection.cursor() as cursor:
        cursor.execute(_COLUMNS, (sorted({place.table for place in PLACES}),))
        columns = set(cursor.fetchall())
        if not settings.dry_run:
            lock.cursor().execute("SELECT 1")  # It is still held.
            lock_tables(connection, sorted({table for table, _ in columns}))
            check_no_server(settings)
        execute = on_postgres(cursor)
        counts = rewrite_locations(execute, columns, settings.rules, settings.dry_run)
        for count in counts:
            say(str(count))
        # What an attempt has moved that was killed after its commit.
        arrived = rewrite_locations(execute, columns, [Rule(new, new) for _, new, _ in settings.rules], True)
        new = {count.rule.new for count in arrived if count.rule}
        check_matches(counts, [rule for rule in settings.rules[: settings.required] if rule.new not in new])
        connection.commit()
        return counts


def check_no_server(settings: Settings) -> None:
    with closing(connect(settings.uri)) as connection:
        if servers(connection):
            raise Failure(
                "server-started: an MLflow server started while the artifacts were copied, and may have added"
                " to them. Set its replicas to 0, and start again. No location was changed"
            )


def wait_for_source(exchange: Path) -> Any:
    for _ in ticks(120):
        if (exchange / SOCKET).exists():
            return offered(exchange)
    raise Failure("no-source: the container read-artifacts does not answer. Look at its log")


def read_settings() -> Settings:
    try:
        rules = [Rule(*each) for each in json.loads(required("RELOCATION_RULES"))]
    except (TypeError, ValueError) as error:
        raise BadSetting(f"RELOCATION_RULES must be JSON, [[old, new, stored], ...]: {error}") from None
    return Settings(
        store_uri(),
        required("RELOCATION_TARGET"),
        Path(required("RELOCATION_EXCHANGE")),
        rules,
        int(os.environ.get("RELOCATION_REQUIRED_RULES") or 0),
        os.environ.get("RELOCATION_EXISTING_FILES") == "replace",
        os.environ.get("RELOCATION_DRY_RUN") == "true",
        seconds_from(DEADLINE, 600),
    )


def main(arguments: list[str]) -> int:
    prepare(PROGRAM)
    if arguments:
        return fail(f"{PROGRAM}: bad-settings: arguments {arguments}. Give none", FAILED)
    try:
        say(relocate(read_settings()))
        return DONE
    except Exception as error:
        return fail_with(PROGRAM, error)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
