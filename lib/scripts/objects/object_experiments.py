"""Experiments: their tags are set; where their artifacts are was decided when they were made."""

from __future__ import annotations

from typing import Any

from declared_objects import Change, Declaration, Impossible, as_tags, tags_to_set, title
from mlflow_api import MlflowApi

PATH = "/api/2.0/mlflow/experiments"


def find_experiment(api: MlflowApi, name: str, workspace: str | None) -> dict[str, Any] | None:
    answer = api.find(f"{PATH}/get-by-name", workspace, experiment_name=name)
    return answer and answer["experiment"]


def changes_of_experiment(api: MlflowApi, declared: Declaration) -> list[Change]:
    workspace = declared.get("workspace")
    found = find_experiment(api, declared["name"], workspace)
    if found is None:
        body = {"name": declared["name"], "tags": as_tags(declared.get("tags", {}))}
        if "artifact_location" in declared:
            body["artifact_location"] = declared["artifact_location"]
        return [
            Change(f"create {title(declared)}", lambda: api.send("POST", f"{PATH}/create", body, workspace))
        ]
    identifier = found["experiment_id"]
    if found.get("lifecycle_stage") == "deleted":
        raise Impossible(
            f"it was deleted. Restore it by `mlflow experiments restore -x {identifier}`,"
            " or declare another name"
        )
    wanted, location = declared.get("artifact_location", ""), found.get("artifact_location", "")
    if wanted and wanted.rstrip("/") != location.rstrip("/"):
        raise Impossible(
            f"its artifacts are in {location}, not in {wanted}, and MLflow cannot change that."
            " Declare that location or none, or another name"
        )

    def set_tag(key: str, value: str) -> Change:
        body = {"experiment_id": identifier, "key": key, "value": value}
        return Change(
            f'update {title(declared)}: tag "{key}"',
            lambda: api.send("POST", f"{PATH}/set-experiment-tag", body, workspace),
        )

    return [set_tag(key, value) for key, value in tags_to_set(declared, found).items()]
