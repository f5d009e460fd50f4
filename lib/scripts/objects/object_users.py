"""Users of MLflow's basic auth: those with a password from a Secret, and those whose Secret is made here.

A password cannot be read back, so a log-in says whether it is the one that MLflow has.
"""

from __future__ import annotations

import os
import secrets

from declared_objects import Change, Declaration, Impossible, title
from kubernetes_secrets import KubernetesSecrets
from mlflow_api import ApiError, MlflowApi

PATH = "/api/2.0/mlflow/users"
SHORTEST_PASSWORD = 12
RANDOM_BYTES = 32


def changes_of_user(api: MlflowApi, declared: Declaration) -> list[Change]:
    password = os.environ[declared["variable"]]
    if len(password) < SHORTEST_PASSWORD:
        raise Impossible(f"its password has fewer than {SHORTEST_PASSWORD} characters, which MLflow requires")
    return changes_for_password(api, declared, password)


def changes_of_service_user(api: MlflowApi, declared: Declaration) -> list[Change]:
    """The Secret first: whoever finds one without its user makes the user with that password."""
    store, name, secret = KubernetesSecrets(), declared["name"], declared["login"]
    found = store.find(secret)
    if found is None:
        login = {"username": name, "password": secrets.token_urlsafe(RANDOM_BYTES)}

        def make() -> None:
            store.create(secret, login, declared["labels"])
            for change in changes_for_password(api, declared, login["password"]):
                change.make()

        return [Change(f'create Secret "{secret}" with a new password of {title(declared)}', make)]
    if found.get("username") != name or len(found.get("password", "")) < SHORTEST_PASSWORD:
        raise Impossible(
            f'the Secret "{secret}" is not the login of this user.'
            " Declare another secretName, or delete the Secret"
        )
    return changes_for_password(api, declared, found["password"])


def changes_for_password(api: MlflowApi, declared: Declaration, password: str) -> list[Change]:
    name = declared["name"]
    found = find_user(api, name)
    is_admin = declared.get("is_admin")

    def set_admin() -> None:
        api.send("PATCH", f"{PATH}/update-admin", {"username": name, "is_admin": is_admin})

    if found is None:

        def make() -> None:
            api.send("POST", f"{PATH}/create", {"username": name, "password": password})
            if is_admin:
                set_admin()

        return [Change(f"create {title(declared)}", make)]
    changes = []
    if not api.accepts(name, password):
        if name == api.username:
            raise Impossible("this Job logs in as this user, with another password. Give both the same one")
        body = {"username": name, "password": password}
        changes.append(
            Change(
                f"update {title(declared)}: password",
                lambda: api.send("PATCH", f"{PATH}/update-password", body),
            )
        )
    if is_admin is not None and found.get("is_admin") != is_admin:
        if name == api.username:
            raise Impossible("this Job logs in as this user, who has to stay an administrator")
        changes.append(Change(f"update {title(declared)}: isAdmin {str(is_admin).lower()}", set_admin))
    return changes


def find_user(api: MlflowApi, name: str) -> dict | None:
    try:
        answer = api.find(f"{PATH}/get", username=name)
    except ApiError as error:
        if error.status == 404:
            raise Impossible("the server has no users of its own. It needs MlflowAuth.basic()") from error
        raise
    return answer and answer["user"]
