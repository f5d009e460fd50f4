"""Endpoints of the AI Gateway, with the model definitions that they link and the API keys of these.

MLflow keeps three kinds of objects. Here they belong together by their names: the endpoint `chat` links the
definitions `chat/1`, `chat/2` and so on, and these use the keys `chat/1/openai`, with the name of their
provider: MLflow cannot change that of a key. No other endpoint can have these names, since theirs have no
slash. An endpoint that links other definitions is somebody else's, and is not touched.

A key is set together with the address that it is sent to, and a definition gets provider, model and key at
once: at no moment does a provider get the key of another.

The keys cannot be read back, so each run sets them.
"""

from __future__ import annotations

import os
import re

from declared_objects import Change, Declaration, Impossible, Taken, title
from mlflow_api import ApiError, MlflowApi

PATH = "/api/3.0/mlflow/gateway"
KEYS, DEFINITIONS, ENDPOINTS = f"{PATH}/secrets", f"{PATH}/model-definitions", f"{PATH}/endpoints"
# What nobody else has: MLflow itself does not look.
ONLY_ONE = "uq_endpoints_workspace_name"
Rows = dict


class Present:
    """What the server has of an endpoint, its definitions and its keys, by their names."""

    def __init__(self, api: MlflowApi, declared: Declaration) -> None:
        workspace, name = declared.get("workspace"), declared["name"]
        self.endpoint: Rows | None = (found(api, f"{ENDPOINTS}/get", workspace, name=name) or {}).get(
            "endpoint"
        )
        definitions = found(api, f"{DEFINITIONS}/list", workspace) or {}
        keys = found(api, f"{KEYS}/list", workspace) or {}
        self.definitions: dict[str, Rows] = {
            each["name"]: each for each in definitions.get("model_definitions", [])
        }
        self.keys: dict[str, Rows] = {each["secret_name"]: each for each in keys.get("secrets", [])}


def found(api: MlflowApi, path: str, workspace: str | None, **query: str) -> Rows | None:
    try:
        return api.find(path, workspace, **query)
    except ApiError as error:
        if error.status == 404:
            raise Impossible("the server has no AI Gateway. It needs MLflow 3.17 or later") from error
        if error.status == 501:
            raise Impossible("the AI Gateway is switched off: MLFLOW_ENABLE_AI_GATEWAY") from error
        raise


class Model:
    """A declared model, by its number from 1."""

    def __init__(self, declared: Declaration, number: int, fields: Rows) -> None:
        self.number = number
        self.name = f"{declared['name']}/{number}"
        self.key_name = f"{self.name}/{fields['provider']}"
        self.texts = {name: fields[name] for name in ("provider", "model_name")}
        self.auth_config: dict[str, str] = without_blanks(fields["auth_config"])
        self.key = key_of(number, os.environ[declared["variables"][number - 1]])

    def differs(self, present: Present) -> bool:
        """Whether anything but the key itself is not as declared."""
        key, definition = present.keys.get(self.key_name), present.definitions.get(self.name)
        if key is not None and key.get("provider", "") != self.texts["provider"]:
            raise Impossible(
                f'the API key "{self.key_name}" is there for another provider, and MLflow cannot change that.'
                " Delete it in MLflow"
            )
        if key is None or definition is None:
            return True
        texts = {**self.texts, "secret_id": key["secret_id"]}
        return differ(definition, texts) or without_blanks(key.get("auth_config", {})) != self.auth_config

    def bring(self, api: MlflowApi, workspace: str | None, present: Present) -> str:
        """Make or change its key and its definition, and return the id of the definition."""
        definition = present.definitions.get(self.name)
        texts = {**self.texts, "secret_id": self.bring_key(api, workspace, present)}
        if definition is None:
            body = {"name": self.name, **texts}
            made = api.send("POST", f"{DEFINITIONS}/create", body, workspace)["model_definition"]
            return str(made["model_definition_id"])
        identifier = str(definition["model_definition_id"])
        if differ(definition, texts):
            body = {"model_definition_id": identifier, **texts}
            api.send("POST", f"{DEFINITIONS}/update", body, workspace)
        return identifier

    def bring_key(self, api: MlflowApi, workspace: str | None, present: Present) -> str:
        key = present.keys.get(self.key_name)
        # An empty address is none. With nothing in it, MLflow would leave what it has.
        config = self.auth_config or {"api_base": ""}
        body: Rows = {"secret_value": {"api_key": self.key}, "auth_config": config}
        if key is None:
            body |= {"secret_name": self.key_name, "provider": self.texts["provider"]}
            return str(api.send("POST", f"{KEYS}/create", body, workspace)["secret"]["secret_id"])
        api.send("POST", f"{KEYS}/update", {"secret_id": key["secret_id"], **body}, workspace)
        return str(key["secret_id"])


