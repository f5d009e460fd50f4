"""apply_objects.py against a server of a few lines; test/pods/test_objects.py has the real one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import apply_objects
import mlflow_api
import object_users
import pytest
import requests
from conftest import Clock, TerminationLog
from declared_objects import Taken
from init_container import Failure
from mlflow_api import ApiError, MlflowApi, NotReady, answer_of
from object_permissions import join

ADMIN = "s3cret of admin"


class Answer(requests.Response):
    def __init__(self, status: int, body: Any) -> None:
        super().__init__()
        self.status_code = status
        self._content = (body if isinstance(body, str) else json.dumps(body)).encode()


def missing() -> Answer:
    return Answer(404, {"error_code": "RESOURCE_DOES_NOT_EXIST", "message": "none"})


class Server:
    """Experiments and users, in memory. `answers` come first, whatever is asked."""

    def __init__(self) -> None:
        self.experiments: dict[str, dict[str, Any]] = {}
        self.users = {"admin": {"username": "admin", "id": 1, "is_admin": True}}
        self.passwords = {"admin": ADMIN}
        self.answers: list[Answer | Exception] = []
        self.changes: list[str] = []
        # What somebody else makes right before this does.
        self.meanwhile: list[Any] = []

    def request(self, method: str, url: str, **options: Any) -> Answer:
        if self.answers:
            answer = self.answers.pop(0)
            if isinstance(answer, Exception):
                raise answer
            return answer
        login = options["auth"]
        if login is None or self.passwords.get(login[0].decode()) != login[1].decode():
            return Answer(401, "not you")
        path, _, query = url.removeprefix("http://mlflow").partition("?")
        value = requests.utils.unquote(query.partition("=")[2])
        if method == "GET":
            return self.get(path, value)
        if self.meanwhile:
            self.meanwhile.pop(0)()
        self.changes.append(f"{method} {path.rsplit('/', 1)[1]}")
        return self.change(path, options["json"])

    def get(self, path: str, value: str) -> Answer:
        if path.endswith("experiments/get-by-name"):
            found = self.experiments.get(value)
            return Answer(200, {"experiment": found}) if found else missing()
        if path.endswith("users/get"):
            user = self.users.get(value)
            return Answer(200, {"user": user}) if user else missing()
        return Answer(200, {})

    def change(self, path: str, body: dict[str, Any]) -> Answer:
        taken = {"error_code": "RESOURCE_ALREADY_EXISTS", "message": "taken"}
        if path.endswith("experiments/create"):
            if body["name"] in self.experiments:
                return Answer(400, taken)
            self.make_experiment(
                body["name"], body["tags"], body.get("artifact_location", "mlflow-artifacts:/1")
            )
        elif path.endswith("set-experiment-tag"):
            [found] = [e for e in self.experiments.values() if e["experiment_id"] == body["experiment_id"]]
            found["tags"].append({"key": body["key"], "value": body["value"]})
        elif path.endswith("users/create"):
            self.users[body["username"]] = {"username": body["username"], "id": 9, "is_admin": False}
            self.passwords[body["username"]] = body["password"]
        elif path.endswith("users/update-password"):
            self.passwords[body["username"]] = body["password"]
        elif path.endswith("users/update-admin"):
            self.users[body["username"]]["is_admin"] = body["is_admin"]
        return Answer(200, {})

    def make_experiment(self, name: str, tags: Any = (), location: str = "", stage: str = "active") -> None:
        self.experiments[name] = {
            "experiment_id": str(len(self.experiments) + 1),
            "tags": list(tags),
            "artifact_location": location,
            "lifecycle_stage": stage,
        }


class Secrets:
    """Kubernetes' Secrets, in memory."""

    found: dict[str, dict[str, str]] = {}  # noqa: RUF012
    meanwhile: dict[str, dict[str, str]] = {}  # noqa: RUF012

    def find(self, name: str) -> dict[str, str] | None:
        return self.found.get(name)

    def create(self, name: str, texts: dict[str, str], labels: dict[str, str]) -> None:
        if self.meanwhile:
            self.found.update(self.meanwhile)
            self.meanwhile.clear()
            raise Taken(name)
        assert labels == {"a": "b"}
        self.found[name] = texts


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> Server:
    server = Server()
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://mlflow/")
    monkeypatch.setenv("MLFLOW_TRACKING_USERNAME", "admin")
    monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", ADMIN)
    monkeypatch.delenv("OBJECTS_DRY_RUN", raising=False)
    monkeypatch.setattr(
        requests.Session, "request", lambda _, *words, **options: server.request(*words, **options)
    )
    monkeypatch.setattr(mlflow_api.time, "monotonic", clock)
    monkeypatch.setattr(mlflow_api.time, "sleep", clock.sleep)
    monkeypatch.setattr(object_users, "KubernetesSecrets", Secrets)
    Secrets.found, Secrets.meanwhile = {}, {}
    monkeypatch.setattr(apply_objects, "prepare", lambda _: None)
    return server


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Any:
    def run(*declared: dict[str, Any], **environment: str) -> tuple[int, list[str]]:
        file = tmp_path / "objects.json"
        file.write_text(json.dumps(declared))
        monkeypatch.setenv("OBJECTS_FILE", str(file))
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        code = apply_objects.main()
        return code, capsys.readouterr().out.splitlines()

    return run


