"""Permissions of users on an experiment or a registered model, and their membership in a workspace.

MLflow keeps those on an object in a role that each user has alone, and those on a workspace in roles that it
makes with the workspace. What is granted besides stays, also what is more than what is declared.
"""

from __future__ import annotations

from typing import Any, Callable

from declared_objects import Change, Declaration, Impossible, title
from mlflow_api import ApiError, MlflowApi
from object_experiments import find_experiment
from object_models import find_model
from object_users import find_user

USERS = "/api/3.0/mlflow/users"
ROLES = "/api/3.0/mlflow/roles"
DEFAULT_WORKSPACE = "default"
# As MLflow calls the roles of a new workspace.
WORKSPACE_ROLES = {"USE": "user", "MANAGE": "admin"}
# Whether an object that is not there yet is declared, and so made before its permissions.
IsDeclared = Callable[[str, str, "str | None"], bool]


def changes_of_permission(api: MlflowApi, declared: Declaration, is_declared: IsDeclared) -> list[Change]:
    username, level = declared["username"], declared["permission"]
    user = find_user(api, username)
    if user is None and not (
        is_declared("user", username, None) or is_declared("service user", username, None)
    ):
        raise Impossible(f'there is no user "{username}". Declare an MlflowUser or an MlflowServiceUser')
    if declared["target"] == "workspace":
        return changes_of_membership(api, declared, user)
    identifier = identifier_of(api, declared, is_declared)
    line = f"{title(declared)}: {level}"
    if user is None or identifier is None:
        return [Change(f"grant {line}", lambda: grant(api, declared))]
    rows = rows_of(api, username)
    own = own_row(rows, user["id"], declared, identifier)
    if own is None:
        return [Change(f"grant {line}", lambda: grant(api, declared))]
    if own["permission"] == level:
        return []
    return [Change(f"update {line} instead of {own['permission']}", lambda: change_level(api, own, level))]


def identifier_of(api: MlflowApi, declared: Declaration, is_declared: IsDeclared) -> str | None:
    """What MLflow knows the object by, or None if it is declared and not there yet."""
    target, resource, workspace = declared["target"], declared["resource"], declared.get("workspace")
    if target == "experiment":
        found = find_experiment(api, resource, workspace)
        identifier = found and found["experiment_id"]
    else:
        identifier = resource if find_model(api, resource, workspace) else None
    if identifier is None and not is_declared(target.replace("_", " "), resource, workspace):
        kind = target.replace("_", " ")
        raise Impossible(f'there is no {kind} "{resource}". Declare it, or wait until somebody has made it')
    return identifier


def rows_of(api: MlflowApi, username: str) -> list[dict[str, Any]]:
    try:
        return api.get(f"{USERS}/permissions/list", username=username)["permissions"]
    except ApiError as error:
        if error.status in (404, 405) and not error.is_missing:
            raise Impossible("the server has no such permissions. It needs MLflow 3.17 or later") from error
        raise


def own_row(
    rows: list[dict[str, Any]], user_id: int, declared: Declaration, identifier: str
) -> dict[str, Any] | None:
    wanted = {
        "role_name": f"__user_{user_id}__",
        "workspace": declared.get("workspace") or DEFAULT_WORKSPACE,
        "resource_type": declared["target"],
        "resource_pattern": identifier,
    }
    return next((row for row in rows if wanted.items() <= row.items()), None)


def grant(api: MlflowApi, declared: Declaration) -> None:
    identifier = identifier_of(api, declared, lambda *_: False)
    body = {
        "username": declared["username"],
        "resource_type": declared["target"],
        "resource_id": identifier,
        "permission": declared["permission"],
    }
    api.send("POST", f"{USERS}/permissions/grant", body, declared.get("workspace"))


def change_level(api: MlflowApi, row: dict[str, Any], level: str) -> None:
    """In one step, so that the user has one of both at any time."""
    of_role = api.get(f"{ROLES}/permissions/list", role_id=str(row["role_id"]))["role_permissions"]
    same = ("resource_type", "resource_pattern")
    [found] = [each for each in of_role if all(each[name] == row[name] for name in same)]
    body = {"role_permission_id": found["id"], "permission": level}
    api.send("PATCH", f"{ROLES}/permissions/update", body)


def changes_of_membership(api: MlflowApi, declared: Declaration, user: dict[str, Any] | None) -> list[Change]:
    workspace, level = declared["resource"], declared["permission"]
    if user is not None:
        for row in rows_of(api, declared["username"]):
            if (
                row["workspace"] == workspace
                and row["resource_type"] == "workspace"
                and row["permission"] == level
            ):
                return []
    return [
        Change(f"grant {title(declared)}: {level}", lambda: join(api, declared["username"], workspace, level))
    ]


def join(api: MlflowApi, username: str, workspace: str, level: str) -> None:
    """By a role of the workspace that has this permission alone, which is made where there is none."""
    only = [("workspace", "*", level)]
    roles = api.get(f"{ROLES}/list", workspace=workspace)["roles"]
    role = next((each for each in roles if held_by(each) == only and not each["name"].startswith("__")), None)
    if role is None:
        name = WORKSPACE_ROLES[level]
        # A run that was killed may have left it without its permission.
        role = next((each for each in roles if each["name"] == name and not held_by(each)), None)
        if role is None:
            role = api.send("POST", f"{ROLES}/create", {"name": name, "workspace": workspace})["role"]
        [(resource_type, pattern, permission)] = only
        body = {"resource_type": resource_type, "resource_pattern": pattern, "permission": permission}
        api.send("POST", f"{ROLES}/permissions/add", {"role_id": role["id"], **body})
    api.send("POST", f"{ROLES}/assign", {"username": username, "role_id": role["id"]})


def held_by(role: dict[str, Any]) -> list[tuple[str, str, str]]:
    names = ("resource_type", "resource_pattern", "permission")
    return [tuple(each[name] for name in names) for each in role["permissions"]]  # type: ignore[misc]
