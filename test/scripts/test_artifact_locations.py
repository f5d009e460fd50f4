from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest
from artifact_locations import PLACES, Rule, UnknownPrefix, check_matches, rewrite_locations

COLUMNS = {
    ("runs", "artifact_uri"),
    ("model_versions", "source"),
    ("model_versions", "storage_location"),
    ("datasets", "dataset_source"),
    ("trace_tags", "value"),
}


def database(*locations: str | None) -> sqlite3.Connection:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    connection.text_factory = bytes
    connection.execute("CREATE TABLE runs (artifact_uri TEXT)")
    connection.execute("CREATE TABLE model_versions (source TEXT, storage_location TEXT)")
    connection.execute("CREATE TABLE trace_tags (key TEXT, value TEXT)")
    connection.execute("CREATE TABLE datasets (dataset_source TEXT)")
    connection.executemany("INSERT INTO runs VALUES (?)", [(each,) for each in locations])
    return connection


def after(
    connection: sqlite3.Connection, query: str = "SELECT artifact_uri FROM runs ORDER BY rowid"
) -> list:
    return [None if value is None else value.decode() for (value,) in connection.execute(query)]


def rewrite(connection: sqlite3.Connection, *rules: tuple[str, ...]) -> list[str]:
    return report(connection, COLUMNS, [Rule(*rule) for rule in rules])


def report(connection: sqlite3.Connection, columns: set[tuple[str, str]], rules: list[Rule]) -> list[str]:
    counts = rewrite_locations(connection.execute, columns, rules)
    check_matches(counts, rules)
    return [str(count) for count in counts]


@pytest.mark.parametrize(
    ("old", "new", "before", "then"),
    [
        ("/mlruns", "mlflow-artifacts:/", "/mlruns/1/r/artifacts", "mlflow-artifacts:/1/r/artifacts"),
        ("/mlruns/", "mlflow-artifacts:/", "/mlruns/1", "mlflow-artifacts:/1"),
        ("/mlruns", "mlflow-artifacts:/", "/mlruns", "mlflow-artifacts:/"),
        ("s3://a/b", "s3://c/", "s3://a/b", "s3://c"),
        ("s3://a/b", "s3://c/", "s3://a/b/1", "s3://c/1"),
        ("/", "s3://c", "/mlruns/1", "s3://c/mlruns/1"),
        ("/größe 100%", "/'quoted'", "/größe 100%/1", "/'quoted'/1"),
    ],
)
def test_a_prefix_is_replaced(old: str, new: str, before: str, then: str) -> None:
    connection = database(before)
    rewrite(connection, (old, new))
    assert after(connection) == [then]


@pytest.mark.parametrize(
    "location", ["/mlruns-2/1", "/mlrun", "x/mlruns/1", "/MLRUNS/1", "", None, "runs:/mlruns/1"]
)
def test_what_is_no_prefix_stays(location: str | None) -> None:
    connection = database("/mlruns/1", location)
    rewrite(connection, ("/mlruns", "s3://b"))
    assert after(connection) == ["s3://b/1", location]


def test_the_first_rule_counts_and_only_once() -> None:
    connection = database("/a/b/1", "/a/2", "/c/3")
    rewrite(connection, ("/a/b", "/c"), ("/a", "/d"), ("/c", "/e"))
    assert after(connection) == ["/c/1", "/d/2", "/e/3"]


def test_the_report_counts_by_place_and_rule() -> None:
    connection = database("/a/1", "/a/2", "s3://x/1")
    connection.execute("INSERT INTO model_versions VALUES ('runs:/1/model', '/a/1/model')")
    connection.execute("INSERT INTO trace_tags VALUES ('mlflow.artifactLocation', '/a/t'), ('user', '/a/x')")
    assert rewrite(connection, ("/a", "/b")) == [
        "locations: 1 in runs.artifact_uri kept, such as s3://x/1",
        "locations: 2 in runs.artifact_uri rewritten by '/a' -> '/b', such as /a/1",
        "locations: 1 in model_versions.storage_location rewritten by '/a' -> '/b', such as /a/1/model",
        "locations: 1 in trace_tags.value rewritten by '/a' -> '/b', such as /a/t",
    ]
    assert after(connection, "SELECT value FROM trace_tags") == ["/b/t", "/a/x"]
    assert after(connection, "SELECT source FROM model_versions") == ["runs:/1/model"]


