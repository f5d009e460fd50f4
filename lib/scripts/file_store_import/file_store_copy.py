"""A working copy of a file store in SQLite, by MLflow's own `migrate-filestore`.

The files besides artifacts are copied first. So nothing is written to the old volume, and what the migration
would lose or stumble over can be prepared: carriage returns, and points of metrics that were logged twice.
"""

from __future__ import annotations

import gc
import io
import logging
import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, redirect_stdout
from pathlib import Path
from uuid import NAMESPACE_URL, uuid5

from exit_codes import WRONG_VERSION
from file_store_objects import pages
from import_fit import DROP_ORPHANS
from import_plan import quoted
from init_container import Failure
from working_copy import UnusableSource, open_copy

# Size and time of change of each file, by its path.
Files = dict[str, tuple[int, int]]
_TRASH, _TEXTS, _POINTS = ".trash", ("params", "tags", "request_metadata"), "metrics"
# Python reads a carriage return as the end of a line. This is no character, so no text has it.
_RETURN = "\ufdd0"
# What describes a folder.
_DESCRIBED = {
    "[0-9]*": "meta.yaml",
    "[0-9]*/[!.]*": "meta.yaml",
    "[0-9]*/models/*": "meta.yaml",
    "[0-9]*/traces/*": "trace_info.yaml",
    "models/*": "meta.yaml",
    "models/*/version-*": "meta.yaml",
}
_SHOWN = 5


class NoMigration(Failure):
    code = WRONG_VERSION


def files_of(source: Path) -> Files:
    """Those of the store itself, without artifacts."""
    if not source.is_dir():
        beside = sorted(each.name for each in source.parent.iterdir()) if source.parent.is_dir() else []
        raise UnusableSource(
            f"no-source: there is no folder {source}; beside it: {', '.join(beside[:10]) or 'nothing'}."
            " Correct the path, which starts at the top of the volume"
        )
    found: Files = {}
    for folder, folders, names in os.walk(source, onerror=_refuse):
        place = Path(folder).relative_to(source)
        folders[:] = sorted(name for name in folders if not _is_artifacts(place / name))
        for name in names:
            state = os.stat(os.path.join(folder, name))
            found[str(place / name)] = (state.st_size, state.st_mtime_ns)
    if not any(_is_experiment(path) for path in found):
        raise UnusableSource(
            f"not-mlflow: {source} has no experiments: no folder with a number and a meta.yaml in it. Name"
            " the folder mlruns"
        )
    return found


def copy_files(source: Path, folder: Path, files: Files) -> Path:
    """The copy, as it is. Fails if the source changes meanwhile."""
    needed, free = sum(size for size, _ in files.values()), shutil.disk_usage(folder).free
    if free < needed:
        raise UnusableSource(
            f"no-space: {folder} has {free >> 20} MiB, the copy needs {needed >> 20} and as much again for"
            " the SQLite file. Make the working copy's volume larger"
        )
    target = folder / "store" / "mlruns"
    shutil.rmtree(target.parent, ignore_errors=True)
    for path in files:
        copy = target / path
        copy.parent.mkdir(parents=True, exist_ok=True)
        try:
            shutil.copyfile(source / path, copy)
        except PermissionError:
            raise UnusableSource(
                f"no-access: user {os.getuid()} may not read {source / path}. chmod -R a+rX the folder"
            ) from None
    check_same_files(source, files)
    return target


def check_same_files(source: Path, before: Files) -> None:
    now = files_of(source)
    changed = sorted(path for path in before.keys() | now.keys() if before.get(path) != now.get(path))
    if changed:
        raise UnusableSource(
            f"source-in-use: {', '.join(changed[:_SHOWN])} changed while it was imported. Stop whoever writes"
            " to it"
        )


