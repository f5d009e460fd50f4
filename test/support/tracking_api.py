"""MLflow's REST API by http.client: nothing tries again and hides what a server answered."""

from __future__ import annotations

import base64
import http.client
import json
from typing import Any, NamedTuple
from urllib.parse import urlsplit

API = "/api/2.0/mlflow/"


class Answer(NamedTuple):
    status: int  # 0: there was none
    text: str  # what came, or the exception

    def __str__(self) -> str:
        return f"{self.status} {self.text}" if self.status else self.text


class Caller:
    """One client with a run of its own.

    It keeps its connection, or has a `fresh` one for each request, so that a refused or reset one shows, too.
    """

    def __init__(
        self,
        url: str,
        *,
        fresh: bool = False,
        timeout: float = 120,
        user: tuple[str, str] | None = None,
        experiment_id: str = "0",
    ) -> None:
        self._headers = {"Content-Type": "application/json"}
        if user:
            token = base64.b64encode(":".join(user).encode()).decode()
            self._headers["Authorization"] = f"Basic {token}"
        place = urlsplit(url)
        kind = http.client.HTTPSConnection if place.scheme == "https" else http.client.HTTPConnection
        self._connection = kind(place.hostname or "", place.port, timeout=timeout)
        self._fresh, self._prefix = fresh, place.path
        created = self.post("runs/create", {"experiment_id": experiment_id, "start_time": 0})
        assert created.status == 200, created
        self.run_id: str = json.loads(created.text)["run"]["info"]["run_id"]
        self.disconnect()

    def disconnect(self) -> None:
        """Before it is idle: the server closes what is so for 5 s, perhaps under the next request."""
        self._connection.close()

    def post(self, path: str, body: dict[str, Any]) -> Answer:
        return self._call("POST", API + path, json.dumps(body))

    def get(self, path: str) -> Answer:
        return self._call("GET", API + path, None)

    def _call(self, method: str, path: str, body: str | None) -> Answer:
        try:
            self._connection.request(method, self._prefix + path, body, self._headers)
            response = self._connection.getresponse()
            answer = Answer(response.status, response.read().decode(errors="replace"))
        except (OSError, http.client.HTTPException) as error:
            answer = Answer(0, f"{type(error).__name__}: {error}")
        if self._fresh or answer.status == 0:
            self.disconnect()
        return answer
