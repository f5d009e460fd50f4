"""Where artifacts are: every place of the schema that says so, rewritten by rules or kept, with a report."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Collection, Iterator
from typing import Any, Callable, NamedTuple

from exit_codes import BAD_SOURCE
from init_container import Failure


class Place(NamedTuple):
    """A column with locations."""

    table: str
    column: str
    # SQL that says in which rows.
    only: str = ""
    # Whether only artifacts of the server can be there, so that rules to another place are not for it.
    served: bool = False
    # Whether the server itself reads it, which does not know its own address: not mlflow-artifacts:/.
    stored: bool = False
    # What stands before the location, which then is a string of JSON.
    begin: str = ""


# All of MLflow 3.18's schema; older ones have fewer.
PLACES = (
    Place("experiments", "artifact_location"),
    Place("runs", "artifact_uri"),
    Place("logged_models", "artifact_location"),
    Place("model_versions", "source"),
    Place("model_versions", "storage_location"),
    Place("skill_versions", "source", "\"source_type\" = 'zip'"),
    Place("skill_versions", "source", "\"source_type\" = 'mlflow'", served=True),
    Place("datasets", "dataset_source", begin='{"uri": "'),
    Place("trace_tags", "value", "\"key\" = 'mlflow.artifactLocation'"),
    Place("trace_tags", "value", "\"key\" = 'mlflow.trace.archiveLocation'", stored=True),
    Place("workspaces", "default_artifact_root"),
    Place("workspaces", "trace_archival_location", stored=True),
)
_SERVED = "mlflow-artifacts:"
# These name a run or a model, which has a location of its own.
_REFERENCES = ("runs:/", "models:/")
# Runs SQL with parameters named as in `:name`, and returns a cursor.
Execute = Callable[[str, dict[str, str]], Any]


class UnknownPrefix(Failure):
    code = BAD_SOURCE


class Rule(NamedTuple):
    """`old` and everything below it moves to `new`."""

    old: str
    new: str
    # What the server itself calls `new`, where it differs.
    stored: str = ""

    def __str__(self) -> str:
        return f"{self.old!r} -> {self.new!r}"


class Count(NamedTuple):
    place: str
    rule: Rule | None
    rows: int
    example: str

    def __str__(self) -> str:
        what = "kept" if self.rule is None else f"rewritten by {self.rule}"
        return f"locations: {self.rows} in {self.place} {what}, such as {self.example}"


def on_postgres(cursor: Any) -> Execute:
    def execute(statement: str, parameters: dict[str, str]) -> Any:
        cursor.execute(re.sub(r":(\w+)", r"%(\1)s", statement), parameters)
        return cursor

    return execute


def rewrite_locations(
    execute: Execute, columns: Collection[tuple[str, str]], rules: list[Rule], dry_run: bool = False
) -> list[Count]:
    """Rewrites those columns. Returns what was rewritten, by which rule, and what was kept."""
    places = [place for place in PLACES if place[:2] in columns]
    return [count for place in places for count in _rewrite(execute, place, rules, dry_run)]


def check_matches(counts: list[Count], rules: list[Rule]) -> None:
    """A rule that matches nothing is an error."""
    matched = Counter(count.rule for count in counts)
    unmatched = [str(rule) for rule in rules if not matched[rule]]
    if unmatched:
        found = sorted({count.example for count in counts if count.rule is None})
        raise UnknownPrefix(
            f"unknown-prefix: no location starts with that of the rule {'; '.join(unmatched)}. Others do:"
            f" {', '.join(found[:5]) or 'none'}. Correct the rule, or leave it out"
        )


def _rewrite(execute: Execute, place: Place, all_rules: list[Rule], dry_run: bool) -> Iterator[Count]:
    rules = [rule for rule in all_rules if rule.new.startswith(_SERVED) or not place.served]
    name, target = f'"{place.column}"', f'"{place.table}"'
    end = '"}' if place.begin else ""
    parameters = {"begin": place.begin}
    for i, rule in enumerate(rules):
        new = (place.stored and rule.stored) or rule.new
        stem, new_stem = rule.old.rstrip("/"), new.rstrip("/")
        # What is the prefix itself ends without a slash, unless it is one of `mlflow-artifacts:/` or `/`.
        whole = new if new_stem == "" or new_stem.endswith(":") else new_stem
        texts = {f"old{i}": stem + end, f"below{i}": f"{stem}/", f"stem{i}": new_stem, f"new{i}": whole + end}
        parameters.update((key, place.begin + _escaped(place, text, end)) for key, text in texts.items())
    matches = [
        f"({name} = :old{i} OR substr({name}, 1, length(:below{i})) = :below{i})" for i in range(len(rules))
    ]
    which = "".join(f" WHEN {match} THEN {i}" for i, match in enumerate(matches))
    references = " OR ".join(f"substr({name}, 1, {len(each)}) = '{each}'" for each in _REFERENCES)
    where = f"{name} <> '' AND NOT ({references})" + (f" AND {place.only}" if place.only else "")
    if place.begin:
        where += f" AND substr({name}, 1, length(:begin)) = :begin"
    rows = execute(
        f"SELECT CASE WHEN false THEN 0{which} ELSE -1 END AS rule, count(*), min({name}) FROM {target}"
        f" WHERE {where} GROUP BY rule ORDER BY rule",
        parameters,
    ).fetchall()
    for number, count, example in rows:
        shown = example.decode() if isinstance(example, bytes) else example
        rule = rules[number] if number >= 0 else None
        yield Count(f"{place.table}.{place.column}", rule, count, shown)
    if matches and not dry_run:
        becomes = "".join(
            f" WHEN {name} = :old{i} THEN :new{i}"
            f" WHEN {match} THEN :stem{i} || substr({name}, length(:below{i}))"
            for i, match in enumerate(matches)
        )
        execute(
            f"UPDATE {target} SET {name} = CASE{becomes} END WHERE {where} AND ({' OR '.join(matches)})",
            parameters,
        )


def _escaped(place: Place, text: str, end: str) -> str:
    if not place.begin:
        return text
    return json.dumps(text.removesuffix(end))[1:-1] + (end if text.endswith(end) else "")
