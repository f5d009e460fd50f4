"""Registered models: their description and tags."""

from __future__ import annotations

from typing import Any

from declared_objects import Change, Declaration, Impossible, as_tags, tags_to_set, title
from mlflow_api import MlflowApi

PATH = "/api/2.0/mlflow/registered-models"
# Prompts are registered models with this tag.
PROMPT_TAG = "mlflow.prompt.is_prompt"


def find_model(api: MlflowApi, name: str, workspace: str | None) -> dict[str, Any] | None:
    answer = api.find(f"{PATH}/get", workspace, name=name)
    return answer and answer["registered_model"]


def changes_of_model(api: MlflowApi, declared: Declaration) -> list[Change]:
    workspace, name = declared.get("workspace"), declared["name"]
    found = find_model(api, name, workspace)
    text = {"description": declared["description"]} if "description" in declared else {}
    if found is None:
        body = {"name": name, "tags": as_tags(declared.get("tags", {})), **text}
        return [
            Change(f"create {title(declared)}", lambda: api.send("POST", f"{PATH}/create", body, workspace))
        ]
    if any(tag["key"] == PROMPT_TAG and tag["value"].lower() == "true" for tag in found.get("tags", [])):
        raise Impossible("a prompt has this name. Declare another name")
    changes = []
    if text and found.get("description", "") != text["description"]:
        body = {"name": name, **text}
        changes.append(
            Change(
                f"update {title(declared)}: description",
                lambda: api.send("PATCH", f"{PATH}/update", body, workspace),
            )
        )

    def set_tag(key: str, value: str) -> Change:
        body = {"name": name, "key": key, "value": value}
        return Change(
            f'update {title(declared)}: tag "{key}"',
            lambda: api.send("POST", f"{PATH}/set-tag", body, workspace),
        )

    return changes + [set_tag(key, value) for key, value in tags_to_set(declared, found).items()]
