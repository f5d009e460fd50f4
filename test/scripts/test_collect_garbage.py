from __future__ import annotations

import sys
from pathlib import Path

import collect_garbage as script
import init_container
import pytest
from collect_garbage import ArtifactsOf, Counting, Stopped, path_below_destination


@pytest.fixture(autouse=True)
def in_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(init_container, "_exit_on_sigterm", lambda program: None)
    monkeypatch.setenv("ARTIFACTS_DESTINATION", "/artifacts")


class Repository:
    """An artifact store in one of its moods."""

    def __init__(self, left: list[str], refuses: Exception | None = None, hides: bool = False) -> None:
        self.left, self.refuses, self.hides = left, refuses, hides
        self.deleted: list[str | None] = []

    def delete_artifacts(self, path: str | None) -> None:
        self.deleted.append(path)
        if self.refuses:
            raise self.refuses

    def list_artifacts(self, path: str | None) -> list[str]:
        if self.hides:
            raise OSError("no listing\nfor you")
        return self.left


def delete(repository: Repository) -> None:
    ArtifactsOf("s3://models/1/run/artifacts", repository, None).delete_artifacts()


def test_deleted_is_what_is_not_there_any_more() -> None:
    repository = Repository([])
    delete(repository)
    assert repository.deleted == [None]


def test_nothing_to_delete_is_no_failure() -> None:
    delete(Repository([], RuntimeError("No such file or directory: '1/run/artifacts'")))


@pytest.mark.parametrize(
    ("repository", "text"),
    [
        (
            Repository(["a", "b"]),
            "artifacts: 2 still there after the deletion of s3://models/1/run/artifacts: the store refused"
            " without saying so. The store's credentials must be allowed to delete",
        ),
        (
            Repository(["a"], PermissionError("Permission\ndenied")),
            "artifacts: 1 still there after the deletion of s3://models/1/run/artifacts: Permission denied."
            " The store's credentials must be allowed to delete",
        ),
        (
            Repository([], hides=True),
            "artifacts: cannot delete s3://models/1/run/artifacts: no listing for you",
        ),
        (
            Repository([], ConnectionError("no route"), hides=True),
            "artifacts: cannot delete s3://models/1/run/artifacts: no route",
        ),
    ],
)
def test_says_why_something_is_left(repository: Repository, text: str) -> None:
    with pytest.raises(Stopped) as stopped:
        delete(repository)
    assert str(stopped.value) == text


def test_the_path_is_the_servers() -> None:
    assert path_below_destination("mlflow-artifacts:/1/abc/artifacts") == "1/abc/artifacts"
    assert path_below_destination("mlflow-artifacts:///workspaces/a/1/abc") == "workspaces/a/1/abc"


@pytest.mark.parametrize("uri", ["mlflow-artifacts:/", "mlflow-artifacts://other/1", "mlflow-artifacts:/../"])
def test_refuses_what_is_not_below_the_destination(uri: str) -> None:
    with pytest.raises(Stopped, match=r"is not a folder of this server\. Restore what it belongs to"):
        path_below_destination(uri)


def test_counts_what_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    counting = Counting(sys.stdout)
    for what in ("Run", "Run", "Logged model"):
        print(f"{what} with ID 1a has been permanently deleted.", file=counting)
    assert str(counting) == "2 runs, 1 logged model, 0 experiments"
    assert len(capsys.readouterr().out.splitlines()) == 3


@pytest.mark.parametrize("arguments", [[], [""], ["30"], ["30d", "x"], ["1.5d"], ["--help"]])
def test_takes_one_age(arguments: list[str], termination_log: Path) -> None:
    assert script.main(arguments) == 1
    assert termination_log.read_text() == (
        f"collect-garbage: bad-settings: arguments {arguments}. Give one age, such as 30d\n"
    )


def test_needs_the_destination(monkeypatch: pytest.MonkeyPatch, termination_log: Path) -> None:
    monkeypatch.delenv("ARTIFACTS_DESTINATION")
    assert script.main(["30d"]) == 1
    assert termination_log.read_text() == "collect-garbage: bad-settings: ARTIFACTS_DESTINATION is missing\n"


def test_an_image_without_mlflow(monkeypatch: pytest.MonkeyPatch, termination_log: Path) -> None:
    def collect(*_: str) -> str:
        raise ModuleNotFoundError("No module named 'mlflow'")

    monkeypatch.setattr(script, "collect", collect)
    assert script.main(["30d"]) == 1
    assert termination_log.read_text().startswith("collect-garbage: bad-image: No module named 'mlflow'. ")
