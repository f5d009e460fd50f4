from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace

import mlflow_schema
import pytest
from init_container import BadSetting
from mlflow_schema import NewerSchema, Revisions, Schema, UnusableSchema, decide, read_revisions

IMAGE = Revisions("c3", frozenset({"a1", "b2", "c3"}))


def write(folder: Path, **scripts: str) -> Path:
    for name, text in scripts.items():
        (folder / f"{name}.py").write_text(text)
    return folder


def step(revision: str, down: object) -> str:
    return f'"""Why."""\nimport not_to_be_imported\n\nrevision = "{revision}"\ndown_revision = {down!r}\n'


def test_reads_the_history_without_executing_it(tmp_path: Path) -> None:
    write(tmp_path, one=step("a1", None), two=step("b2", "a1"), three=step("c3", "b2"), __init__="")
    assert read_revisions(tmp_path) == IMAGE


def test_reads_annotations_and_merges(tmp_path: Path) -> None:
    write(tmp_path, one=step("a1", None), two=step("b2", "a1"), three=step("x2", "a1"))
    write(tmp_path, four='revision: str = "c3"\ndown_revision: tuple = ("b2", "x2")\n')
    assert read_revisions(tmp_path) == Revisions("c3", frozenset({"a1", "b2", "x2", "c3"}))


@pytest.mark.parametrize(
    "scripts",
    [
        {},
        {"one": step("a1", None), "two": step("b2", None)},  # two heads
        {"two": step("b2", "a1")},  # a parent that is not there
        {"one": "import os\n"},
        {"one": "revision = make()\n"},
        {"one": "revision = (\n"},
    ],
)
def test_asks_mlflow_where_the_scripts_look_different(
    scripts: dict, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    versions = tmp_path / "store" / "db_migrations" / "versions"
    versions.mkdir(parents=True)
    write(versions, **scripts)
    monkeypatch.setattr(mlflow_schema, "package_folder", lambda: tmp_path)
    monkeypatch.setattr(mlflow_schema, "_ask_mlflow", lambda: IMAGE)
    assert mlflow_schema.image_revisions() == IMAGE


def test_agrees_with_the_mlflow_that_is_installed() -> None:
    pytest.importorskip("mlflow")
    assert read_revisions(
        mlflow_schema.package_folder() / "store/db_migrations/versions"
    ) == mlflow_schema._ask_mlflow()  # fmt: skip


def test_the_functions_used_of_mlflow_exist() -> None:
    pytest.importorskip("mlflow")
    from mlflow.store.db.utils import _initialize_tables, _upgrade_db
    from mlflow.tracking._tracking_service.utils import _get_sqlalchemy_store

    assert _initialize_tables.__code__.co_varnames[:1] == _upgrade_db.__code__.co_varnames[:1] == ("engine",)
    assert _get_sqlalchemy_store.__code__.co_varnames[:2] == ("store_uri", "artifact_uri")


@pytest.mark.parametrize(
    ("schema", "action"),
    [
        (Schema(None, False, False), "initialised"),
        (Schema(None, True, False), "upgraded"),  # MLflow 0.9, or a run killed after the first tables
        (Schema("a1", True, True), "upgraded"),
        (Schema("c3", True, True), "up-to-date"),
        (Schema("c3", True, False), "up-to-date"),
    ],
)
def test_decides_what_there_is_to_do(schema: Schema, action: str) -> None:
    assert decide(schema, IMAGE) == action


def test_refuses_a_newer_schema() -> None:
    with pytest.raises(NewerSchema) as caught:
        decide(Schema("d4", True, True), IMAGE)
    assert str(caught.value) == (
        "newer-schema: the database is at revision d4, which this image does not know: its newest is c3."
        " Run the newer MLflow image that made it, or restore the backup from before that upgrade."
        " Nothing was touched"
    )


@pytest.mark.parametrize(("revision", "cause"), [("d4", "not-mlflow"), ("c3", "damaged-schema")])
def test_refuses_a_revision_without_mlflows_tables(revision: str, cause: str) -> None:
    with pytest.raises(UnusableSchema, match=f"^{cause}: .*{revision}") as caught:
        decide(Schema(revision, False, False), IMAGE)
    assert not isinstance(caught.value, NewerSchema)


@pytest.mark.parametrize(
    ("uri", "dsn"),
    [
        ("postgresql+psycopg2://", "postgresql://"),
        ("postgresql://", "postgresql://"),
        ("postgres:///other", "postgresql:///other"),
    ],
)
def test_connects_with_libpqs_environment(uri: str, dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg2", SimpleNamespace(connect=lambda dsn, **options: dsn))
    assert mlflow_schema.connect(uri) == dsn


def test_refuses_another_database_and_does_not_repeat_its_uri(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg2", SimpleNamespace())
    with pytest.raises(BadSetting) as caught:
        mlflow_schema.connect("mysql://u:secret@db/mlflow")
    assert str(caught.value) == "MLFLOW_BACKEND_STORE_URI must begin with postgresql+psycopg2://"
