"""What all kinds of objects share: a declaration, the changes that it needs, and why it may be impossible."""

from __future__ import annotations

from typing import Any, Callable, NamedTuple

# A declaration, as the ConfigMap has it: kind, name, workspace, and the fields of its kind.
Declaration = dict


class Change(NamedTuple):
    # What it does, such as `create experiment churn`; without what is secret.
    line: str
    make: Callable[[], Any]
    # False: what is there cannot be read, so that nobody knows whether it changes.
    is_known: bool = True


class Taken(Exception):
    """Somebody else has just made the object."""


class Impossible(Exception):
    """Why a declaration cannot be carried out, and what to do. Nothing has changed."""


def title(declared: Declaration) -> str:
    """How lines name an object: `experiment "churn" in workspace "team"`."""
    where = f' in workspace "{declared["workspace"]}"' if declared.get("workspace") else ""
    return f'{declared["kind"]} "{declared["name"]}"{where}'


def tags_to_set(declared: Declaration, found: dict[str, Any]) -> dict[str, str]:
    """Declared tags that an object does not have, or has with another value. Its others stay."""
    present = {tag["key"]: tag.get("value", "") for tag in found.get("tags", [])}
    return {key: value for key, value in declared.get("tags", {}).items() if present.get(key) != value}


def as_tags(tags: dict[str, str]) -> list[dict[str, str]]:
    return [{"key": key, "value": value} for key, value in tags.items()]
