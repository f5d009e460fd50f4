"""examples/platform.ts with three teams on one PostgreSQL: each has its own, and nothing of the others.

A Secret stands for each ExternalSecret, and a client in the namespace of the Gateway for the Gateway.
"""

from __future__ import annotations

import json
import re
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import stand_in
from cluster import Failed, Namespace, new_namespace, restricted_pod, run
from release import CLIENT
from settings import CLUSTER_DOMAIN, MLFLOW_IMAGE, MOST_CPU, NETWORK_POLICIES_WORK, READY_SECONDS
from test_isolation import CONNECT
from waiting import eventually
from watch import FIGURES

from examples import Example

pytestmark = pytest.mark.skipif(
    not NETWORK_POLICIES_WORK, reason="this cluster has no network policies (TEST_NETWORK_POLICIES=off)"
)

TEAMS = ("alpha", "beta", "gamma")
BUDGET = 60  # connections of a team, in charts.ts
SERVER, STRANGER = "deployment/mlflow", "stranger"
HOST = "postgres.example.com"
BY_OTHERS = re.compile(r"^kind: (ExternalSecret|Gateway|HTTPRoute)$", re.MULTILINE)

CALL = """
import base64, json, sys, urllib.error, urllib.request
url, login, body = sys.argv[1:]
login = base64.b64encode(login.encode()).decode()
headers = {"authorization": "Basic " + login, "content-type": "application/json"}
try:
    with urllib.request.urlopen(urllib.request.Request(url, body.encode(), headers), timeout=30) as answer:
        print(answer.status, answer.read().decode())
except urllib.error.HTTPError as error:
    print(error.code, error.read().decode())
"""
DATABASE = """
import sys, psycopg2
try:
    connection = psycopg2.connect(dbname=sys.argv[1])
    cursor = connection.cursor()
    cursor.execute("SELECT current_user")
    print("in as", cursor.fetchone()[0])
except psycopg2.OperationalError as error:
    print("refused:", error)
"""


LOAD_SECONDS = 40
LOAD = f"""
import base64, collections, sys, threading, time, urllib.request
end, answered = time.monotonic() + {LOAD_SECONDS}, collections.Counter()
def ask(url, login):
    headers = {{"authorization": "Basic " + base64.b64encode(login.encode()).decode()}}
    while time.monotonic() < end:
        request = urllib.request.Request(url + "/experiments/search?max_results=100", headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                answered[answer.status] += 1
        except OSError as error:
            answered[str(error)] += 1
            time.sleep(0.2)
clients = [
    threading.Thread(target=ask, args=each.split(" ")) for each in sys.argv[1:] for _ in range(30)
]
for client in clients:
    client.start()
for client in clients:
    client.join()
print(dict(answered))
"""


