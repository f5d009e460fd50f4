"""Controllers that a cluster may have. What is not installed is skipped, and the reason counts it."""

from __future__ import annotations

import pytest
from cluster import Failed, run


def require(controller: str, *objects: str) -> None:
    """Skips where the cluster lacks one of the objects that come with the controller."""
    for each in objects:
        try:
            run("kubectl", "get", each, "-o", "name")
        except Failed:
            pytest.skip(f"{controller} is not installed: there is no {each}")
