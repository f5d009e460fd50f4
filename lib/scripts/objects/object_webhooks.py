"""Webhooks: their URL, events, description, status and secret.

MLflow knows a webhook by an id, and allows several of one name. Here the name in its workspace identifies it:
of several, none is touched. Whoever makes one looks whether somebody else has made one meanwhile, and then
takes its own away again.

The secret cannot be read back, so each run sets it.
"""

from __future__ import annotations

import os
import time
from typing import Any

from declared_objects import Change, Declaration, Impossible, Taken, title
from mlflow_api import ApiError, MlflowApi

PATH = "/api/2.0/mlflow/webhooks"
# How lines name the fields of MLflow.
FIELDS = {"url": "url", "events": "events", "description": "description", "status": "isActive"}
# MLflow's column has 1000 characters, and encryption makes 687 bytes that long.
LONGEST_SECRET = 687
PAUSE_SECONDS = 2.0
# A read replica may be behind.
LOOKS = 5


def changes_of_webhook(api: MlflowApi, declared: Declaration) -> list[Change]:
    workspace, named = declared.get("workspace"), title(declared)
    fields, secret = fields_of(declared), secret_of(declared)
    found = of_name(api, declared)
    if len(found) > 1:
        ids = ", ".join(sorted(each["webhook_id"] for each in found))
        raise Impossible(
            f"there are {len(found)} webhooks of this name: {ids}. Delete or rename all but one of them"
        )
    if not found:
        return [Change(f"create {named}", lambda: create(api, declared, {**fields, **secret}))]
    [present] = found
    path = f"{PATH}/{present['webhook_id']}"
    differing = {field: value for field, value in fields.items() if differs(field, value, present)}
    body = {**differing, **secret}
    if not body:
        return []

    def update() -> None:
        api.send("PATCH", path, body, workspace)

    if not differing:
        return [Change(f"set {named}: secret, which cannot be compared", update, is_known=False)]
    words = [FIELDS[field] for field in differing] + list(secret)
    return [Change(f"update {named}: {', '.join(words)}", update)]


def fields_of(declared: Declaration) -> dict[str, Any]:
    """What is declared, as MLflow has it."""
    pairs = [event.upper().split(".") for event in declared["events"]]
    fields = {
        "url": declared["url"],
        "events": [{"entity": entity, "action": action} for entity, action in pairs],
    }
    if "description" in declared:
        fields["description"] = declared["description"]
    if "is_active" in declared:
        fields["status"] = "ACTIVE" if declared["is_active"] else "DISABLED"
    return fields


def secret_of(declared: Declaration) -> dict[str, str]:
    if "variable" not in declared:
        return {}
    secret = os.environ[declared["variable"]]
    if not 1 <= len(secret.encode()) <= LONGEST_SECRET:
        raise Impossible(f"its secret must have 1 to {LONGEST_SECRET} bytes, got {len(secret.encode())}")
    return {"secret": secret}


def differs(field: str, value: Any, present: dict[str, Any]) -> bool:
    if field == "events":
        return pairs_of(value) != pairs_of(present["events"])
    return bool(value != present.get(field, ""))


def pairs_of(events: list[dict[str, str]]) -> set[tuple[str, str]]:
    return {(event["entity"], event["action"]) for event in events}


def of_name(api: MlflowApi, declared: Declaration) -> list[dict[str, Any]]:
    """The webhooks of this name, the oldest first."""
    found, token = [], ""
    while True:
        query = {"page_token": token} if token else {}
        answer = page(api, declared.get("workspace"), query) or {}
        found += [each for each in answer.get("webhooks", []) if each["name"] == declared["name"]]
        token = answer.get("next_page_token", "")
        if not token:
            return sorted(found, key=lambda each: (int(each["creation_timestamp"]), each["webhook_id"]))


def page(api: MlflowApi, workspace: str | None, query: dict[str, str]) -> dict[str, Any] | None:
    try:
        return api.find(PATH, workspace, **query)
    except ApiError as error:
        if error.status == 404:
            raise Impossible("the server has no webhooks. It needs MLflow 3.15 or later") from error
        if error.status == 500:
            raise Impossible(
                "the server cannot list its webhooks. If they have secrets, give it the encryption.webhookKey"
                f" with which these were stored ({error})"
            ) from error
        raise


def create(api: MlflowApi, declared: Declaration, fields: dict[str, Any]) -> None:
    workspace = declared.get("workspace")
    body = {"name": declared["name"], **fields}
    own = api.send("POST", PATH, body, workspace)["webhook"]["webhook_id"]
    if not is_only_one(api, declared, own):
        api.send("DELETE", f"{PATH}/{own}", None, workspace)
        raise Taken


def is_only_one(api: MlflowApi, declared: Declaration, own: str) -> bool:
    """Of several, the oldest stays, as long as the others go: one that nobody takes away was there before."""
    for _ in range(LOOKS):
        ids = [each["webhook_id"] for each in of_name(api, declared)]
        if ids == [own]:
            return True
        if own in ids and ids[0] != own:
            return False
        time.sleep(PAUSE_SECONDS)
    return own not in ids
