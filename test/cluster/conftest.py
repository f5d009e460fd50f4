from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest
from cluster import run
from release import Release, released
from settings import OLD_MLFLOW_IMAGE
from watch import FIGURES

from examples import Example, synthesize

SECONDS: list[str] = []


@pytest.fixture(scope="session", autouse=True)
def cluster_answers() -> None:
    try:
        run("kubectl", "version", "--request-timeout=20s")
    except AssertionError as error:
        pytest.exit(f"No cluster answers kubectl: {error}", returncode=2)


@pytest.fixture(scope="session")
def synthesized(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The examples, and the charts of charts.ts."""
    directory = tmp_path_factory.mktemp("dist")
    synthesize(directory)
    synthesize(directory, "test/cluster/charts.ts", TEST_OLD_MLFLOW_IMAGE=OLD_MLFLOW_IMAGE)
    return directory


@pytest.fixture(scope="module")
def deploy(synthesized: Path) -> Callable[[Example], AbstractContextManager[Release]]:
    """Deploys an example for the time of a `with`, and notes how long it took."""

    @contextmanager
    def timed(example: Example) -> Iterator[Release]:
        with released(example, synthesized) as release:
            SECONDS.append(f"{example.name:24}{release.seconds_to_ready:6.1f} s")
            yield release

    return timed


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    terminalreporter.section("from kubectl apply to ready")
    for line in SECONDS:
        terminalreporter.write_line(line)
    terminalreporter.section("what clients saw")
    for line in FIGURES:
        terminalreporter.write_line(line)
