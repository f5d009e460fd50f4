"""Logging in with MLflow's own users: what is let in, what is not, and that the users are made once."""

from __future__ import annotations

import base64
import contextlib
import re
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import mlflow.server.auth.client
import pytest
import synthesis
from conftest import MakePostgres
from kubelet.kubernetes import Document, Namespace
from kubelet.pod import Pod
from loading import Load, Sampler, create_model, log_batch, search
from mlflow import MlflowException
from postgres import Postgres
from tracking import DEFAULT_EXPERIMENT, check_everything, client_of, log_everything, request, url_of
from tracking_api import Caller
from werkzeug.security import generate_password_hash

PASSWORD = "correct horse battery"
HEAD = "SELECT version_num FROM alembic_version_auth"
DONE = r"init-mlflow: users ([\w-]+): revision (\w+) -> (\w+) in \d+\.\d s \(waited \d+\.\d s for the lock\)"
ODD_PASSWORDS = {
    "percent-and-quotes": "%(x)s 100% ' \" \\ $HOME $(PGUSER) : @/#?&;=",
    "spaces-around": "  twelve characters  ",
    "not-ascii": "pässwörd-пароль-密码-🔑",
}


def secret(password: str = PASSWORD, passphrase: str = "p" * 40) -> Document:
    data = {"admin-password": password, "flask-key": "f" * 40, "passphrase": passphrase}
    return {"kind": "Secret", "metadata": {"name": "auth"}, "stringData": data}


def start(namespace: Namespace, password: str = PASSWORD, **options: object) -> list[Pod]:
    namespace.apply([secret(password), *synthesis.server(**{"basicAuth": {}, **options})])
    return [pod.wait_ready(300) for pod in namespace.deployment()]


def log_in(monkeypatch: pytest.MonkeyPatch, user: str | None, password: str = PASSWORD) -> None:
    for name, value in (("USERNAME", user), ("PASSWORD", password if user else None)):
        monkeypatch.delenv(f"MLFLOW_TRACKING_{name}", raising=False)
        if value is not None:
            monkeypatch.setenv(f"MLFLOW_TRACKING_{name}", value)


def users_of(pod: Pod) -> mlflow.server.auth.client.AuthServiceClient:
    return mlflow.server.auth.client.AuthServiceClient(f"http://{pod.address}:5000")


def outcome(pod: Pod) -> str:
    match = re.fullmatch(DONE, pod.init[-1].log.splitlines()[-1])
    assert match, pod.init[-1].log
    return match[1]


