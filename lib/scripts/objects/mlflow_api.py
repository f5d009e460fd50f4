"""MLflow's REST API, with the login and the CA that its own client reads from the environment.

MLFLOW_TRACKING_URI               the server, with its static prefix
MLFLOW_TRACKING_USERNAME, MLFLOW_TRACKING_PASSWORD   or MLFLOW_TRACKING_TOKEN
MLFLOW_TRACKING_SERVER_CERT_PATH  CA of its certificate (default: those of the image)
"""

from __future__ import annotations

import os
import time
from typing import Any, Optional
from urllib.parse import quote

import requests
from exit_codes import UNREACHABLE
from init_container import Failure, one_line, redact, required

POLL_SECONDS = 2.0
TIMEOUT_SECONDS = 60
# What a proxy or a server without its database answers.
RETRIED = (429, 502, 503, 504)
RETRY_PAUSES = (1.0, 2.0, 4.0, 8.0, 15.0)
READY_PATH = "/api/2.0/mlflow/experiments/search?max_results=1"
Login = Optional[tuple[bytes, bytes]]


class ApiError(Failure):
    """An answer that is none of success."""

    def __init__(self, method: str, path: str, status: int, answer: Any) -> None:
        fields = answer if isinstance(answer, dict) else {}
        self.status, self.error_code = status, str(fields.get("error_code", ""))
        said = one_line(redact(str(fields.get("message") or answer)))[:500].rstrip(".")
        super().__init__(f"the server answered {status} to {method} {path}: {said}")

    @property
    def is_missing(self) -> bool:
        """Whether there is no such object. Another 404 is a path that the server does not have."""
        return self.error_code == "RESOURCE_DOES_NOT_EXIST"

    @property
    def is_taken(self) -> bool:
        """Whether somebody else has just made the object."""
        return self.error_code == "RESOURCE_ALREADY_EXISTS"


class NotReady(Failure):
    code = UNREACHABLE


class MlflowApi:
    def __init__(self) -> None:
        self.uri = required("MLFLOW_TRACKING_URI").rstrip("/")
        self.session = requests.Session()
        self.username = os.environ.get("MLFLOW_TRACKING_USERNAME", "")
        self.login = login_of(self.username, os.environ.get("MLFLOW_TRACKING_PASSWORD", ""))
        token = os.environ.get("MLFLOW_TRACKING_TOKEN")
        if token:
            self.session.headers["Authorization"] = f"Bearer {token}"
        # Given with each request: REQUESTS_CA_BUNDLE would win over the session's.
        self.ca = os.environ.get("MLFLOW_TRACKING_SERVER_CERT_PATH") or None

    def get(self, path: str, in_workspace: str | None = None, **query: str) -> dict[str, Any]:
        arguments = "&".join(f"{name}={quote(value, safe='')}" for name, value in query.items())
        return self.call("GET", f"{path}?{arguments}" if arguments else path, workspace=in_workspace)

    def find(self, path: str, in_workspace: str | None = None, **query: str) -> dict[str, Any] | None:
        """What `get` answers, or None if there is no such object."""
        try:
            return self.get(path, in_workspace, **query)
        except ApiError as error:
            if error.is_missing:
                return None
            raise

    def send(self, method: str, path: str, body: Any, workspace: str | None = None) -> dict[str, Any]:
        return self.call(method, path, body, workspace)

    def call(self, method: str, path: str, body: Any = None, workspace: str | None = None) -> dict[str, Any]:
        return answer_of(method, path, self.retried(method, path, body, workspace, self.login))

    def accepts(self, username: str, password: str) -> bool:
        """Whether a user can log in with a password."""
        path = "/api/2.0/mlflow/users/current"
        response = self.retried("GET", path, None, None, login_of(username, password))
        if response.status_code == 401:
            return False
        answer_of("GET", path, response)
        return True

    def retried(
        self, method: str, path: str, body: Any, workspace: str | None, login: Login
    ) -> requests.Response:
        """A server that is about to be replaced, or whose database is, is asked again."""
        for pause in RETRY_PAUSES:
            try:
                response = self.request(method, path, body, workspace, login)
                if not is_retried(response):
                    return response
            except (requests.ConnectionError, requests.Timeout):
                pass
            time.sleep(pause)
        try:
            return self.request(method, path, body, workspace, login)
        except (requests.ConnectionError, requests.Timeout) as error:
            raise NotReady(f"unreachable: {one_line(str(error))}. {LOOK_AT_SERVER}") from error

    def request(
        self, method: str, path: str, body: Any, workspace: str | None, login: Login
    ) -> requests.Response:
        headers = {} if workspace is None else {"X-MLFLOW-WORKSPACE": workspace}
        return self.session.request(
            method,
            self.uri + path,
            json=body,
            headers=headers,
            auth=login,
            timeout=TIMEOUT_SECONDS,
            verify=self.ca,
            allow_redirects=False,
        )

    def wait_until_ready(self, seconds: float) -> None:
        """Return when the server answers from its database. A wrong login or certificate is said at once."""
        deadline, said = time.monotonic() + seconds, False
        while True:
            try:
                response = self.request("GET", READY_PATH, None, None, self.login)
                if response.status_code < 500:
                    return check_login(response)
                seen = f"the server answered {response.status_code}"
            except requests.exceptions.SSLError as error:
                raise Failure(f"tls-untrusted: {one_line(str(error))}. {CHECK_CA}") from error
            except (requests.ConnectionError, requests.Timeout) as error:
                seen = one_line(str(error))
            if time.monotonic() >= deadline:
                raise NotReady(f"unreachable: after {seconds:.0f} s: {seen}. {LOOK_AT_SERVER}")
            if not said:
                print(f"waiting: {seen}", flush=True)
                said = True
            time.sleep(POLL_SECONDS)


LOOK_AT_SERVER = "Look at the pods of the server, and raise deadline if they need longer"
CHECK_CA = "Give MlflowObjects the ca that signed the certificate of the server"


def is_retried(response: requests.Response) -> bool:
    # MLflow answers 503 for what the server has not switched on, too.
    return response.status_code in RETRIED and "disabled because" not in response.text


def login_of(username: str, password: str) -> Login:
    # As bytes: requests would encode texts as Latin-1.
    return (username.encode(), password.encode()) if username else None


def check_login(response: requests.Response) -> None:
    status = response.status_code
    if status == 200:
        return
    said = one_line(redact(response.text))[:200].rstrip(".")
    if status in (302, 401):
        raise Failure(f"wrong-login: the server answered {status}: {said}. Give login an administrator")
    if status == 403:
        raise Failure(f"not-allowed: the server answered 403: {said}. Give login an administrator")
    raise Failure(f"not-mlflow: the server answered {status}: {said}. Look at MLFLOW_TRACKING_URI")


def answer_of(method: str, path: str, response: requests.Response) -> dict[str, Any]:
    try:
        answer: Any = response.json()
    except ValueError:
        answer = response.text
    if not response.ok or response.is_redirect:
        raise ApiError(method, path.partition("?")[0], response.status_code, answer)
    return answer if isinstance(answer, dict) else {}