def test_a_rule_that_fits_nothing_is_an_error() -> None:
    with pytest.raises(UnknownPrefix) as raised:
        rewrite(database("/a/1", "s3://x/1"), ("/a", "/b"), ("/typo", "/c"))
    assert str(raised.value) == (
        "unknown-prefix: no location starts with that of the rule '/typo' -> '/c'. Others do: s3://x/1."
        " Correct the rule, or leave it out"
    )


def skills() -> sqlite3.Connection:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    connection.text_factory = bytes
    connection.execute("CREATE TABLE skill_versions (source_type TEXT, source TEXT)")
    given = [
        ("mlflow", "mlflow-artifacts:/skills/review/0a"),
        ("zip", "mlflow-artifacts:/review.zip"),
        ("git", "mlflow-artifacts:/no-location"),
        (None, "mlflow-artifacts:/no-location"),
    ]
    connection.executemany("INSERT INTO skill_versions VALUES (?, ?)", given)
    return connection


SKILLS = {("skill_versions", "source")}
SOURCES = "SELECT source FROM skill_versions ORDER BY rowid"


def test_a_skill_stays_where_the_server_has_it() -> None:
    connection = skills()
    rules = [Rule("mlflow-artifacts:/", "mlflow-artifacts:/team")]
    assert report(connection, SKILLS, rules) == [
        f"locations: 1 in skill_versions.source rewritten by {rules[0]}, such as"
        " mlflow-artifacts:/review.zip",
        f"locations: 1 in skill_versions.source rewritten by {rules[0]}, such as"
        " mlflow-artifacts:/skills/review/0a",
    ]
    no_locations = ["mlflow-artifacts:/no-location"] * 2
    moved = ["mlflow-artifacts:/team/skills/review/0a", "mlflow-artifacts:/team/review.zip"]
    assert after(connection, SOURCES) == [*moved, *no_locations]


def test_a_skill_of_the_server_is_not_moved_out_of_it() -> None:
    connection = skills()
    rules = [Rule("mlflow-artifacts:/", "s3://b")]
    assert report(connection, SKILLS, rules) == [
        f"locations: 1 in skill_versions.source rewritten by {rules[0]}, such as"
        " mlflow-artifacts:/review.zip",
        "locations: 1 in skill_versions.source kept, such as mlflow-artifacts:/skills/review/0a",
    ]
    assert after(connection, SOURCES)[:2] == ["mlflow-artifacts:/skills/review/0a", "s3://b/review.zip"]


@pytest.mark.parametrize(
    ("before", "then"),
    [
        ('{"uri": "s3://old/1/d\\u00e4ta"}', '{"uri": "s3://n\\u00eaw/1/d\\u00e4ta"}'),
        ('{"uri": "s3://old"}', '{"uri": "s3://n\\u00eaw"}'),
        ('{"uri": "s3://older/1"}', '{"uri": "s3://older/1"}'),
        ('{"path": "s3://old/1"}', '{"path": "s3://old/1"}'),
    ],
)
def test_the_source_of_a_dataset_is_json(before: str, then: str) -> None:
    connection = database()
    connection.execute('INSERT INTO datasets VALUES (?), (\'{"uri": "s3://old/2"}\')', (before,))
    rewrite(connection, ("s3://old/", "s3://nêw"))
    query = "SELECT dataset_source FROM datasets ORDER BY rowid"
    assert after(connection, query) == [then, '{"uri": "s3://n\\u00eaw/2"}']


def test_what_the_server_reads_itself_is_not_behind_the_server() -> None:
    connection = database()
    given = [("mlflow.artifactLocation", "/a/t"), ("mlflow.trace.archiveLocation", "/a/t")]
    connection.executemany("INSERT INTO trace_tags VALUES (?, ?)", given)
    rewrite(connection, ("/a", "mlflow-artifacts:/", "s3://b"))
    assert after(connection, "SELECT value FROM trace_tags ORDER BY key") == [
        "mlflow-artifacts:/t",
        "s3://b/t",
    ]


# Columns whose names read like those of locations, and what they hold.
NO_LOCATIONS = {
    "evaluation_dataset_records.source": "where data came from, as JSON, outside of MLflow",
    "mcp_access_endpoints.url": "an address of a server",
    "mcp_server_versions.source": "a repository of code",
    "webhooks.url": "an address of a server",
}


def test_each_location_of_the_newest_schema_is_known() -> None:
    records = Path(__file__).parents[1] / "next" / "records"
    newest = max(records.glob("*.json"), key=lambda path: [int(each) for each in path.stem.split(".")])
    columns = json.loads(newest.read_text())["column with a location"]
    known = {f"{place.table}.{place.column}" for place in PLACES} - {"trace_tags.value"}
    assert known | set(NO_LOCATIONS) == set(columns)