def drop_incomplete(store: Path, allowed: bool) -> Iterator[str]:
    """Folders that MLflow does not show, since what describes them is missing or empty."""
    found = [
        folder
        for pattern, name in _DESCRIBED.items()
        for each in (pattern, f"{_TRASH}/{pattern}")
        for folder in sorted(store.glob(each))
        if folder.is_dir() and _is_incomplete(folder, name)
    ]
    if not found:
        return
    shown = ", ".join(str(folder.relative_to(store)) for folder in found[:_SHOWN])
    if not allowed:
        raise UnusableSource(
            f"incomplete: {len(found)} folders have no meta.yaml, or an empty one, and MLflow does not show"
            f" them: {shown}. Restore the files or delete the folders in the old store, or allow drop-orphans"
        )
    for folder in found:
        shutil.rmtree(folder, ignore_errors=True)
    yield f"{DROP_ORPHANS}: {len(found)} folders without a meta.yaml left out: {shown}"


def _is_incomplete(folder: Path, name: str) -> bool:
    file = folder / name
    # Folders of something else may lie beside runs.
    return file.stat().st_size == 0 if file.exists() else not _may_be_other(folder)


def _may_be_other(folder: Path) -> bool:
    return folder.parent.name.isdigit()


def prepare_files(store: Path) -> Iterator[str]:
    """What MLflow's migration would lose or refuse. Yields the lines of the report."""
    twice = 0
    for path in sorted(each for each in store.rglob("*") if each.is_file()):
        kind = _kind(path.relative_to(store))
        content = path.read_bytes()
        if kind in _TEXTS and b"\r" in content:
            path.write_bytes(content.replace(b"\r", _RETURN.encode()))
        elif kind == _POINTS:
            lines = content.splitlines()
            kept = list(dict.fromkeys(lines))
            if len(kept) < len(lines):
                twice += len(lines) - len(kept)
                path.write_bytes(b"".join(line + b"\n" for line in kept))
    if twice:
        yield f"{twice} points of metrics that were logged twice, with all that they say, are kept once"


def migrate_files(store: Path, copy: Path) -> None:
    """MLflow's own migration, whose warnings are errors here: it leaves out what it warns of."""
    try:
        from mlflow.store.fs2db import migrate
    except ImportError:
        raise NoMigration(
            "no-migration: this image's MLflow has no migrate-filestore. Use MLflow 3.17 or later"
        ) from None
    from sqlalchemy.exc import IntegrityError

    warnings = _Warnings()
    logger = logging.getLogger("mlflow.store.fs2db")
    logger.addHandler(warnings)
    try:
        with redirect_stdout(io.StringIO()):
            migrate(store.parent, f"sqlite:///{copy}", progress=False)
    except (IntegrityError, ValueError, KeyError) as error:
        # SQLAlchemy shows the statement and all values behind the first line.
        text = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise UnusableSource(
            f"unreadable: MLflow's migration fails: {text}. Correct the file in the old store"
        ) from None
    finally:
        logger.removeHandler(warnings)
    if warnings.texts:
        more = f"; and {len(warnings.texts) - _SHOWN} more" if len(warnings.texts) > _SHOWN else ""
        shown = "; ".join(warnings.texts[:_SHOWN]).replace(str(store), "mlruns")
        raise UnusableSource(
            f"unreadable: MLflow's migration leaves out what it cannot read: {shown}{more}. Correct or delete"
            " these in the old store"
        )
    gc.collect()  # the migration leaves its connection to the collector, and that holds the log
    with closing(open_copy(copy)) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
        connection.execute("BEGIN")
        _restore_returns(connection)
        _repeat_ids(connection)
        connection.execute("COMMIT")


