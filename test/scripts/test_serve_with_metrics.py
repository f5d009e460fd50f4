from __future__ import annotations

import importlib.util
import os
from pathlib import Path

import pytest
import serve_with_metrics

COMMAND = ["mlflow", "server", "--workers=2"]


class Replaced(Exception):
    """The process is another program now."""


@pytest.fixture(autouse=True)
def commands(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    run: list[list[str]] = []

    def execvp(file: str, words: list[str]) -> None:
        assert file == words[0]
        run.append(words)
        raise Replaced

    monkeypatch.setattr(os, "execvp", execvp)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: object())
    return run


def test_becomes_the_server_on_an_empty_folder(tmp_path: Path, commands: list[list[str]]) -> None:
    (tmp_path / "counter_7.db").write_bytes(b"cut off")
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "file").touch()
    (tmp_path / "away").symlink_to("/")
    with pytest.raises(Replaced):
        serve_with_metrics.main([str(tmp_path), *COMMAND])
    assert commands == [COMMAND]
    assert list(tmp_path.iterdir()) == []


def test_an_image_without_the_exporter(
    tmp_path: Path,
    commands: list[list[str]],
    termination_log: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert serve_with_metrics.main([str(tmp_path), *COMMAND]) == serve_with_metrics.NO_METRICS
    assert commands == []
    assert termination_log.read_text() == (
        "serve-with-metrics: bad-image: no module prometheus_flask_exporter. "
        "Use an image that has it (MLflow's `-full` image), or leave out `metrics`\n"
    )


def test_a_call_without_a_command(tmp_path: Path, termination_log: Path) -> None:
    assert serve_with_metrics.main([str(tmp_path)]) == serve_with_metrics.BAD_CALL
    expected = f"serve-with-metrics: bad-call: expected a folder and a command, got ['{tmp_path}']\n"
    assert termination_log.read_text() == expected
