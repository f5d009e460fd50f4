from __future__ import annotations

import pytest
from import_plan import ForeignKey, parents_first, quoted


def key(child: str, parent: str) -> ForeignKey:
    return ForeignKey(f"{child}-{parent}", child, ("id",), parent, ("id",))


@pytest.mark.parametrize(
    ("keys", "order"),
    [
        ([], "abcd"),
        ([("a", "b"), ("b", "c"), ("c", "d")], "dcba"),
        ([("a", "a"), ("a", "d")], "bcda"),
        ([("a", "b"), ("b", "a"), ("c", "a"), ("a", "d")], "dabc"),
    ],
)
def test_parents_come_first(keys: list[tuple[str, str]], order: str) -> None:
    assert "".join(parents_first("abcd", [key(*each) for each in keys])) == order


def test_names_are_quoted() -> None:
    assert quoted('a "b"') == '"a ""b"""'
