"""test/next/used.json, which `npm run test:next` reads: what lib/scripts use. UPDATE_USED=1 writes it."""

from __future__ import annotations

import ast
import json
import os
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
USED = ROOT / "test" / "next" / "used.json"
MODULE = re.compile(r"mlflow(_oidc_auth)?(\.\w+)*")
# Keys of tags, which look like modules.
TAGS = {"mlflow.prompt.is_prompt"}


def chain(node: ast.expr) -> tuple[str, list[str]] | None:
    """`a.b.c` as the name and its attributes."""
    path: list[str] = []
    while isinstance(node, ast.Attribute):
        path.insert(0, node.attr)
        node = node.value
    return (node.id, path) if isinstance(node, ast.Name) else None


def imported_by_call(node: ast.expr, constants: dict[str, str]) -> str | None:
    """The module of `import_module(...)`, by a text or a constant of the file."""
    if not (isinstance(node, ast.Call) and "import_module" in ast.unparse(node.func) and node.args):
        return None
    [argument] = node.args
    if isinstance(argument, ast.Name):
        return constants.get(argument.id)
    return argument.value if isinstance(argument, ast.Constant) else None


def used_in(source: str) -> Iterator[str]:
    """What a script imports of MLflow, and what it takes of that: `module:attribute.attribute`."""
    nodes = list(ast.walk(ast.parse(source)))
    names: dict[str, str] = {}
    constants: dict[str, str] = {}
    for node in nodes:
        if isinstance(node, ast.Import):
            for each in node.names:
                if MODULE.fullmatch(each.name):
                    names[each.asname or "mlflow"] = each.name if each.asname else "mlflow"
                    yield each.name
        elif isinstance(node, ast.ImportFrom) and MODULE.fullmatch(node.module or ""):
            for each in node.names:
                names[each.asname or each.name] = f"{node.module}:{each.name}"
                yield f"{node.module}:{each.name}"
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            is_module = "." in node.value and MODULE.fullmatch(node.value) and node.value not in TAGS
            yield from [node.value] if is_module else []
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant):
            constants |= {each.id: node.value.value for each in node.targets if isinstance(each, ast.Name)}
    for node in nodes:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            module = imported_by_call(node.value, constants)
            found = chain(node.value)
            if module and MODULE.fullmatch(module):
                names[node.targets[0].id] = module
            elif found and found[0] in names and found[1]:
                names[node.targets[0].id] = joined(names[found[0]], found[1])
        elif isinstance(node, ast.Call) and ast.unparse(node.func) == "getattr":
            module = imported_by_call(node.args[0], constants)
            if module and MODULE.fullmatch(module) and isinstance(node.args[1], ast.Constant):
                yield f"{module}:{node.args[1].value}"
    for node in nodes:
        found = chain(node) if isinstance(node, ast.Attribute) else None
        if found and found[0] in names and not found[1][-1].startswith("__"):
            yield joined(names[found[0]], found[1])


def joined(base: str, path: list[str]) -> str:
    return f"{base}{'.' if ':' in base else ':'}{'.'.join(path)}"


def test_the_list_is_what_the_scripts_use() -> None:
    scripts = (ROOT / "lib" / "scripts").rglob("*.py")
    used = sorted({each for path in scripts for each in used_in(path.read_text())})
    if os.environ.get("UPDATE_USED") == "1":
        USED.write_text(json.dumps(used, indent=2) + "\n")
    assert json.loads(USED.read_text()) == used


def test_every_way_to_use_something_is_seen() -> None:
    source = """
_STORE = "mlflow.store.one"
def run():
    import mlflow.store.two
    from mlflow.server import auth as users
    users.store.init_db("uri")
    store = importlib.import_module(_STORE)
    registry = store._registry
    registry.register("s3")
    getattr(importlib.import_module(_STORE), "SqlWebhook", None)
    print(users.__name__, "no module", "mlflow is one word")
"""
    assert set(used_in(source)) == {
        "mlflow.store.one",
        "mlflow.store.one:SqlWebhook",
        "mlflow.store.one:_registry",
        "mlflow.store.one:_registry.register",
        "mlflow.store.two",
        "mlflow.server:auth",
        "mlflow.server:auth.store",
        "mlflow.server:auth.store.init_db",
    }
