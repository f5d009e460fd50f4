from __future__ import annotations

import sqlite3
from pathlib import Path

import file_store_copy
import pytest
from file_store_copy import check_same_files, copy_files, drop_incomplete, files_of, prepare_files
from working_copy import UnusableSource, open_copy

RUN = "0/" + "a" * 32


@pytest.fixture
def store(tmp_path: Path) -> Path:
    folder = tmp_path / "old" / "mlruns"
    for path, content in {
        "0/meta.yaml": "name: Default",
        "0/tags/team": "ml",
        f"{RUN}/meta.yaml": "run_id: a",
        f"{RUN}/params/artifacts/depth": "3",
        f"{RUN}/metrics/loss": "1 0.5 0\n2 0.4 1\n",
        f"{RUN}/artifacts/model/weights": "large",
        "0/models/m-1/meta.yaml": "model_id: m-1",
        "0/models/m-1/artifacts/weights": "large",
        "0/traces/tr-1/trace_info.yaml": "trace_id: tr-1",
        "0/traces/tr-1/artifacts/traces.json": "{}",
        ".trash/7/meta.yaml": "name: gone",
        ".trash/7/b/artifacts/file": "large",
        "models/m/meta.yaml": "name: m",
        "models/m/version-1/meta.yaml": "version: 1",
        "models/artifacts/meta.yaml": "name: artifacts",
    }.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(content)
    return folder


def refused(call: object, *args: object) -> str:
    with pytest.raises(UnusableSource) as raised:
        list(call(*args) or ())  # type: ignore[operator]
    return str(raised.value)


def test_artifacts_are_none_of_its_files(store: Path) -> None:
    found = set(files_of(store))
    assert not [path for path in found if "weights" in path or "traces.json" in path or path.endswith("file")]
    assert {f"{RUN}/params/artifacts/depth", "models/artifacts/meta.yaml", ".trash/7/meta.yaml"} <= found
    assert len(found) == 11


def test_the_copy_is_the_same(store: Path, tmp_path: Path) -> None:
    files = files_of(store)
    copy = copy_files(store, tmp_path, files)
    assert {path: (copy / path).read_bytes() for path in files} == {
        path: (store / path).read_bytes() for path in files
    }
    assert set(files_of(copy)) == set(files)
    (copy / "left").touch()  # of a try before
    assert not (copy_files(store, tmp_path, files) / "left").exists()


