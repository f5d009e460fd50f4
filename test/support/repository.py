"""What the tests take from this repository: charts as YAML, and the default images."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def run_typescript(program: str, *arguments: str, **environment: str) -> str:
    """What a program of this repository prints."""
    process = subprocess.run(
        ["node", "-r", "tsx/cjs", program, *arguments],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.returncode == 0, process.stderr
    return process.stdout


def image(name: str) -> str:
    """A default image of the library."""
    [found] = re.findall(rf"^ *{name}: '(.+)'", (ROOT / "lib" / "images.ts").read_text(), re.MULTILINE)
    return str(found)
