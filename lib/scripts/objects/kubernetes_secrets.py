"""Secrets of the pod's namespace, by Kubernetes' API server and the token of the pod's ServiceAccount."""

from __future__ import annotations

import base64
import os
from pathlib import Path
from typing import Any

import requests
from declared_objects import Taken
from init_container import Failure, one_line, required

ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
TIMEOUT_SECONDS = 30


class KubernetesSecrets:
    def __init__(self, account: Path = ACCOUNT) -> None:
        host, port = required("KUBERNETES_SERVICE_HOST"), os.environ.get("KUBERNETES_SERVICE_PORT", "443")
        namespace = (account / "namespace").read_text()
        address = f"[{host}]" if ":" in host else host
        self.url = f"https://{address}:{port}/api/v1/namespaces/{namespace}/secrets"
        self.token, self.ca = (account / "token").read_text(), str(account / "ca.crt")

    def find(self, name: str) -> dict[str, str] | None:
        """The texts of a Secret, or None."""
        response = self._request("GET", f"/{name}")
        if response.status_code == 404:
            return None
        _check(response, f'read the Secret "{name}"')
        data = response.json().get("data") or {}
        return {key: base64.b64decode(value).decode(errors="replace") for key, value in data.items()}

    def create(self, name: str, texts: dict[str, str], labels: dict[str, str]) -> None:
        manifest = {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": name, "labels": labels},
            "type": "Opaque",
            "stringData": texts,
        }
        response = self._request("POST", "", manifest)
        if response.status_code == 409:
            raise Taken(name)
        _check(response, f'create the Secret "{name}"')

    def _request(self, method: str, path: str, body: Any = None) -> requests.Response:
        session = requests.Session()
        # The API server is in the cluster: no proxy, and its own CA alone.
        session.trust_env = False
        headers = {"Authorization": f"Bearer {self.token}"}
        try:
            return session.request(
                method, self.url + path, json=body, headers=headers, verify=self.ca, timeout=TIMEOUT_SECONDS
            )
        except requests.RequestException as error:
            raise Failure(
                f"no-api-server: {one_line(str(error))}. Open the way to Kubernetes' API server: apiServer"
            ) from error


def _check(response: requests.Response, what: str) -> None:
    if not response.ok:
        said = one_line(response.text)[:300].rstrip(".")
        raise Failure(
            f"no-secret: cannot {what}: {response.status_code}: {said}."
            " The ServiceAccount needs the Role of MlflowObjects"
        )