def test_a_volume_that_is_too_small(store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = type("Usage", (), {"free": 10})
    monkeypatch.setattr(file_store_copy.shutil, "disk_usage", lambda folder: usage)
    text = refused(copy_files, store, tmp_path, files_of(store))
    assert text.startswith(f"no-space: {tmp_path} has 0 MiB, the copy needs 0 and as much again ")


@pytest.mark.parametrize(
    "change",
    [
        lambda store: (store / f"{RUN}/metrics/loss").write_text("3 0.3 2\n"),
        lambda store: (store / f"{RUN}/tags").mkdir() or (store / f"{RUN}/tags/new").touch(),
        lambda store: (store / "0/tags/team").unlink(),
    ],
)
def test_who_writes_is_noticed(store: Path, change: object) -> None:
    files = files_of(store)
    check_same_files(store, files)
    change(store)  # type: ignore[operator]
    text = refused(check_same_files, store, files)
    assert text.startswith("source-in-use: 0/")
    assert text.endswith(" changed while it was imported. Stop whoever writes to it")


def test_a_folder_that_is_not_there_or_another(store: Path) -> None:
    assert refused(files_of, store.with_name("runs")) == (
        f"no-source: there is no folder {store.with_name('runs')}; beside it: mlruns. Correct the path, which"
        " starts at the top of the volume"
    )
    assert refused(files_of, store / "models").startswith(
        f"not-mlflow: {store / 'models'} has no experiments"
    )


@pytest.mark.parametrize(
    ("path", "folder"),
    [
        (f"{RUN}/meta.yaml", RUN),
        ("0/models/m-1/meta.yaml", "0/models/m-1"),
        ("0/traces/tr-1/trace_info.yaml", "0/traces/tr-1"),
        (".trash/7/meta.yaml", ".trash/7"),
        ("models/m/version-1/meta.yaml", "models/m/version-1"),
    ],
)
def test_what_mlflow_does_not_show_is_named_or_left_out(store: Path, path: str, folder: str) -> None:
    assert list(drop_incomplete(store, False)) == []
    (store / path).write_bytes(b"")
    assert refused(drop_incomplete, store, False) == (
        f"incomplete: 1 folders have no meta.yaml, or an empty one, and MLflow does not show them: {folder}."
        " Restore the files or delete the folders in the old store, or allow drop-orphans"
    )
    assert list(drop_incomplete(store, True)) == [
        f"drop-orphans: 1 folders without a meta.yaml left out: {folder}"
    ]
    assert not (store / folder).exists()


def test_a_folder_of_something_else_beside_runs(store: Path) -> None:
    (store / "0" / "notes").mkdir()
    assert list(drop_incomplete(store, False)) == []
    (store / "0/models/m-1/meta.yaml").unlink()
    assert "0/models/m-1" in refused(drop_incomplete, store, False)


def test_points_that_were_logged_twice(store: Path) -> None:
    metric = store / f"{RUN}/metrics/loss"
    assert list(prepare_files(store)) == []
    metric.write_text("1 0.5 0\n2 0.4 1\n1 0.5 0\n1 0.5 1\n")
    assert list(prepare_files(store)) == [
        "1 points of metrics that were logged twice, with all that they say, are kept once"
    ]
    assert metric.read_text() == "1 0.5 0\n2 0.4 1\n1 0.5 1\n"


def test_carriage_returns_survive(store: Path, tmp_path: Path) -> None:
    param, meta = store / f"{RUN}/params/artifacts/depth", store / "0/meta.yaml"
    param.write_bytes(b"a\r\nb\rc")
    meta.write_bytes(b"name: x\r\n")
    assert list(prepare_files(store)) == []
    read = param.read_text("utf-8")  # as MLflow's migration reads it
    assert "\r" not in read and meta.read_bytes() == b"name: x\r\n"
    connection = open_copy(tmp_path / "copy.db")
    connection.execute("CREATE TABLE params (key VARCHAR(250), value TEXT, n BIGINT)")
    connection.execute("INSERT INTO params VALUES ('k', ?, 1)", (read,))
    file_store_copy._restore_returns(connection)
    assert connection.execute("SELECT value FROM params").fetchall() == [(b"a\r\nb\rc",)]


def test_ids_that_the_migration_makes_up_are_the_same_each_time(tmp_path: Path) -> None:
    def ids(name: str, dataset: str, one: str) -> list[tuple[object, ...]]:
        connection = open_copy(tmp_path / name)
        connection.executescript(
            "CREATE TABLE datasets (dataset_uuid TEXT, experiment_id INT, name TEXT, digest TEXT);"
            "CREATE TABLE inputs (input_uuid TEXT, source_type TEXT, source_id TEXT, destination_type TEXT,"
            " destination_id TEXT);"
            "CREATE TABLE input_tags (input_uuid TEXT, name TEXT)"
        )
        connection.execute("INSERT INTO datasets VALUES (?, 1, 'data', 'd1')", (dataset,))
        connection.execute("INSERT INTO inputs VALUES (?, 'DATASET', ?, 'RUN', 'r')", (one, dataset))
        connection.execute("INSERT INTO input_tags VALUES (?, 'context')", (one,))
        file_store_copy._repeat_ids(connection)
        joined = "datasets JOIN inputs ON source_id = dataset_uuid JOIN input_tags USING (input_uuid)"
        return connection.execute(f"SELECT dataset_uuid, input_uuid FROM {joined}").fetchall()

    first, second = ids("1.db", "x", "y"), ids("2.db", "v", "w")
    assert len(first) == 1 and first == second


def test_sqlite_is_new_enough() -> None:
    assert sqlite3.sqlite_version_info >= (3, 33)  # UPDATE ... FROM
