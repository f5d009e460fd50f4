"""Reading a mapping so that no field is overlooked."""

from __future__ import annotations

from typing import Any


class Unsupported(Exception):
    """The manifest says something that the runner would not honour."""


class Fields:
    """A mapping of which every field has to be asked for, or `done` fails."""

    def __init__(self, value: Any, path: str) -> None:
        if not isinstance(value, dict):
            raise Unsupported(f"{path}: expected a mapping, got {value!r}")
        self._left = dict(value)
        self.path = path

    def take(self, name: str, kind: type, default: Any = None) -> Any:
        value = self._left.pop(name, None)
        if value is None:
            return default
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            raise Unsupported(f"{self.path}.{name}: expected {kind.__name__}, got {value!r}")
        return value

    def require(self, name: str, kind: type) -> Any:
        value = self.take(name, kind)
        if value is None:
            raise Unsupported(f"{self.path}.{name}: is missing")
        return value

    def only(self, name: str, *allowed: Any) -> None:
        """A field that is honoured by what the runner does anyway, for these values."""
        value = self._left.pop(name, None)
        if value is not None and value not in allowed:
            raise Unsupported(f"{self.path}.{name}: {value!r} is not supported, only {allowed!r}")

    def must_be(self, name: str, value: Any) -> None:
        if self._left.get(name) != value:
            raise Unsupported(f"{self.path}.{name}: must be {value!r}, got {self._left.get(name)!r}")
        del self._left[name]

    def ignore(self, harmless: dict[str, str]) -> None:
        """Fields that change nothing that a test here could see; the reasons are for the reader."""
        for name in harmless:
            self._left.pop(name, None)

    def child(self, name: str) -> Fields:
        return Fields(self.take(name, dict, {}), f"{self.path}.{name}")

    def children(self, name: str) -> list[Fields]:
        return [Fields(each, f"{self.path}.{name}[{i}]") for i, each in enumerate(self.take(name, list, []))]

    def strings(self, name: str) -> list[str]:
        values = self.take(name, list, [])
        if not all(isinstance(value, str) for value in values):
            raise Unsupported(f"{self.path}.{name}: expected strings, got {values!r}")
        return values

    def names(self) -> list[str]:
        return list(self._left)

    def done(self) -> None:
        if self._left:
            fields = ", ".join(f"{self.path}.{name}" for name in self._left)
            raise Unsupported(f"not honoured by the pod runner: {fields}")
