"""Everything that MLflow's API tells of a store, as text to compare: no object missing, none different."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from mlflow import MlflowClient
from mlflow.entities import Experiment, Run, ViewType
from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

Objects = dict[str, str]


def objects_of(uri: str, change: Callable[[str], str] = str) -> Objects:
    """By kind and identity. `change` is applied to each text, for what is meant to differ."""
    client, store = MlflowClient(uri, uri), SqlAlchemyStore(uri, "/nowhere")
    experiments = list(pages(client.search_experiments, view_type=ViewType.ALL))
    found: Objects = {}
    for experiment in experiments:
        found[f"experiment {experiment.experiment_id}"] = text(experiment)
        runs = list(pages(client.search_runs, [experiment.experiment_id], run_view_type=ViewType.ALL))
        found.update((f"run {run.info.run_id}", text(run)) for run in runs)
        found.update(histories(store, runs))
        found.update(more(client, experiment))
    for model in pages(client.search_registered_models):
        found[f"registered model {model.name}"] = text(model)
        for version in pages(client.search_model_versions, f"name = '{model.name}'"):
            found[f"version {model.name} {version.version}"] = text(version)
        for alias in model.aliases:
            found[f"alias {model.name} {alias}"] = text(client.get_model_version_by_alias(model.name, alias))
    store.engine.dispose()
    return {name: change(each) for name, each in found.items()}


def histories(store: SqlAlchemyStore, runs: list[Run]) -> Iterator[tuple[str, str]]:
    """Each point of each metric."""
    names = sorted({name for run in runs for name in run.data.metrics})
    for start in range(0, len(runs), 50):
        ids = [run.info.run_id for run in runs[start : start + 50]]
        for name in names:
            for point in store.get_metric_history_bulk(ids, name, max_results=10**6):
                yield (
                    f"point {point.run_id} {name} {point.step} {point.timestamp} {point.value!r}",
                    text(point),
                )


def more(client: MlflowClient, experiment: Experiment) -> Iterator[tuple[str, str]]:
    """Traces with their spans and assessments, and logged models."""
    found = pages(
        client.search_traces, locations=[experiment.experiment_id], include_spans=False, max_results=100
    )
    for trace in found:
        full = client.get_trace(trace.info.trace_id)
        assert full.data.spans
        yield f"trace {full.info.trace_id}", repr(full.to_dict())
    for model in pages(client.search_logged_models, [experiment.experiment_id]):
        yield f"logged model {model.model_id}", repr(model.to_dictionary())


def pages(search: Callable, *args: object, **options: object) -> Iterator:
    token = None
    while True:
        page = search(*args, page_token=token, **options)
        yield from page
        token = page.token
        if not token:
            return


def text(entity: object) -> str:
    """All that it holds, inside of what it holds too. NaN is equal to NaN as text."""
    if isinstance(entity, dict):
        return "{" + ", ".join(f"{key!r}: {text(entity[key])}" for key in sorted(entity, key=str)) + "}"
    if isinstance(entity, (list, tuple)):
        return "[" + ", ".join(sorted(map(text, entity))) + "]"
    if hasattr(entity, "__dict__") and type(entity).__module__.startswith("mlflow."):
        return type(entity).__name__ + text(vars(entity))
    return repr(entity)


def differences(expected: Objects, found: Objects) -> list[str]:
    """The names of objects that are missing, too many, or different."""
    return sorted(
        f"{name}: {expected.get(name)} is {found.get(name)}"
        for name in expected.keys() | found.keys()
        if expected.get(name) != found.get(name)
    )