class Platform:
    def __init__(self, namespaces: dict[str, Namespace], directory: Path) -> None:
        self.namespaces, self.shared = namespaces, namespaces["platform"]
        self._manifests = {name: self._manifest(directory, name) for name in namespaces}

    def start(self) -> None:
        server = f"postgres.{self.shared.name}.svc.{CLUSTER_DOMAIN}"
        files = stand_in.certificates(server)
        files["prepare.sql"] = stand_in.prepared(Example("platform", admin_secret="postgres-admin")).encode()
        pod = stand_in.server()
        pod["spec"]["containers"][0]["args"] += ["-c", "max_connections=200"]
        self.shared.create(stand_in.secret(stand_in.NAME, files), stand_in.service("postgres"), pod)
        self.shared.create_pod(CLIENT, MLFLOW_IMAGE, 1001)
        self.shared.kubectl(
            "wait", "--for=condition=Ready", f"pod/{stand_in.NAME}", "--timeout=600s", seconds=610
        )
        self.sql("CREATE ROLE monitoring LOGIN PASSWORD 'password-of-postgres-monitoring' IN ROLE pg_monitor")
        for name, namespace in self.namespaces.items():
            namespace.create(
                *({**each, "metadata": {**each["metadata"]}} for each in self._secrets(name)),
                {
                    "apiVersion": "v1",
                    "kind": "ConfigMap",
                    "metadata": {"name": "postgres-ca"},
                    "data": {"ca.crt": files["ca.crt"].decode()},
                },
            )
        started = time.monotonic()
        for manifest in self._manifests.values():
            documents = [each for each in manifest.split("---\n") if not BY_OTHERS.search(each)]
            run("kubectl", "apply", "-f", "-", stdin="---\n".join(documents).replace(HOST, server))
        for team in TEAMS:
            limit = f"--timeout={READY_SECONDS:g}s"
            self.namespaces[team].kubectl("rollout", "status", SERVER, limit, seconds=READY_SECONDS + 10)
        FIGURES.append(f"platform, three teams, from apply to ready: {time.monotonic() - started:.0f} s")

    def call(self, team: str, path: str, body: object, password: str = "") -> tuple[int, str]:
        """What the server of a team answers to its administrator, or to one with another password."""
        url = f"{self.url(team)}/{path}"
        login = f"admin:{password or f'admin-password-of-{team}-auth'}"
        status, _, text = self.python(self.shared, CLIENT, CALL, url, login, json.dumps(body)).partition(" ")
        return int(status), text

    def url(self, team: str) -> str:
        return f"http://mlflow.{self.namespaces[team].name}.svc.{CLUSTER_DOMAIN}:5000/api/2.0/mlflow"

    def python(self, namespace: Namespace, source: str, program: str, *args: str) -> str:
        return namespace.kubectl("exec", "-i", source, "--", "python", "-", *args, stdin=program)

    def sql(self, statement: str) -> str:
        return stand_in.sql(self.shared, statement, database="postgres")

    def address(self, name: str, service: str = "mlflow") -> str:
        return str(self.namespaces[name].get("service", service)["spec"]["clusterIP"])

    def _manifest(self, directory: Path, name: str) -> str:
        file = name if name == "platform" else f"team-{name}"
        text = (directory / "platform" / f"{file}.k8s.yaml").read_text()
        for purpose, namespace in self.namespaces.items():
            text = re.sub(rf"\bmlflow-{purpose}\b", namespace.name, text)
        return re.sub(r"cpu: (\d+)m\n", lambda found: f"cpu: {min(int(found[1]), MOST_CPU)}m\n", text)

    def _secrets(self, name: str) -> Iterator[dict]:
        """One for each ExternalSecret: a login of one name is the same in all namespaces."""
        for document in self._manifests[name].split("---\n"):
            if "kind: ExternalSecret\n" in document:
                [secret] = re.findall(r"^  name: (\S+)$", document, re.MULTILINE)
                keys = re.findall(r"secretKey: (\S+)$", document, re.MULTILINE)
                data = {key: f"{key}-of-{secret}".encode() for key in keys}
                if "username" in data:
                    data["username"] = secret.partition("-database")[0].removeprefix("postgres-").encode()
                if secret == "postgres-admin":
                    data = {
                        "username": stand_in.ADMIN.encode(),
                        "password": stand_in.ADMIN_PASSWORD.encode(),
                    }
                yield stand_in.secret(secret, data)


@pytest.fixture(scope="module")
def platform(synthesized: Path) -> Iterator[Platform]:
    with ExitStack() as stack:
        names = ("platform", *TEAMS)
        namespaces = {name: stack.enter_context(new_namespace(name)) for name in names}
        platform = Platform(namespaces, synthesized)
        platform.start()
        for team in TEAMS:
            namespaces[team].create(stranger())
            eventually(
                lambda team=team: namespaces[team].get("pod", STRANGER)["status"]["phase"] == "Running",
                f"a pod of {team} that is not MLflow's runs",
                300,
            )
        yield platform


def stranger() -> dict:
    """A pod within the quota."""
    resources = {"cpu": "10m", "memory": "64Mi"}
    container = {
        "name": "main",
        "image": MLFLOW_IMAGE,
        "command": ["sleep", "86400"],
        "resources": {"requests": resources},
    }
    return restricted_pod(STRANGER, container, 1001)


