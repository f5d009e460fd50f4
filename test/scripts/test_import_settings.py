from __future__ import annotations

from pathlib import Path

import pytest
from artifact_locations import Rule
from import_settings import Settings, read_settings
from init_container import BadSetting


@pytest.fixture(autouse=True)
def paths(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IMPORT_FOLDER", "/copy")


def test_defaults() -> None:
    assert read_settings() == Settings("postgresql+psycopg2://", Path("/copy"), [], [], False, False, 600)


def test_all_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "LOCATION_RULES": '[["/a", "/b"]]',
        "REPAIRS": "drop-orphans,replace-nul",
        "EXISTING_DATA": "replace",
        "DRY_RUN": "true",
        "DEADLINE_SECONDS": "5",
    }.items():
        monkeypatch.setenv(f"IMPORT_{name}", value)
    assert read_settings()[2:] == ([Rule("/a", "/b")], ["drop-orphans", "replace-nul"], True, True, 5)


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("FOLDER", "", "IMPORT_FOLDER must be set"),
        ("LOCATION_RULES", "[1]", "IMPORT_LOCATION_RULES must be JSON, [[old, new], ...]: "),
        ("LOCATION_RULES", "{", "IMPORT_LOCATION_RULES must be JSON, [[old, new], ...]: "),
        (
            "REPAIRS",
            "all",
            "IMPORT_REPAIRS must be some of renumber-experiments, drop-orphans, replace-nul, got all",
        ),
        ("EXISTING_DATA", "merge", "IMPORT_EXISTING_DATA must be one of refuse, replace, got 'merge'"),
        ("DRY_RUN", "yes", "IMPORT_DRY_RUN must be one of false, true, got 'yes'"),
        ("DEADLINE_SECONDS", "-1", "IMPORT_DEADLINE_SECONDS must be a number of seconds from 0, got '-1'"),
    ],
)
def test_what_cannot_be_used(name: str, value: str, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"IMPORT_{name}", value)
    with pytest.raises(BadSetting) as raised:
        read_settings()
    assert str(raised.value).startswith(text)
