"""Workspaces: their description, and where artifacts of new experiments in them go."""

from __future__ import annotations

from typing import Any

from declared_objects import Change, Declaration, Impossible, title
from mlflow_api import ApiError, MlflowApi

PATH = "/api/3.0/mlflow/workspaces"
FIELDS = {"description": "description", "default_artifact_root": "defaultArtifactRoot"}


def find_workspace(api: MlflowApi, name: str) -> dict[str, Any] | None:
    try:
        answer = api.find(f"{PATH}/{name}")
    except ApiError as error:
        if error.status == 404 or "workspaces" in str(error):
            raise Impossible("the server has no workspaces. Give it workspaces: true") from error
        raise
    return answer and answer["workspace"]


def has_workspace(api: MlflowApi, name: str) -> bool:
    return find_workspace(api, name) is not None


def changes_of_workspace(api: MlflowApi, declared: Declaration) -> list[Change]:
    name = declared["name"]
    texts = {field: declared[field] for field in FIELDS if field in declared}
    found = find_workspace(api, name)
    if found is None:
        body = {"name": name, **texts}
        return [Change(f"create {title(declared)}", lambda: api.send("POST", PATH, body))]
    differing = {field: text for field, text in texts.items() if found.get(field, "") != text}
    if not differing:
        return []
    named = ", ".join(FIELDS[field] for field in differing)
    return [
        Change(f"update {title(declared)}: {named}", lambda: api.send("PATCH", f"{PATH}/{name}", differing))
    ]
