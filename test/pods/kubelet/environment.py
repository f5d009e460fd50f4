"""Environment variables of a container, as the kubelet makes them."""

from __future__ import annotations

import re
from collections.abc import Callable

from .fields import Unsupported
from .template import Container, Variable

Lookup = Callable[[Variable], str]
_REFERENCE = re.compile(r"\$(?:\$|\(([^)]+)\))")


def expand(text: str, values: dict[str, str]) -> str:
    """`$(VAR)` becomes its value where there is one, `$$` becomes `$`."""

    def replace(match: re.Match[str]) -> str:
        return "$" if match[1] is None else values.get(match[1], match[0])

    return _REFERENCE.sub(replace, text)


def container_environment(container: Container, given: dict[str, str], lookup: Lookup) -> dict[str, str]:
    """What the runtime and the Services give, then `env` in its order."""
    values: dict[str, str] = dict(given)
    for variable in container.env:
        values[variable.name] = (
            expand(variable.value, values) if variable.kind == "value" else lookup(variable)
        )
    return values


def container_command(
    container: Container, environment: dict[str, str], entry_point: str | None
) -> list[str]:
    command = container.command or ([entry_point] if entry_point else [])
    if not command:
        raise Unsupported(f"container {container.name}: there is no command, nor a known entry point")
    return [expand(word, environment) for word in [*command, *container.args]]


def service_links(services: dict[str, dict], address: str) -> dict[str, str]:
    """What Kubernetes injects for every Service of the namespace, unless `enableServiceLinks` is false."""
    links: dict[str, str] = {}
    for name, spec in services.items():
        if spec.get("clusterIP") == "None":
            continue
        prefix, port = name.upper().replace("-", "_"), spec["ports"][0]["port"]
        links[f"{prefix}_SERVICE_HOST"] = address
        links[f"{prefix}_SERVICE_PORT"] = str(port)
        links[f"{prefix}_PORT"] = f"tcp://{address}:{port}"
    return links
