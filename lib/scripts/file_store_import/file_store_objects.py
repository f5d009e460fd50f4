"""What MLflow's own stores tell of all that is in them, to compare a file store with its copy in SQLite."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any, Callable

from working_copy import UnusableSource

# A file store reads all of its files for each page.
_PAGE = 50_000
_MODELS_PAGE = 1_000
_PROMPTS = ("tags.`mlflow.prompt.is_prompt` = 'true'", None)
_SHOWN = 5
_LARGEST = 1.7976931348623157e308

# What one of the stores takes from elsewhere, or does not know.
_FROM_VERSIONS = {"latest_versions": None, "workspace": None}
_FROM_MODEL = {"aliases": None, "workspace": None, "metrics": None, "params": None}

# A digest for each object, by kind and name.
Digests = dict[str, bytes]


def file_digests(store: Path) -> Digests:
    """By the store of files, and the points of metrics by the files themselves."""
    os.environ["MLFLOW_ALLOW_FILE_STORE"] = "true"
    import mlflow
    from mlflow.store.model_registry.file_store import FileStore as FileRegistry
    from mlflow.store.tracking.file_store import FileStore

    # Versions of models ask the store of the process, by default a file in the working directory.
    mlflow.set_tracking_uri(str(store))
    return _digests(FileStore(str(store)), FileRegistry(str(store)), _points_of_files(store))


def sql_digests(copy: Path) -> Digests:
    import mlflow
    from mlflow.store.model_registry.sqlalchemy_store import SqlAlchemyStore as SqlRegistry
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

    uri = f"sqlite:///{copy}"
    mlflow.set_tracking_uri(uri)
    tracking, registry = SqlAlchemyStore(uri, "/nowhere"), SqlRegistry(uri)
    try:
        return _digests(tracking, registry, lambda run: _points_of_sql(tracking, run))
    finally:
        tracking.engine.dispose()
        registry.engine.dispose()


def _points_of_files(store: Path) -> Callable[[str], list[Any]]:
    """Of each run, those that differ in anything: a SQL store keeps one of equal ones."""
    folders = {path.name: path for pattern in ("*/*", ".trash/*/*") for path in store.glob(pattern)}

    def points_of(run: str) -> list[Any]:
        points = set()
        folder = folders[run] / "metrics"
        for path in folder.rglob("*"):
            for line in path.read_text("utf-8").splitlines() if path.is_file() else []:
                timestamp, value, *step = line.split(" ")[:3]
                key = path.relative_to(folder).as_posix()
                points.add((key, int(timestamp), int(step[0]) if step else 0, _number(float(value))))
        return sorted(points)

    return points_of


def _points_of_sql(store: Any, run: str) -> list[Any]:
    from sqlalchemy import text

    value = "CASE WHEN is_nan THEN NULL ELSE value END"
    query = text(f"SELECT key, timestamp, step, {value} FROM metrics WHERE run_uuid = :run")
    with store.engine.connect() as connection:
        rows = connection.execute(query, {"run": run}).all()
    return sorted(
        (key, at, step, _number(math.nan if value is None else value)) for key, at, step, value in rows
    )


def counts_of(digests: Digests) -> str:
    kinds = [name.partition(" ")[0] for name in digests]
    return ", ".join(f"{kind} {kinds.count(kind)}" for kind in dict.fromkeys(kinds))


def check_same(files: Digests, copy: Digests) -> None:
    differ = sorted(name for name in files.keys() | copy.keys() if files.get(name) != copy.get(name))
    if differ:
        missing = sum(1 for name in differ if name not in copy)
        raise UnusableSource(
            f"unlike: {len(differ)} objects are not in the copy as the file store has them, {missing} of them"
            f" are missing: {', '.join(differ[:_SHOWN])}. Correct or delete these in the old store"
        )


def _digests(tracking: Any, registry: Any, points_of: Callable[[str], list[Any]]) -> Digests:
    return {
        name: sha256(repr(what).encode("utf-8", "surrogatepass")).digest()[:12]
        for name, what in (*_experiments(tracking, points_of), *_models(registry))
    }


def _experiments(store: Any, points_of: Callable[[str], list[Any]]) -> Iterator[tuple[str, Any]]:
    from mlflow.entities import ViewType

    for experiment in pages(store.search_experiments, _MODELS_PAGE, view_type=ViewType.ALL):
        number = experiment.experiment_id
        yield f"experiment {number}", _plain(experiment)
        for run in pages(store.search_runs, _PAGE, [number], None, ViewType.ALL):
            yield f"run {run.info.run_id}", (*_run(run), points_of(run.info.run_id))
        for trace in pages(store.search_traces, _PAGE, locations=[number]):
            full = store.get_trace_info(trace.trace_id)
            yield f"trace {trace.trace_id}", _plain(full.to_dict())
        for model in pages(store.search_logged_models, _PAGE, [number]):
            yield f"logged-model {model.model_id}", _plain(model.to_dictionary())
    # A search leaves them out. Garbage collections ask for them in this way.
    for model_id in store._get_deleted_logged_models():
        model = store.get_logged_model(model_id, allow_deleted=True)
        yield f"deleted-logged-model {model_id}", _plain(model.to_dictionary())


def _run(run: Any) -> tuple[Any, ...]:
    data, inputs, outputs = run.data, run.inputs, run.outputs
    return (
        _plain(run.info),
        _plain(data.params),
        _plain(data.tags),
        _plain({key: _number(value) for key, value in data.metrics.items()}),
        sorted(repr(_plain(each.to_dictionary())) for each in inputs.dataset_inputs or []),
        sorted(each.model_id for each in inputs.model_inputs or []),
        sorted((each.model_id, each.step) for each in (outputs.model_outputs if outputs else None) or []),
    )


def _models(registry: Any) -> Iterator[tuple[str, Any]]:
    for filtered in _PROMPTS:
        for model in pages(registry.search_registered_models, _MODELS_PAGE, filter_string=filtered):
            aliases = {alias: int(version) for alias, version in model.aliases.items()}
            yield (
                f"registered-model {model.name}",
                _plain({**dict(model), **_FROM_VERSIONS, "aliases": aliases}),
            )
        for version in pages(registry.search_model_versions, _PAGE, filter_string=filtered):
            yield f"version {version.name} {version.version}", _plain({**dict(version), **_FROM_MODEL})


def pages(search: Callable[..., Any], size: int, *args: Any, **options: Any) -> Iterator[Any]:
    token = None
    while True:
        page = search(*args, max_results=size, page_token=token, **options)
        # Some stores return a pair.
        page, token = page if isinstance(page, tuple) else (page, page.token)
        yield from page
        if not token:
            return


def _plain(entity: Any) -> Any:
    """Sorted, with all that it holds. Nothing and an empty text are the same; assessments are valid."""
    if isinstance(entity, dict):
        items = ((key, value) for key, value in entity.items() if (key, value) != ("valid", True))
        return sorted((key, _plain(value)) for key, value in items if value not in (None, "", [], {}))
    if isinstance(entity, (list, tuple)):
        return sorted((_plain(each) for each in entity), key=repr)
    if type(entity).__module__.startswith("mlflow."):
        return _plain(dict(vars(entity)))
    if isinstance(entity, float):
        return _number(entity)
    return entity


def _number(value: float) -> str:
    """As SQL stores keep it: no infinity, and no sign of zero."""
    return repr(value if math.isnan(value) else max(-_LARGEST, min(_LARGEST, value)) + 0.0)