def correct_assessments(store: Path, copy: Path) -> Iterator[str]:
    """MLflow's migration forgets when an assessment was made, and values that are no single text or number.

    Without the latter, the server cannot list the traces of the experiment any more.
    """
    from mlflow.entities import ViewType
    from mlflow.store.tracking.dbmodels.models import SqlAssessments
    from mlflow.store.tracking.file_store import FileStore
    from sqlalchemy import create_engine, pool
    from sqlalchemy.orm import Session

    files, corrected = FileStore(str(store)), 0
    columns = set(SqlAssessments.__table__.columns.keys()) - {"experiment_id", "trace_timestamp_ms", "valid"}
    engine = create_engine(f"sqlite:///{copy}", poolclass=pool.NullPool)
    with Session(engine) as session:
        for experiment in pages(files.search_experiments, 1000, view_type=ViewType.ALL):
            for trace in pages(files.search_traces, 50_000, locations=[experiment.experiment_id]):
                for assessment in trace.assessments:
                    row = session.get(SqlAssessments, assessment.assessment_id)
                    made = SqlAssessments.from_mlflow_entity(assessment)
                    for column in columns if row else ():
                        setattr(row, column, getattr(made, column))
                    corrected += 1
            session.flush()
            session.expunge_all()
        session.commit()
    engine.dispose()
    if corrected:
        yield f"{corrected} assessments have their times and values, which MLflow's migration forgets"


def _repeat_ids(connection: sqlite3.Connection) -> None:
    """The same ids of datasets and inputs each time, which MLflow's migration makes up."""
    connection.create_function(
        "repeated", -1, lambda *names: uuid5(NAMESPACE_URL, repr(names)).hex, deterministic=True
    )
    dataset = "repeated(experiment_id, name, digest)"
    connection.execute(
        f"UPDATE inputs SET source_id = new FROM (SELECT dataset_uuid AS old, {dataset} AS new FROM datasets)"
        " WHERE source_type = 'DATASET' AND source_id = old"
    )
    connection.execute(f"UPDATE datasets SET dataset_uuid = {dataset}")
    connection.execute(
        "CREATE TEMP TABLE renamed AS SELECT input_uuid AS old, repeated(source_type, source_id,"
        " destination_type, destination_id) AS new FROM inputs"
    )
    for table in ("input_tags", "inputs"):
        connection.execute(
            f"UPDATE {table} SET input_uuid = r.new FROM renamed AS r WHERE input_uuid = r.old"
        )


class _Warnings(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.texts.append(" ".join(record.getMessage().split()))


def _restore_returns(connection: sqlite3.Connection) -> None:
    tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
    for (table,) in tables:
        name = quoted(table.decode())
        columns = [
            quoted(column.decode())
            for _, column, kind, _, _, _, hidden in connection.execute(f"PRAGMA table_xinfo({name})")
            if hidden < 2 and (b"CHAR" in kind.upper() or b"TEXT" in kind.upper())
        ]
        for column in columns:
            update = f"UPDATE {name} SET {column} = replace({column}, :mark, char(13))"
            connection.execute(f"{update} WHERE instr({column}, :mark)", {"mark": _RETURN})


def _refuse(error: OSError) -> None:
    raise UnusableSource(
        f"no-access: user {os.getuid()} may not read {error.filename}. chmod -R a+rX the folder"
    )


def _parts(path: Path) -> tuple[str, ...]:
    """Below the folder of experiments, whether they are deleted or not."""
    return path.parts[1:] if path.parts[:1] == (_TRASH,) else path.parts


def _is_experiment(path: str) -> bool:
    parts = _parts(Path(path))
    return len(parts) == 2 and parts[0].isdigit() and parts[1] == "meta.yaml"


def _owner(parts: tuple[str, ...]) -> int:
    """How many parts name what a folder belongs to: an experiment, a run, a trace, a model or its version."""
    if parts[0] == "models":
        return 3 if parts[2:3] and parts[2].startswith("version-") else 2
    if parts[1:2] in (("models",), ("traces",)):
        return 3
    return 1 if parts[1:2] == ("tags",) else 2


def _kind(path: Path) -> str:
    """`params`, `tags`, `metrics` and so on, for a file in such a folder of a run, a model and so on."""
    parts = _parts(path)
    owner = _owner(parts)
    return parts[owner] if len(parts) > owner + 1 else ""


def _is_artifacts(path: Path) -> bool:
    parts = _parts(path)
    return (
        len(parts) > 2
        and parts[0] != "models"
        and len(parts) == _owner(parts) + 1
        and parts[-1] == "artifacts"
    )