def test_right_wrong_and_no_password(
    namespace: Namespace, postgres: Postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    [pod] = start(namespace)
    assert outcome(pod) == "initialised"
    log_in(monkeypatch, "admin")
    check_everything(client_of(pod), log_everything(client_of(pod), "mine", tmp_path), tmp_path / "read")
    log_in(monkeypatch, "admin", "another password")
    with pytest.raises(MlflowException, match="401"):
        client_of(pod).get_experiment("0")
    log_in(monkeypatch, None)
    with pytest.raises(MlflowException, match="401"):
        client_of(pod).get_experiment("0")
    open_paths = {
        path: request(pod, path).status for path in ("/health", "/version", "/", DEFAULT_EXPERIMENT)
    }
    assert open_paths == {"/health": 200, "/version": 401, "/": 401, DEFAULT_EXPERIMENT: 401}
    # In the same database, each with its own table of revisions.
    assert postgres.value(HEAD) != postgres.value("SELECT version_num FROM alembic_version")
    assert_secret(namespace, postgres, pod)


def test_below_a_prefix(namespace: Namespace, postgres: Postgres) -> None:
    """MLflow compares the beginnings of paths: what is open must not open the rest (is_unprotected_route)."""
    [pod] = start(namespace, staticPrefix="/team/static")
    paths = ("/health", "/version", DEFAULT_EXPERIMENT, "/api/2.0/mlflow-artifacts/artifacts/none")
    asked = {path: request(pod, f"/team/static{path}").status for path in paths}
    assert asked == {path: 200 if path == "/health" else 401 for path in paths}
    # MLflow has these routes without the prefix, too.
    assert request(pod, paths[-1]).status == 401


def test_a_second_user_may_do_what_they_are_allowed_to(
    namespace: Namespace, postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    [pod] = start(namespace)
    log_in(monkeypatch, "admin")
    users_of(pod).create_user("reader", "another password")
    experiment = client_of(pod).create_experiment("admins-only")
    log_in(monkeypatch, "reader", "another password")
    assert client_of(pod).get_experiment(experiment).name == "admins-only"
    with pytest.raises(MlflowException, match=r"403|Permission denied"):
        client_of(pod).set_experiment_tag(experiment, "stage", "test")
    client_of(pod).set_experiment_tag(client_of(pod).create_experiment("own"), "stage", "test")
    with pytest.raises(MlflowException, match=r"403|Permission denied"):
        users_of(pod).create_user("third", "another password")

    # Users survive their pod, and a changed Secret changes nobody's password.
    pod.delete()
    [again] = start(namespace, "the new password of the Secret")
    assert outcome(again) == "up-to-date"
    assert client_of(again).get_experiment(experiment).name == "admins-only"
    log_in(monkeypatch, "admin")
    assert users_of(again).get_user("reader").username == "reader"


def test_metrics_are_for_administrators(
    namespace: Namespace, postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As MlflowMonitoring demands it: Prometheus has the login of one, and needs no other right."""
    [pod] = start(namespace, metrics=True, workers=2)
    log_in(monkeypatch, "admin")
    users_of(pod).create_user("reader", "another password")
    users_of(pod).create_user("prometheus", "its own password")
    users_of(pod).update_user_admin("prometheus", True)

    def scrape(login: str) -> tuple[int, bool]:
        headers = {"Authorization": f"Basic {base64.b64encode(login.encode()).decode()}"} if login else {}
        answer = request(pod, "/metrics", **headers)
        return answer.status, "mlflow_http_request_total" in answer.body

    assert scrape("prometheus:its own password") == (200, True)
    assert scrape("reader:another password") == (403, False)
    assert scrape("prometheus:another password") == (401, False)
    assert scrape("") == (401, False)


@pytest.mark.parametrize("case", ODD_PASSWORDS)
def test_every_character_of_a_password(
    case: str, namespace: Namespace, postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    [pod] = start(namespace, ODD_PASSWORDS[case])
    log_in(monkeypatch, "admin", ODD_PASSWORDS[case])
    client_of(pod).create_experiment("mine")
    assert users_of(pod).get_user("admin").is_admin
    # MLflow itself decodes the logins of these routes as ASCII (mlflow.server.auth).
    token = base64.b64encode(f"admin:{ODD_PASSWORDS[case]}".encode()).decode()
    artifact = request(pod, "/api/2.0/mlflow-artifacts/artifacts/none", Authorization=f"Basic {token}")
    assert (artifact.status == 401) == (case == "not-ascii")
    log_in(monkeypatch, "admin", ODD_PASSWORDS[case][:-1])
    with pytest.raises(MlflowException, match="401"):
        client_of(pod).get_experiment("0")
    assert_secret(namespace, postgres, pod, ODD_PASSWORDS[case])


def assert_secret(namespace: Namespace, postgres: Postgres, pod: Pod, password: str = PASSWORD) -> None:
    """The password is in the Secret, and nowhere else that people can read."""
    logs = "".join(each.log + each.message for each in pod.init) + pod.current_log() + postgres.log()
    manifests = "".join(str(each) for (kind, _), each in namespace.objects.items() if kind != "Secret")
    arguments = "".join(path.read_text() for path in Path("/proc").glob("[0-9]*/cmdline") if path.exists())
    for text in (logs, manifests, arguments):
        assert password not in text
        assert password.strip() not in text
    # The server has no use for the password of an administrator that init-mlflow has made.
    environment = Path(f"/proc/{pod.running[0].pid}/environ").read_bytes()
    assert b"MLFLOW_FLASK_SERVER_SECRET_KEY" in environment
    assert password.encode() not in environment


@pytest.mark.parametrize("database", [None, 'u"s%e r+s'])
def test_three_at_once(
    database: str | None, namespace: Namespace, make_postgres: MakePostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = make_postgres().start()
    server.owned_database()
    if database is not None:
        server.database(database, "mlflow")
    pods = start(namespace, replicas=3, basicAuth={} if database is None else {"database": database})
    assert Counter(map(outcome, pods)) == {"initialised": 1, "up-to-date": 2}
    log_in(monkeypatch, "admin")
    for pod in pods:
        client_of(pod).get_experiment("0")
    assert server.value("SELECT count(*) FROM users", database or "mlflow") == 1
    for pod in pods:
        pod.delete()
    again = start(namespace, replicas=3, basicAuth={} if database is None else {"database": database})
    assert Counter(map(outcome, again)) == {"up-to-date": 3}
    assert "ERROR:" not in server.log()


def test_a_server_that_had_no_users(
    namespace: Namespace, postgres: Postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    namespace.apply(synthesis.server())
    [pod] = namespace.deployment()
    logged = log_everything(client_of(pod.wait_ready()), "before", tmp_path)
    pod.delete()
    pods = start(namespace, replicas=3)
    assert Counter(map(outcome, pods)) == {"initialised": 1, "up-to-date": 2}
    log_in(monkeypatch, "admin")
    check_everything(client_of(pods[-1]), logged, tmp_path / "read")


def test_a_database_that_holds_only_users(
    namespace: Namespace, postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    [pod] = start(namespace)
    pod.delete()
    tables = "SELECT string_agg(tablename, ',') FROM pg_tables WHERE schemaname = 'public'"
    kept = ["alembic_version_auth", "users", "roles", "role_permissions", "user_role_assignments"]
    kept += [name for name in postgres.value(tables).split(",") if name.endswith("_permissions")]
    for name in set(postgres.value(tables).split(",")) - set(kept):
        postgres.execute(f'DROP TABLE "{name}" CASCADE', "mlflow")
    [again] = start(namespace)
    assert "init-mlflow: initialised: revision none -> " in again.init[-1].log
    assert outcome(again) == "up-to-date"
    log_in(monkeypatch, "admin")
    client_of(again).create_experiment("new")


def test_by_a_job(namespace: Namespace, postgres: Postgres, monkeypatch: pytest.MonkeyPatch) -> None:
    namespace.apply([secret(), *synthesis.server(basicAuth={}, migration="job", replicas=2)])
    pods = namespace.deployment()
    [name] = [name for kind, name in namespace.objects if kind == "Job"]
    [ended] = namespace.job(name).wait_completed(300)
    assert re.fullmatch(DONE, ended.log.splitlines()[-1])[1] == "initialised"
    log_in(monkeypatch, "admin")
    for pod in pods:
        client_of(pod.wait_ready(300)).get_experiment("0")
        assert re.search(r"init-mlflow: users ready: revision \w+ \(waited ", pod.init[-1].log)


@pytest.mark.parametrize(
    ("password", "database", "message"),
    [
        (
            "too short",
            None,
            "bad-settings: MLFLOW_AUTH_ADMIN_PASSWORD must have 12 characters or more, to make",
        ),
        (PASSWORD, "users", 'missing-database: .* database "users" does not exist. CREATE DATABASE'),
    ],
)
def test_what_is_wrong_is_said(
    password: str, database: str | None, message: str, namespace: Namespace, postgres: Postgres
) -> None:
    basic = {} if database is None else {"database": database}
    namespace.apply([secret(password), *synthesis.server(basicAuth=basic)])
    [pod] = namespace.deployment()
    ended = pod.wait_init(300)[-1]
    assert (ended.name, ended.code, pod.running) == ("init-mlflow", 1, [])
    assert re.match(f"init-mlflow: {message}", ended.message), ended.message
    assert password not in ended.log
    if database is not None:  # nothing was touched
        assert postgres.value("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == 0


def test_an_empty_passphrase(namespace: Namespace, postgres: Postgres) -> None:
    namespace.apply([secret(passphrase=""), *synthesis.server(basicAuth={})])
    [pod] = namespace.deployment()
    ended = pod.wait_init(120)[-1]
    assert (ended.name, ended.code, pod.running) == ("init-mlflow", 1, [])
    assert "bad-settings: MLFLOW_CRYPTO_KEK_PASSPHRASE is empty: MLflow would use the passph" in ended.message


def test_administrators_whom_a_start_gives_their_password(
    namespace: Namespace, postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One who was deleted, and one with the password that older versions of MLflow came with."""
    [pod] = start(namespace)
    log_in(monkeypatch, "admin")
    users_of(pod).create_user("second", "another password")
    users_of(pod).update_user_admin("second", True)
    log_in(monkeypatch, "second", "another password")
    users_of(pod).delete_user("admin")
    pod.delete()
    [pod] = start(namespace)
    log_in(monkeypatch, "admin")
    client_of(pod).get_experiment("0")
    pod.delete()

    known = generate_password_hash("password1234")
    postgres.execute(f"UPDATE users SET password_hash = '{known}' WHERE username = 'admin'", "mlflow")
    pods = start(namespace, replicas=2)
    assert Counter(map(outcome, pods)) == {"up-to-date": 2}
    for password, error in ((PASSWORD, None), ("password1234", "401")):
        log_in(monkeypatch, "admin", password)
        with pytest.raises(MlflowException, match=error) if error else contextlib.nullcontext():
            client_of(pods[0]).get_experiment("0")


def test_users_newer_than_the_image(namespace: Namespace, postgres: Postgres) -> None:
    [pod] = start(namespace)
    pod.delete()
    postgres.execute("UPDATE alembic_version_auth SET version_num = 'feedfacecafe'", "mlflow")
    [again] = namespace.deployment()
    ended = again.wait_init(120)[-1]
    assert (ended.name, ended.code) == ("init-mlflow", 4)
    assert "init-mlflow: newer-schema: the users are at revision feedfacecafe, which this " in ended.message


def test_connections_stay_below_the_budget(namespace: Namespace, postgres: Postgres) -> None:
    """What the rule pool-fits-database computes, with one engine more in each worker and in their parent."""
    budget = 2 * (3 + 2 * (3 * 7 + 1))
    pods = start(namespace, replicas=2, workers=2, pooling="highAvailability")
    with ThreadPoolExecutor(16) as pool:
        clients = list(pool.map(lambda i: Caller(url_of(pods[i % 2]), user=("admin", PASSWORD)), range(48)))
    count = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'mlflow'"
    with Sampler(lambda: postgres.value(count)) as sampler:
        load = Load(clients, [log_batch, create_model, search], seconds=20)
    assert load.codes.keys() == {200}, load.texts
    assert budget / 2 <= sampler.most <= budget