CHURN = {"kind": "experiment", "name": "churn", "tags": {"a": "1", "b": "2"}}
ADA = {"kind": "user", "name": "ada", "variable": "OBJECT_0_PASSWORD"}
CI = {"kind": "service user", "name": "ci", "login": "ci-login", "labels": {"a": "b"}}


def test_what_is_there_is_not_made_again(server: Server, run: Any) -> None:
    assert run(CHURN) == (
        0,
        ['create experiment "churn"', "apply-objects: applied: 1 change, 0 objects unchanged"],
    )
    assert run(CHURN) == (
        0,
        ['unchanged experiment "churn"', "apply-objects: applied: 0 changes, 1 object unchanged"],
    )
    assert server.changes == ["POST create"]


def test_only_declared_tags_that_differ_are_set(server: Server, run: Any) -> None:
    server.make_experiment("churn", [{"key": "a", "value": "1"}, {"key": "mine", "value": ""}])
    code, lines = run(CHURN)
    assert (code, lines[0]) == (0, 'update experiment "churn": tag "b"')
    assert server.changes == ["POST set-experiment-tag"]


def test_dry_runs_change_nothing(server: Server, run: Any, termination_log: TerminationLog) -> None:
    would = "apply-objects: would-change: 1 change would be made. Apply them without dryRun"
    assert run(CHURN, OBJECTS_DRY_RUN="true") == (7, ['create experiment "churn"', would])
    assert termination_log.read_text() == f"{would}\n"
    server.make_experiment("churn", [{"key": "a", "value": "1"}, {"key": "b", "value": "2"}])
    as_declared = "apply-objects: unchanged: the server has all 1 objects as declared"
    assert run(CHURN, OBJECTS_DRY_RUN="true") == (0, ['unchanged experiment "churn"', as_declared])
    assert server.changes == []


def test_whatever_is_impossible_is_said_and_nothing_changed(server: Server, run: Any) -> None:
    server.make_experiment("gone", stage="deleted")
    server.make_experiment("here", location="s3://a/b")
    gone = {"kind": "experiment", "name": "gone"}
    here = {"kind": "experiment", "name": "here", "artifact_location": "s3://c"}
    code, lines = run(CHURN, gone, here, ADA, OBJECT_0_PASSWORD="elf letters")
    assert code == 1
    assert lines == [
        'apply-objects: impossible: experiment "gone": it was deleted. Restore it by'
        " `mlflow experiments restore -x 1`, or declare another name",
        'apply-objects: impossible: experiment "here": its artifacts are in s3://a/b, not in s3://c,'
        " and MLflow cannot change that. Declare that location or none, or another name",
        'apply-objects: impossible: user "ada": its password has fewer than 12 characters,'
        " which MLflow requires",
    ]
    assert server.changes == []
    assert run({**here, "artifact_location": "s3://a/b/"})[0] == 0


