"""A real MLflow answers each request the same with and without the short way of direct_api.py.

Two servers with SQLite files of their own get the same requests in the same order. Ids and times are masked.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from api_requests import (
    ADMIN,
    ATTACKS,
    SEARCH,
    UI,
    WANTED,
    Request,
    basic,
    headers,
    paths,
    routes,
    walk,
    work,
)
from certificates import make_ca, sign

ROOT = Path(__file__).parents[2]
SCRIPTS = os.pathsep.join(str(ROOT / "lib" / "scripts" / name) for name in ("server", "shared"))
PREFIX = "/team/mlflow"


class Server:
    def __init__(
        self, folder: Path, prefix: str, options: str, arguments: list[str], environment: dict[str, str]
    ) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self._port = free.getsockname()[1]
        self._prefix, self._log = prefix, folder / "log"
        self._tls = ssl._create_unverified_context() if "--ssl-certfile" in options else None
        uvicorn = f"--uvicorn-opts=--loop=bounded_loop:new_loop --no-access-log {options}"
        command = ["server", "--host=127.0.0.1", f"--port={self._port}", "--workers=1", "--serve-artifacts"]
        command += [
            f"--artifacts-destination={folder / 'artifacts'}",
            f"--backend-store-uri=sqlite:///{folder}/db",
        ]
        command += [uvicorn, *arguments, *([f"--static-prefix={prefix}"] if prefix else [])]
        command += ["--app-name=basic-auth"] if "MLFLOW_AUTH_CONFIG_PATH" in environment else []
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "mlflow", *command],
                env=environment,
                stdout=log,
                stderr=log,
                cwd=folder,
                start_new_session=True,
            )

    def wait(self) -> None:
        until = time.monotonic() + 240
        while b" 200 " not in self.send(Request("GET", "/health"), None)[:20]:
            assert self._process.poll() is None and time.monotonic() < until, self.log()
            time.sleep(0.2)

    def send(self, request: Request, login: str | None) -> bytes:
        """All that the server sends until it closes the connection."""
        try:
            with ExitStack() as stack:
                connection = stack.enter_context(socket.create_connection(("127.0.0.1", self._port), 60))
                if self._tls:
                    connection = stack.enter_context(self._tls.wrap_socket(connection))
                connection.sendall(request.raw(self._prefix, login))
                return b"".join(iter(lambda: connection.recv(65536), b""))
        except OSError as error:  # refused, reset, or too late
            return type(error).__name__.encode()

    def log(self) -> str:
        return self._log.read_text(errors="replace")

    def stop(self) -> None:
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()


class Pair:
    """The same server twice: as it is, and with the short way."""

    def __init__(self, long: Server, short: Server, login: str | None) -> None:
        self.long, self.short, self._login = long, short, login
        self.differences: list[str] = []
        self._pool = ThreadPoolExecutor(2)

    def send(self, request: Request, login: str | None = "") -> str:
        """The status of both; `login` is that of the administrator unless it says otherwise."""
        used = self._login if login == "" else login
        both = self._pool.map(lambda server: masked(server.send(request, used)), (self.long, self.short))
        answers = list(both)
        if answers[0] != answers[1]:
            self.differences.append(f"{request}\n  {answers[0][:600]!r}\n  {answers[1][:600]!r}")
        return answers[1].partition("\r\n")[0]


def masked(answer: bytes) -> str:
    """Without times, ids, the names that MLflow gives to runs, and the order of headers."""
    head, _, body = answer.decode("latin1").partition("\r\n\r\n")
    status, *headers = head.split("\r\n")
    text = "\r\n".join([status, *sorted(headers), "", body])
    # Also in the second head after `100 Continue`.
    text = re.sub(r"(?m)^date: .*\r\n", "", text)
    text = re.sub(r"\b\d{13}\b|(?<![0-9a-f])[0-9a-f]{32}(?![0-9a-f])", "…", text)
    text, names = re.subn(r"\b[a-z]+-[a-z]+-\d{1,3}\b", "…", text)
    return re.sub(r"content-length: \d+", "content-length: …", text) if names else text


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("mlflow.server.fastapi_app")
    folder = tmp_path_factory.mktemp("database")
    subprocess.run(
        [sys.executable, "-m", "mlflow", "db", "upgrade", f"sqlite:///{folder}/db"],
        check=True,
        capture_output=True,
    )
    return folder / "db"


@contextmanager
def pair(
    database: Path,
    folder: Path,
    *,
    prefix: str = "",
    with_login: bool = False,
    with_certificate: bool = False,
    with_metrics: bool = False,
) -> Iterator[Pair]:
    environment = {
        **os.environ,
        "PYTHONPATH": SCRIPTS,
        # The order of methods in Allow is that of a set.
        "PYTHONHASHSEED": "0",
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "MLFLOW_SERVER_ALLOWED_HOSTS": "localhost,localhost:*,mlflow",
        "MLFLOW_SERVER_CORS_ALLOWED_ORIGINS": UI,
        "MLFLOW_FLASK_SERVER_SECRET_KEY": "f" * 40,
        "MLFLOW_CRYPTO_KEK_PASSPHRASE": "p" * 40,
        "MLFLOW_AUTH_ADMIN_PASSWORD": ADMIN[1],
    }
    common = ""
    if with_certificate:
        make_ca(folder)
        sign(folder, "server", "localhost", "localhost")
        certificate, key = (str(folder / f"server.{each}") for each in ("crt", "key"))
        common = f"--ssl-certfile={certificate} --ssl-keyfile={key}"
        environment |= {"SERVER_CERTIFICATE_FILE": certificate, "SERVER_KEY_FILE": key}
    with ExitStack() as stack:
        servers = []
        for name, options in (("long", common), ("short", f"{common} --http=direct_api:Protocol")):
            own = folder / name
            own.mkdir()
            arguments = [f"--expose-prometheus={own / 'metrics'}"] if with_metrics else []
            shutil.copy(database, own / "db")
            login = {}
            if with_login:
                settings = {"default_permission": "NO_PERMISSIONS", "database_uri": f"sqlite:///{own}/users"}
                settings |= {"admin_username": ADMIN[0], "admin_password": ADMIN[1]}
                lines = "\n".join(f"{key} = {value}" for key, value in settings.items())
                (own / "auth.ini").write_text(f"[mlflow]\n{lines}\n")
                login = {"MLFLOW_AUTH_CONFIG_PATH": str(own / "auth.ini")}
            servers.append(Server(own, prefix, options, arguments, {**environment, **login}))
            stack.callback(servers[-1].stop)
        for server in servers:
            server.wait()
        yield Pair(*servers, basic(*ADMIN) if with_login else None)


@pytest.mark.slow
def test_without_a_login(database: Path, tmp_path: Path) -> None:
    with pair(database, tmp_path) as servers:
        statuses = Counter(servers.send(each) for each in [*work(), *ATTACKS])
        absolute = Request("POST", f"http://evil.example{SEARCH}", WANTED)
        servers.send(absolute)
        for path in routes():
            servers.send(Request("GET", path))
    assert not servers.differences, "\n".join(servers.differences)
    assert re.search(r"1\d\d paths of the REST API have a short way", servers.short.log())
    assert {"HTTP/1.1 200 OK", "HTTP/1.1 400 Bad Request", "HTTP/1.1 403 Forbidden"} <= set(statuses), (
        statuses
    )


@pytest.mark.slow
def test_with_a_login_and_a_prefix(database: Path, tmp_path: Path) -> None:
    with pair(database, tmp_path, prefix=PREFIX, with_login=True) as servers:
        user = {"username": "user", "password": "another password"}
        assert " 200 " in servers.send(Request("POST", "/api/2.0/mlflow/users/create", json.dumps(user)))
        for each in [*walk(), *work()]:
            servers.send(each)
        logins = [
            "Basic",
            "Basic x",
            "Bearer x",
            basic("admin", "x"),
            basic(":", ""),
            "basic" + basic(*ADMIN)[5:],
        ]
        for login in logins:
            servers.send(Request("POST", SEARCH, WANTED), login)
        twice = (f"Authorization: {basic('user', 'x')}",)
        servers.send(Request("POST", SEARCH, WANTED, twice))
        servers.send(Request("POST", SEARCH, WANTED, (f"Authorization_: {basic(*ADMIN)}",)), None)
        entered = [
            each for each in ATTACKS if " 200 " in servers.send(each, None) and each.method != "OPTIONS"
        ]
        for each in [*work(), *paths()]:
            servers.send(each, basic("user", "another password"))
    assert not servers.differences, "\n".join(servers.differences)
    assert entered == []
    assert re.search(r"1\d\d paths of the REST API have a short way", servers.short.log())


@pytest.mark.slow
def test_with_a_certificate(database: Path, tmp_path: Path) -> None:
    with pair(database, tmp_path, with_certificate=True) as servers:
        statuses = Counter(servers.send(each) for each in [*work(), *ATTACKS])
    assert not servers.differences, "\n".join(servers.differences)
    assert statuses["HTTP/1.1 200 OK"] > 100
    assert re.search(r"1\d\d paths of the REST API have a short way", servers.short.log())


@pytest.mark.slow
def test_with_metrics(database: Path, tmp_path: Path) -> None:
    with pair(database, tmp_path, with_metrics=True) as servers:
        for each in [*work(), *headers(), *paths()]:
            servers.send(each)
        counts = [counts_of(each) for each in (servers.long, servers.short)]
    assert not servers.differences, "\n".join(servers.differences)
    assert counts[0] == counts[1]
    assert len(counts[1]) > 10
    assert re.search(r"1\d\d paths of the REST API have a short way", servers.short.log())


def counts_of(server: Server) -> set[str]:
    """What Prometheus reads of a server about its requests, without their times."""
    answer = server.send(Request("GET", "/metrics"), None).decode()
    return set(re.findall(r"(?m)^mlflow_http_\S*(?:_total|_count)\{.* [\d.]+$", answer))
