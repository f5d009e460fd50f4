"""An app of the examples in Python, with the names of examples/all.ts: python_examples.py <examples>."""

from __future__ import annotations

import importlib
import re
import sys
from pathlib import Path

from cdk8s import App
from cdk8s_mlflow import Rules

examples = Path(sys.argv[1])
# As a package: one has the name of a module of Python's own.
sys.path.insert(0, str(examples))
names = sorted(path.stem for path in (examples / "python").glob("*.py"))
modules = [importlib.import_module(f"python.{name}") for name in names]
found = {name: value for module in modules for name, value in vars(module).items()}

app = App()
Rules.of(app).acknowledge("unique-name", "Each example is applied by itself.")
Rules.of(app).acknowledge("one-filling-job", "Each example is applied by itself.")
made = set()
for name, arguments in re.findall(r"new (\w+)\(app, (.+)\);", (examples / "all.ts").read_text()):
    if name in found:
        found[name](app, *re.findall(r"'([^']*)'", arguments))
        made.add(found[name].__module__)
found["add_platform"](app)
app.synth()
found["write_runbooks"](app)
found["Ldap"](App(), "ldap")

left = {f"python.{name}" for name in names if name not in ("ldap", "platform", "runbooks")} - made
assert not left, f"in no app: {left}"
