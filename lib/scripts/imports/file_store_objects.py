"""What MLflow's own stores tell of everything in them, to compare a file store with its copy in SQLite."""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Callable

from sqlite_copy import UnusableSource

_PAGE = 1000
_SHOWN = 5
_LARGEST = 1.7976931348623157e308
# A SQL store has columns for these: it adds them to what it shows, or shows numbers anew.
_COMPUTED = ("mlflow.trace.sizeBytes", "mlflow.trace.sizeStats")


def file_objects(store: Path) -> Iterator[tuple[str, Any]]:
    import os

    os.environ["MLFLOW_ALLOW_FILE_STORE"] = "true"
    from mlflow.store.model_registry.file_store import FileStore as FileRegistry
    from mlflow.store.tracking.file_store import FileStore

    yield from _objects(FileStore(str(store)), FileRegistry(str(store)))


def sql_objects(copy: Path) -> Iterator[tuple[str, Any]]:
    from mlflow.store.model_registry.sqlalchemy_store import SqlAlchemyStore as SqlRegistry
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

    uri = f"sqlite:///{copy}"
    tracking, registry = SqlAlchemyStore(uri, "/nowhere"), SqlRegistry(uri)
    try:
        yield from _objects(tracking, registry)
    finally:
        tracking.engine.dispose()
        registry.engine.dispose()