def test_what_somebody_else_makes_at_the_same_time(server: Server, run: Any) -> None:
    server.meanwhile = [lambda: server.make_experiment("churn", [{"key": "a", "value": "1"}])]
    assert run(CHURN)[1][0] == 'update experiment "churn": tag "b"'
    Secrets.meanwhile = {"ci-login": {"username": "ci", "password": "the other one's"}}
    assert run(CI)[1][0] == 'create service user "ci"'
    assert server.passwords["ci"] == "the other one's"


def test_passwords_of_users(server: Server, run: Any) -> None:
    password = "a long password"
    assert run({**ADA, "is_admin": True}, OBJECT_0_PASSWORD=password)[1][0] == 'create user "ada"'
    assert server.users["ada"]["is_admin"]
    # Left out, it stays.
    assert run(ADA)[1][0] == 'unchanged user "ada"'
    server.passwords["ada"] = "another password"
    assert run({**ADA, "is_admin": False})[1][:2] == [
        'update user "ada": password',
        'update user "ada": isAdmin false',
    ]
    assert (server.passwords["ada"], server.users["ada"]["is_admin"]) == (password, False)


def test_the_user_of_the_job_stays_as_it_is(server: Server, run: Any) -> None:
    admin = {**ADA, "name": "admin"}
    assert run(admin, OBJECT_0_PASSWORD=ADMIN)[0] == 0
    assert run({**admin, "is_admin": False})[1] == [
        'apply-objects: impossible: user "admin": this Job logs in as this user,'
        " who has to stay an administrator"
    ]
    assert run(admin, OBJECT_0_PASSWORD="another password")[1] == [
        'apply-objects: impossible: user "admin": this Job logs in as this user, with another password.'
        " Give both the same one"
    ]


def test_logins_of_pipelines(server: Server, run: Any) -> None:
    create = 'create Secret "ci-login" with a new password of service user "ci"'
    assert run(CI)[1][0] == create
    first = Secrets.found["ci-login"]["password"]
    assert (len(first), server.passwords["ci"]) == (43, first)
    assert run(CI)[1][0] == 'unchanged service user "ci"'
    # A run that has died in between: the Secret is there, and no user.
    del server.users["ci"]
    assert run(CI)[1][0] == 'create service user "ci"'
    assert server.passwords["ci"] == first
    # A new password.
    del Secrets.found["ci-login"]
    assert run(CI)[1][0] == create
    assert server.passwords["ci"] == Secrets.found["ci-login"]["password"] != first
    # A Secret of somebody else.
    Secrets.found["ci-login"]["username"] = "cd"
    assert run(CI)[1] == [
        'apply-objects: impossible: service user "ci": the Secret "ci-login" is not the login of this user.'
        " Declare another secretName, or delete the Secret"
    ]


