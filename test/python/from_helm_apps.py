"""Synthesizes the apps that from_helm_apps.ts printed: from_helm_apps.py <folder>."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

import cdk8s

Original = cdk8s.App
for path in sorted(Path(sys.argv[1]).glob("*/app.py")):
    cdk8s.App = lambda folder=path.parent / "python": Original(outdir=str(folder))
    runpy.run_path(str(path), run_name="__main__")
