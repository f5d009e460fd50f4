"""What an import is told, from its environment."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import NamedTuple

from artifact_locations import Rule
from import_fit import REPAIRS
from init_container import BadSetting, required, seconds_from
from mlflow_schema import store_uri

DEADLINE = "IMPORT_DEADLINE_SECONDS"


class Settings(NamedTuple):
    uri: str
    folder: Path
    rules: list[Rule]
    repairs: list[str]
    replace: bool
    dry_run: bool
    seconds: float


def read_settings() -> Settings:
    def choice(name: str, *choices: str) -> str:
        value = os.environ.get(name) or choices[0]
        if value not in choices:
            raise BadSetting(f"{name} must be one of {', '.join(choices)}, got {value!r}")
        return value

    try:
        pairs = json.loads(os.environ.get("IMPORT_LOCATION_RULES") or "[]")
        rules = [Rule(str(old), str(new)) for old, new in pairs]
    except (TypeError, ValueError) as error:
        raise BadSetting(f"IMPORT_LOCATION_RULES must be JSON, [[old, new], ...]: {error}") from None
    repairs = [name for name in os.environ.get("IMPORT_REPAIRS", "").split(",") if name]
    unknown = [name for name in repairs if name not in REPAIRS]
    if unknown:
        raise BadSetting(f"IMPORT_REPAIRS must be some of {', '.join(REPAIRS)}, got {', '.join(unknown)}")
    return Settings(
        store_uri(),
        Path(required("IMPORT_FOLDER")),
        rules,
        repairs,
        choice("IMPORT_EXISTING_DATA", "refuse", "replace") == "replace",
        choice("IMPORT_DRY_RUN", "false", "true") == "true",
        seconds_from(DEADLINE, 600),
    )