@pytest.mark.parametrize(
    ("roles", "sent"),
    [
        ([(7, "user", "USE"), (8, "admin", "MANAGE")], ["assign 7"]),
        # Of a user alone, and one that a killed run has left.
        ([(7, "__user_1__", "USE"), (8, "user", None)], ["add 8 USE", "assign 8"]),
        ([], ["create user", "add 9 USE", "assign 9"]),
    ],
)
def test_members_of_a_workspace(roles: list[Any], sent: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []

    def request(_: Any, method: str, url: str, **options: Any) -> Answer:
        if method == "GET":
            assert url.endswith("/roles/list?workspace=team")
            assert options["headers"] == {}
            grant = {"resource_type": "workspace", "resource_pattern": "*"}
            of = [
                {"id": i, "name": name, "permissions": [{**grant, "permission": level}] if level else []}
                for i, name, level in roles
            ]
            return Answer(200, {"roles": of})
        body = options["json"]
        words = [url.rsplit("/", 1)[1], body.get("role_id"), body.get("name"), body.get("permission")]
        done.append(" ".join(str(word) for word in words if word))
        return Answer(200, {"role": {"id": 9}})

    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://mlflow")
    monkeypatch.setattr(requests.Session, "request", request)
    join(MlflowApi(), "ada", "team", "USE")
    assert done == sent


def test_an_error_of_the_server_is_said_without_a_secret(server: Server, run: Any) -> None:
    server.meanwhile = [lambda: server.answers.append(Answer(200, {}))]
    server.change = lambda *_: Answer(400, {"error_code": "INVALID", "message": f"bad: {ADMIN}"})  # type: ignore
    assert run(CHURN) == (
        1,
        [
            "apply-objects: refused: the server answered 400 to POST"
            " /api/2.0/mlflow/experiments/create: bad: ***"
        ],
    )


def test_waiting_for_the_server(server: Server, clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    server.answers = [requests.ConnectionError("refused"), Answer(503, ""), requests.Timeout("late")]
    MlflowApi().wait_until_ready(60)
    assert (clock.naps, capsys.readouterr().out) == ([2.0] * 3, "waiting: refused\n")
    server.answers = [requests.ConnectionError("refused")] * 100
    with pytest.raises(
        NotReady, match=r"^unreachable: after 60 s: refused\. Look at the pods of the server"
    ) as error:
        MlflowApi().wait_until_ready(60)
    assert error.value.code == 2


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (Answer(401, "no"), "wrong-login: the server answered 401: no. Give login an administrator"),
        (Answer(302, ""), "wrong-login: the server answered 302: . Give login an administrator"),
        (Answer(403, "Host"), "not-allowed: the server answered 403: Host. Give login an administrator"),
        (Answer(404, "None"), "not-mlflow: the server answered 404: None. Look at MLFLOW_TRACKING_URI"),
        (
            requests.exceptions.SSLError("self-signed"),
            "tls-untrusted: self-signed. Give MlflowObjects the ca",
        ),
    ],
)
def test_what_is_not_worth_waiting_for(server: Server, clock: Clock, answer: Any, text: str) -> None:
    server.answers = [answer]
    with pytest.raises(Failure) as error:
        MlflowApi().wait_until_ready(60)
    assert str(error.value).startswith(text)
    assert clock.naps == []


def test_a_server_that_is_being_replaced(server: Server, clock: Clock, run: Any) -> None:
    api = MlflowApi()
    server.answers = [Answer(502, ""), requests.ConnectionError("reset"), Answer(200, {"a": 1})]
    assert api.get("/x") == {"a": 1}
    assert clock.naps == [1.0, 2.0]
    # What is not switched on stays so.
    server.answers = [Answer(503, "Endpoint: /x disabled because the server is running without workspaces")]
    with pytest.raises(ApiError, match="without workspaces"):
        api.get("/x")
    server.answers = [requests.ConnectionError("reset")] * 6
    with pytest.raises(NotReady, match="unreachable: reset"):
        api.get("/x")


def test_answers() -> None:
    assert answer_of("GET", "/x", Answer(200, "not JSON")) == {}
    with pytest.raises(ApiError) as error:
        answer_of("GET", "/x?name=y", Answer(500, "oh no."))
    assert str(error.value) == "the server answered 500 to GET /x: oh no"
    assert (error.value.is_missing, error.value.is_taken) == (False, False)


def test_bad_settings(server: Server, run: Any) -> None:
    assert run(OBJECTS_WAIT_SECONDS="x") == (
        1,
        ["apply-objects: bad-settings: OBJECTS_WAIT_SECONDS must be a number of seconds from 0, got 'x'"],
    )