def key_of(number: int, key: str) -> str:
    if not re.fullmatch(r"[!-~]+", key):
        raise Impossible(f"the API key of model {number} must be ASCII without spaces and line breaks")
    return key


def differ(row: Rows, texts: dict[str, str]) -> bool:
    return any(row.get(name, "") != text for name, text in texts.items())


def without_blanks(config: dict[str, str]) -> dict[str, str]:
    return {name: text for name, text in config.items() if text}


def changes_of_gateway_endpoint(api: MlflowApi, declared: Declaration) -> list[Change]:
    named = title(declared)
    models = [Model(declared, number, fields) for number, fields in enumerate(declared["models"], 1)]
    present = Present(api, declared)
    differing = [f"model {model.number}" for model in models if model.differs(present)]
    if present.endpoint is None:
        return [Change(f"create {named}", lambda: bring(api, declared, models, present))]
    check_links(declared, present.endpoint)
    differing += differing_fields(declared, models, present.endpoint)
    if differing:
        line, is_known = f"update {named}: {', '.join(differing)}", True
    else:
        line, is_known = f"set {named}: API keys, which cannot be compared", False
    return [Change(line, lambda: bring(api, declared, models, present), is_known)]


def check_links(declared: Declaration, endpoint: Rows) -> None:
    own = re.compile(re.escape(declared["name"]) + r"/[1-9]\d*")
    names = [each.get("model_definition", {}).get("name", "") for each in endpoint.get("model_mappings", [])]
    others = sorted(name for name in names if not own.fullmatch(name))
    if others:
        raise Impossible(
            f"it is there with models that are not declared: {', '.join(others)}."
            " Delete it in MLflow, or declare another name"
        )


def differing_fields(declared: Declaration, models: list[Model], endpoint: Rows) -> list[str]:
    differing = []
    if links_of(endpoint) != [link_of(model, model.name) for model in models]:
        differing.append("list of models")
    if declared.get("usage_tracking") not in (None, endpoint.get("usage_tracking", True)):
        differing.append("usageTracking")
    return differing


def links_of(endpoint: Rows) -> list[Rows]:
    """The links of an endpoint by the names of their definitions, in the order of calls."""
    links = [
        {
            "model_definition_id": each.get("model_definition", {}).get("name"),
            "linkage_type": each["linkage_type"],
            **({"fallback_order": each["fallback_order"]} if "fallback_order" in each else {}),
        }
        for each in endpoint.get("model_mappings", [])
    ]
    return sorted(links, key=lambda link: (link["linkage_type"] != "PRIMARY", link.get("fallback_order", 0)))


def link_of(model: Model, identifier: str) -> Rows:
    if model.number == 1:
        return {"model_definition_id": identifier, "linkage_type": "PRIMARY"}
    return {
        "model_definition_id": identifier,
        "linkage_type": "FALLBACK",
        "fallback_order": model.number - 2,
    }


def bring(api: MlflowApi, declared: Declaration, models: list[Model], present: Present) -> None:
    """Make or change what differs: first the keys and definitions, then the endpoint that links them."""
    workspace, endpoint = declared.get("workspace"), present.endpoint
    links = [link_of(model, model.bring(api, workspace, present)) for model in models]
    fields = {name: declared[name] for name in ("usage_tracking",) if name in declared}
    if endpoint is None:
        body = {"name": declared["name"], "model_configs": links, **fields}
        try:
            api.send("POST", f"{ENDPOINTS}/create", body, workspace)
        except ApiError as error:
            if ONLY_ONE in str(error):
                raise Taken from error
            raise
        return
    differing = differing_fields(declared, models, endpoint)
    if "list of models" in differing:
        # Without it, MLflow would forget how many are to be tried.
        fallback = {name: endpoint[name] for name in ("fallback_config",) if name in endpoint}
        fields |= {"model_configs": links, **fallback}
    if differing:
        api.send("POST", f"{ENDPOINTS}/update", {"endpoint_id": endpoint["endpoint_id"], **fields}, workspace)