def test_each_team_has_its_own_server(platform: Platform) -> None:
    for team in TEAMS:
        status, answer = platform.call(team, "experiments/create", {"name": f"of {team}"})
        assert status == 200, answer
    for team in TEAMS:
        status, answer = platform.call(team, "experiments/search", {"max_results": 10})
        names = {each["name"] for each in json.loads(answer)["experiments"]}
        assert (status, names) == (200, {"Default", f"of {team}"})


def test_one_job_makes_all_databases(platform: Platform) -> None:
    owners = platform.sql(
        "SELECT datname || ' ' || pg_get_userbyid(datdba) FROM pg_database"
        " WHERE NOT datistemplate AND datname <> 'postgres' ORDER BY 1"
    )
    assert owners.split("\n") == [f"{team} {team}" for team in TEAMS]


@pytest.mark.parametrize("team", TEAMS)
def test_a_login_is_of_one_team(platform: Platform, team: str) -> None:
    for other in TEAMS:
        if other != team:
            password = f"admin-password-of-{team}-auth"
            status, answer = platform.call(other, "experiments/search", {"max_results": 1}, password)
            assert status == 401, answer


@pytest.mark.parametrize("team", TEAMS)
def test_a_server_gets_into_its_own_database_alone(platform: Platform, team: str) -> None:
    namespace = platform.namespaces[team]
    assert platform.python(namespace, SERVER, DATABASE, team) == f"in as {team}\n"
    for other in TEAMS:
        if other != team:
            answer = platform.python(namespace, SERVER, DATABASE, other)
            assert f'permission denied for database "{other}"' in answer, answer


@pytest.mark.parametrize("team", TEAMS)
def test_a_namespace_reaches_no_other(platform: Platform, team: str) -> None:
    namespace = platform.namespaces[team]
    places = [(platform.address(other), 5000) for other in TEAMS if other != team]
    database = (platform.address("platform", "postgres"), 5432)
    assert is_open(platform, namespace, SERVER, *database)
    for source, closed in ((SERVER, places), (STRANGER, [*places, database, (platform.address(team), 5000)])):
        for place in closed:
            assert not is_open(platform, namespace, source, *place), (source, place)


def is_open(platform: Platform, namespace: Namespace, source: str, host: str, port: int) -> bool:
    answer = platform.python(namespace, source, CONNECT, host, str(port))
    assert answer == "open\n" or "timed out" in answer or "refused" in answer, answer
    return answer == "open\n"


def test_a_quota_is_of_one_team(platform: Platform) -> None:
    alpha = platform.namespaces["alpha"]
    used, hard = (alpha.get("resourcequota", "team")["status"][each]["pods"] for each in ("used", "hard"))
    further = [{**stranger(), "metadata": {"name": f"further-{n}"}} for n in range(int(hard) - int(used) + 1)]
    with pytest.raises(Failed, match="exceeded quota: team"):
        alpha.create(*further)
    assert platform.call("beta", "experiments/search", {"max_results": 1})[0] == 200


def test_no_team_opens_more_connections_than_its_budget(platform: Platform) -> None:
    """Under more clients than there are threads, while a rolling update adds a pod."""
    most = dict.fromkeys(TEAMS, 0)
    urls = [f"{platform.url(team)} admin:admin-password-of-{team}-auth" for team in TEAMS]
    command = ["kubectl", "exec", "-n", platform.shared.name, CLIENT, "--", "python", "-c", LOAD, *urls]
    clients = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    for second in range(LOAD_SECONDS):
        if second == LOAD_SECONDS // 3:
            platform.namespaces["alpha"].kubectl("rollout", "restart", SERVER)
        lines = platform.sql("SELECT datname, count(*) FROM pg_stat_activity GROUP BY 1 HAVING datname <> ''")
        for team, _, count in (line.partition("|") for line in lines.split("\n")):
            if team in most:
                most[team] = max(most[team], int(count))
        time.sleep(0.5)
    answered, _ = clients.communicate(timeout=120)
    FIGURES.append(f"platform, connections under load: {most}, of {BUDGET} each; answers: {answered.strip()}")
    assert all(10 < count <= BUDGET for count in most.values()), most
