"""Make the objects of MLflow that an app declares, by MLflow's REST API. What is not declared stays as it is.

Environment:
  MLFLOW_TRACKING_*       the server and the login of an administrator: mlflow_api.py
  OBJECTS_FILE            the declarations, as a list of JSON
  OBJECTS_DRY_RUN         true: only say what would change
  OBJECTS_WAIT_SECONDS    how long to wait for the server (default 600)
  OBJECT_<n>_PASSWORD, OBJECT_<n>_<m>_PASSWORD   what is secret in a declaration, which names the variable

It looks at all objects first. If one of them is impossible, it says so of all that are, and changes nothing.
Then it takes one after the other, with a line for each change: `create experiment "churn"`,
`unchanged registered model "churn"`. A further run changes nothing, but sets what nobody can read back; a run
that was killed is completed by the next one; of two at once, one makes an object and the other finds it.

Last line on stdout when it ends well: `apply-objects: applied: <n> changes, <n> objects unchanged`

Exit codes: 0 done; 1 failed (the cause is named); 2 the server could not be reached in time; 7 a dry run that
found what would change; 143 stopped by SIGTERM. The lines of all failures are also the termination message.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Callable

from declared_objects import Change, Declaration, Impossible, Taken, title
from exit_codes import DONE, FAILED, WOULD_CHANGE
from init_container import BadSetting, Failure, fail, one_line, prepare, redact, required, seconds_from
from mlflow_api import ApiError, MlflowApi
from object_experiments import changes_of_experiment
from object_gateway import changes_of_gateway_endpoint
from object_models import changes_of_model
from object_permissions import changes_of_permission
from object_users import changes_of_service_user, changes_of_user
from object_webhooks import changes_of_webhook
from object_workspaces import changes_of_workspace, has_workspace

PROGRAM = "apply-objects"
# Of others that make the same object at the same time.
ATTEMPTS = 5
Changes = Callable[[MlflowApi, Declaration], "list[Change]"]


class Objects:
    """The declarations, each after what it needs."""

    def __init__(self, declared: list[Declaration]) -> None:
        self.declared = declared
        self.names = {(each["kind"], each["name"], workspace_of(each.get("workspace"))) for each in declared}

    def is_declared(self, kind: str, name: str, workspace: str | None) -> bool:
        return (kind, name, workspace_of(workspace)) in self.names

    def changes(self, api: MlflowApi, declared: Declaration) -> list[Change]:
        workspace = declared.get("workspace")
        if (
            workspace
            and not self.is_declared("workspace", workspace, None)
            and not has_workspace(api, workspace)
        ):
            raise Impossible(f'there is no workspace "{workspace}". Declare an MlflowWorkspace')
        if declared["kind"] == "permission":
            return changes_of_permission(api, declared, self.is_declared)
        return KINDS[declared["kind"]](api, declared)


def workspace_of(name: str | None) -> str:
    return name or "default"


KINDS: dict[str, Changes] = {
    "workspace": changes_of_workspace,
    "experiment": changes_of_experiment,
    "registered model": changes_of_model,
    "gateway endpoint": changes_of_gateway_endpoint,
    "user": changes_of_user,
    "service user": changes_of_service_user,
    "webhook": changes_of_webhook,
}


def impossible_ones(api: MlflowApi, objects: Objects) -> list[str]:
    found = []
    for declared in objects.declared:
        try:
            objects.changes(api, declared)
        except Impossible as reason:
            found.append(f"{PROGRAM}: impossible: {title(declared)}: {reason}")
    return found


def apply(api: MlflowApi, objects: Objects, declared: Declaration) -> int:
    """Carries out what an object needs, and returns the number of known changes."""
    for attempt in range(1, ATTEMPTS + 1):
        changes = objects.changes(api, declared)
        try:
            for change in changes:
                change.make()
                print(change.line, flush=True)
        except (ApiError, Taken) as error:
            is_taken = isinstance(error, Taken) or error.is_taken
            if not is_taken or attempt == ATTEMPTS:
                raise
            continue
        if not changes:
            print(f"unchanged {title(declared)}", flush=True)
        return known(changes)
    raise AssertionError


def known(changes: list[Change]) -> int:
    return sum(change.is_known for change in changes)


def would_change(api: MlflowApi, objects: Objects) -> int:
    lines = 0
    for declared in objects.declared:
        changes = objects.changes(api, declared)
        for change in changes:
            print(change.line, flush=True)
        if not changes:
            print(f"unchanged {title(declared)}", flush=True)
        lines += known(changes)
    if lines == 0:
        print(
            f"{PROGRAM}: unchanged: the server has all {len(objects.declared)} objects as declared",
            flush=True,
        )
        return DONE
    return fail(
        f"{PROGRAM}: would-change: {counted(lines, 'change')} would be made. Apply them without dryRun",
        WOULD_CHANGE,
    )


def counted(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


def run(api: MlflowApi, objects: Objects, is_dry: bool) -> int:
    problems = impossible_ones(api, objects)
    if problems:
        return fail("\n".join(problems), FAILED)
    if is_dry:
        return would_change(api, objects)
    counts = [apply(api, objects, declared) for declared in objects.declared]
    unchanged = counted(counts.count(0), "object")
    print(f"{PROGRAM}: applied: {counted(sum(counts), 'change')}, {unchanged} unchanged", flush=True)
    return DONE


def main() -> int:
    prepare(PROGRAM)
    try:
        wait = seconds_from("OBJECTS_WAIT_SECONDS", 600)
        objects = Objects(json.loads(Path(required("OBJECTS_FILE")).read_text()))
        api = MlflowApi()
        api.wait_until_ready(wait)
        return run(api, objects, os.environ.get("OBJECTS_DRY_RUN") == "true")
    except BadSetting as error:
        return fail(f"{PROGRAM}: bad-settings: {error}", FAILED)
    except Impossible as reason:  # since it has looked
        return fail(f"{PROGRAM}: impossible: {reason}", FAILED)
    except ApiError as error:
        return fail(f"{PROGRAM}: refused: {error}", FAILED)
    except Failure as error:
        return fail(f"{PROGRAM}: {error}", error.code)
    except Exception as error:
        return fail(f"{PROGRAM}: unexpected: {redact(one_line(repr(error)))}", FAILED)


if __name__ == "__main__":
    sys.exit(main())
