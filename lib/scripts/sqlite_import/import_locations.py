"""Where artifacts are: every place of the schema that says so, rewritten by rules or kept, with a report."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from import_plan import Plan, quoted
from sqlite_copy import UnusableSource


class Place(NamedTuple):
    """A column with locations."""

    table: str
    column: str
    # SQL that says in which rows.
    only: str = ""
    # Whether only artifacts of the server can be there, so that rules to another place are not for it.
    served: bool = False


# All of MLflow 3.18's schema; older ones have fewer.
PLACES = (
    Place("experiments", "artifact_location"),
    Place("runs", "artifact_uri"),
    Place("logged_models", "artifact_location"),
    Place("model_versions", "source"),
    Place("model_versions", "storage_location"),
    Place("skill_versions", "source", "\"source_type\" = 'zip'"),
    Place("skill_versions", "source", "\"source_type\" = 'mlflow'", served=True),
    Place("trace_tags", "value", "\"key\" IN ('mlflow.artifactLocation', 'mlflow.trace.archiveLocation')"),
    Place("workspaces", "default_artifact_root"),
    Place("workspaces", "trace_archival_location"),
)
_SERVED = "mlflow-artifacts:"
# These name a run or a model, which has a location of its own.
_REFERENCES = ("runs:/", "models:/")


class Rule(NamedTuple):
    """`old` and everything below it moves to `new`."""

    old: str
    new: str

    def __str__(self) -> str:
        return f"{self.old!r} -> {self.new!r}"


class Count(NamedTuple):
    place: str
    rule: Rule | None
    rows: int
    example: str


def rewrite_locations(source: sqlite3.Connection, plan: Plan, rules: list[Rule]) -> Iterator[str]:
    """Rewrites the copy and yields the lines of the report. A rule that matches nothing is an error."""
    counts = [count for place in _places(plan) for count in _rewrite(source, place, rules)]
    matched = Counter(count.rule for count in counts)
    unmatched = [str(rule) for rule in rules if not matched[rule]]
    if unmatched:
        found = sorted({count.example for count in counts if count.rule is None})
        raise UnusableSource(
            f"unknown-prefix: no location starts with that of the rule {'; '.join(unmatched)}. Others do:"
            f" {', '.join(found[:5]) or 'none'}. Correct the rule, or leave it out"
        )
    for count in counts:
        what = "kept" if count.rule is None else f"rewritten by {count.rule}"
        yield f"locations: {count.rows} in {count.place} {what}, such as {count.example}"


def _places(plan: Plan) -> Iterator[Place]:
    there = {(table.name, column.name) for table in plan.tables for column in table.columns}
    return (place for place in PLACES if place[:2] in there)


def _rewrite(source: sqlite3.Connection, place: Place, all_rules: list[Rule]) -> Iterator[Count]:
    table, column, only, served = place
    rules = [rule for rule in all_rules if rule.new.startswith(_SERVED) or not served]
    name, target = quoted(column), quoted(table)
    parameters = {}
    for i, (old, new) in enumerate(rules):
        stem, new_stem = old.rstrip("/"), new.rstrip("/")
        parameters.update({f"old{i}": stem, f"below{i}": f"{stem}/", f"stem{i}": new_stem})
        # What is the prefix itself ends without a slash, unless it is one of `mlflow-artifacts:/` or `/`.
        parameters[f"new{i}"] = new if new_stem == "" or new_stem.endswith(":") else new_stem
    matches = [
        f"({name} = :old{i} OR substr({name}, 1, length(:below{i})) = :below{i})" for i in range(len(rules))
    ]
    which = "".join(f" WHEN {match} THEN {i}" for i, match in enumerate(matches))
    references = " OR ".join(f"substr({name}, 1, {len(each)}) = '{each}'" for each in _REFERENCES)
    where = f"{name} <> '' AND NOT ({references})" + (f" AND {only}" if only else "")
    rows = source.execute(
        f"SELECT CASE WHEN 0 THEN 0{which} ELSE -1 END AS rule, count(*), min({name}) FROM {target}"
        f" WHERE {where} GROUP BY rule ORDER BY rule",
        parameters,
    ).fetchall()
    for rule, count, example in rows:
        yield Count(f"{table}.{column}", rules[rule] if rule >= 0 else None, count, example.decode())
    if matches:
        becomes = "".join(
            f" WHEN {name} = :old{i} THEN :new{i}"
            f" WHEN {match} THEN :stem{i} || substr({name}, length(:below{i}))"
            for i, match in enumerate(matches)
        )
        source.execute(
            f"UPDATE {target} SET {name} = CASE{becomes} END WHERE {where} AND ({' OR '.join(matches)})",
            parameters,
        )
