"""Synthesizes the apps that from_helm_apps.ts printed: from_helm_apps.py <folder>."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

import cdk8s
import cdk8s_mlflow

# It has a subclass of App, which is made before App is replaced.
assert issubclass(cdk8s_mlflow.SinglePassApp, cdk8s.App)
Original = cdk8s.App
for path in sorted(Path(sys.argv[1]).glob("*/app.py")):
    cdk8s.App = lambda folder=path.parent / "python": Original(outdir=str(folder))
    runpy.run_path(str(path), run_name="__main__")
