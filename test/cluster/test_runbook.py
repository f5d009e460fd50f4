"""Every command of a runbook, as it is written."""

from __future__ import annotations

import re
import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from cluster import run
from release import Release

from examples import BY_NAME

BLOCK = re.compile(r"```sh\n(.*?)\n```", re.DOTALL)
ANSWERS = {
    " reachable": r"reachable: your-postgres-host port 5432: listens \(",
    " login": r"login: PostgreSQL \d+.*, TLSv1\.\d, .*\nlogin: user \"mlflow_user\", database \"mlflow\"",
    " revision": r"revision: database (\w+), image \1\n",
    " tables": r"tables: \d+ tables\n  table .*\n(  .*\n)*  runs +mlflow_user +\d+",
    " sizes": r"sizes: mlflow: \d+ [kM]B\n",
    " connections": r"connections: \d+ of 100, .*\n(  .*\n)*  \d+ +mlflow_user +mlflow +mlflow ",
    " -c init-mlflow": r"(?s)wait-for-database: ready: .*init-mlflow: \S+: revision ",
    " describe secret": r"(?s)password: +\d+ bytes",
}


@pytest.fixture(scope="module")
def release(deploy) -> Iterator[Release]:
    with deploy(BY_NAME["garbage-collection"]) as release:
        yield release


@pytest.fixture(scope="module")
def commands(synthesized: Path) -> list[str]:
    text = (synthesized / "garbage-collection.runbook.md").read_text()
    return [line for block in BLOCK.findall(text) for line in block.splitlines()]


def test_each_command_works(release: Release, commands: list[str]) -> None:
    answered = set()
    for command in commands:
        if " port-forward " in command:
            continue
        here = command.replace("kubectl ", f"kubectl -n {release.namespace.name} ", 1)
        said = run("sh", "-c", here, seconds=360)
        print(f"$ {command}\n{said}")
        for part, answer in ANSWERS.items():
            if part in command:
                assert re.search(answer, said), (command, said)
                answered.add(part)
        assert release.example.password not in said
    assert answered == set(ANSWERS)


def test_the_web_ui(release: Release, commands: list[str]) -> None:
    [command] = [each for each in commands if " port-forward " in each]
    assert command.endswith(" 5000:5000")
    # The local port may be taken.
    words = command.replace(" 5000:", " :").split()
    forward = subprocess.Popen(
        [words[0], "-n", release.namespace.name, *words[1:]], stdout=subprocess.PIPE, text=True
    )
    try:
        assert forward.stdout is not None
        port = re.search(r":(\d+) -> ", forward.stdout.readline())
        assert port
        with urllib.request.urlopen(f"http://localhost:{port[1]}", timeout=60) as page:
            assert "<title>MLflow</title>" in page.read().decode()
    finally:
        forward.terminate()
        forward.communicate()
