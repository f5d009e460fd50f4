"""Requests to MLflow as clients, browsers and attackers send them: two servers must answer them the same."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

# They load much, and from the internet.
NOT_ASKED = re.compile(r"/gateway/supported-|/gateway/secrets/config|/demo/")
ADMIN = ("admin", "correct horse battery")
SEARCH, GET = "/api/2.0/mlflow/runs/search", "/api/2.0/mlflow/experiments/get?experiment_id=0"
WANTED = '{"experiment_ids": ["0"], "max_results": 5}'
UI = "https://ui.example.com"


@dataclass(frozen=True)
class Request:
    """`path` and `headers` as they are sent; without `framed`, the body has no Content-Length."""

    method: str
    path: str
    body: bytes | str = b""
    headers: tuple[str, ...] = ()
    host: str | None = "localhost"
    framed: bool = True
    version: str = "1.1"

    def raw(self, prefix: str, login: str | None) -> bytes:
        body = self.body.encode() if isinstance(self.body, str) else self.body
        lines = [f"{self.method} {prefix}{self.path} HTTP/{self.version}", "Connection: close"]
        lines += [f"Host: {self.host}"] if self.host is not None else []
        lines += [f"Authorization: {login}"] if login is not None else []
        if body and not any(each.lower().startswith("content-type") for each in self.headers):
            lines.append("Content-Type: application/json")
        lines += [f"Content-Length: {len(body)}"] if self.framed and body else []
        return "\r\n".join([*lines, *self.headers, "", ""]).encode("utf-8", "surrogateescape") + body


def basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def routes() -> list[str]:
    """The paths of Flask and of its logins, with a value in the place of each variable part."""
    from mlflow.server import app
    from mlflow.server.auth import routes as logins

    paths = [each.rule for each in app.url_map.iter_rules()]
    paths += [each for each in vars(logins).values() if isinstance(each, str) and each.startswith("/")]
    return sorted({re.sub(r"<[^>]*>", "1", each) for each in paths if not NOT_ASKED.search(each)})


def walk() -> Iterator[Request]:
    """Each path, with all methods where the short way may be."""
    for path in routes():
        is_api = path.startswith("/api/")
        for method in (
            ("GET", "POST", "HEAD", "OPTIONS", "PUT", "DELETE", "PATCH") if is_api else ("GET", "POST")
        ):
            yield Request(method, path, "" if method in ("GET", "HEAD", "OPTIONS") else "{}")


def work() -> Iterator[Request]:
    """What a client does, in an experiment of its own and with names that MLflow need not make up."""
    api = "/api/2.0/mlflow"
    run = {"experiment_id": "1", "start_time": 1, "run_name": "größer"}
    calls = {
        "experiments/create": {"name": "Grüße, 世界", "tags": [{"key": "team", "value": "é"}]},
        "runs/create": run,
        "runs/search": {"experiment_ids": ["1"], "filter": "attributes.run_name = 'größer'"},
        "registered-models/create": {"name": "model"},
        "registered-models/set-tag": {"name": "model", "key": "k", "value": "v"},
        "experiments/search": {"max_results": 10},
    }
    for path, body in calls.items():
        yield Request("POST", f"{api}/{path}", json.dumps(body))
        # The same again, of which some already exist.
        yield Request("POST", f"{api}/{path}", json.dumps(body, ensure_ascii=False))
    yield Request(
        "GET", f"{api}/experiments/get-by-name?experiment_name=Gr%C3%BC%C3%9Fe%2C%20%E4%B8%96%E7%95%8C"
    )
    yield Request("GET", f"{api}/registered-models/get?name=model&name=other")
    yield Request("PATCH", f"{api}/registered-models/update", '{"name": "model", "description": "d"}')
    yield Request("DELETE", f"{api}/registered-models/delete", '{"name": "model"}')
    yield Request("GET", f"{api}/experiments/search?max_results=x")


def bodies() -> Iterator[Request]:
    post = Request("POST", SEARCH, WANTED)
    for body in ("", "{}", "{", "null", "[]", '"x"', "{}" * 2, b"\xff\xfe", b"\x00", " " * 2000 + WANTED):
        yield replace(post, body=body)
    large = json.dumps({"experiment_ids": ["0"], "filter": " " * (2 * 1024 * 1024)})
    yield replace(post, body=large)
    yield replace(post, body=large[: 1024 * 1024])
    for kind in (
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/json; charset=utf-16",
        "",
    ):
        yield replace(post, headers=(f"Content-Type: {kind}",))
    yield replace(post, headers=("Content-Type: application/json", "Content-Type: text/plain"))
    yield replace(post, headers=("Content-Encoding: gzip",))
    yield Request("GET", GET, WANTED)
    yield Request("GET", SEARCH, WANTED)
    yield Request("POST", GET, "{}")


def framing() -> Iterator[Request]:
    """What two programs could take for two different requests."""
    post = Request("POST", SEARCH, WANTED, framed=False)
    chunked = f"{len(WANTED):x}\r\n{WANTED}\r\n0\r\n\r\n"
    length = f"Content-Length: {len(WANTED)}"
    yield replace(post, body=chunked, headers=("Transfer-Encoding: chunked",))
    yield replace(post, body=chunked, headers=("Transfer-Encoding: chunked", length))
    yield replace(post, body=chunked, headers=(length, "Transfer-Encoding: chunked"))
    yield replace(post, body=chunked, headers=("Transfer-Encoding: identity", length))
    yield replace(post, body=chunked, headers=("Transfer_Encoding: chunked", length))
    yield replace(post, headers=(length, length))
    yield replace(post, headers=(length, "Content-Length: 3"))
    yield replace(post, headers=(length, "Content_Length: 3"))
    for value in ("3", "+3", "-3", "0x3", "3, 3", "³", ""):
        yield replace(post, headers=(f"Content-Length: {value}",))
    # A second request behind the first one.
    yield replace(post, body=f"{WANTED}GET {GET} HTTP/1.1\r\nHost: localhost\r\n\r\n", headers=(length,))
    yield replace(post, headers=(length, "Expect: 100-continue"))
    yield replace(post, headers=(length, "Upgrade: websocket", "Connection: Upgrade"))
    yield replace(post, headers=(length,), version="1.0")
    yield replace(post, headers=(length,), version="2.0")


def headers() -> Iterator[Request]:
    for request in (Request("POST", SEARCH, WANTED), Request("GET", GET)):
        for host in (
            "localhost:5000",
            "LOCALHOST",
            "evil.example",
            "localhost.evil.example",
            "localhost@evil.example",
            "",
            None,
        ):
            yield replace(request, host=host)
        yield replace(request, headers=("Host: evil.example",))
        yield replace(request, host="evil.example", headers=("Host: localhost",))
        yield replace(request, host="evil.example", headers=("X-Forwarded-Host: localhost",))
        for origin in (UI, "https://evil.example", "http://localhost:3000", "null", "", f"{UI}.evil.example"):
            yield replace(request, headers=(f"Origin: {origin}",))
        yield replace(request, headers=(f"Origin: {UI}", "Origin: https://evil.example"))
        asked = ("Access-Control-Request-Method: POST", "Access-Control-Request-Headers: content-type")
        for origin in (UI, "https://evil.example"):
            yield replace(request, method="OPTIONS", body="", headers=(f"Origin: {origin}", *asked))
        for name in ("X-MLFLOW-WORKSPACE", "x-mlflow-workspace", "X_MLFLOW_WORKSPACE", "X-MLFLOW_WORKSPACE"):
            for value in ("default", "other", "", " "):
                yield replace(request, headers=(f"{name}: {value}",))
        for each in ("Proto: https", "For: 10.0.0.1", "Prefix: /x", "Port: 1", "User: admin"):
            yield replace(request, headers=(f"X-Forwarded-{each}",))
        for each in (
            "X-HTTP-Method-Override: DELETE",
            "X-Original-URL: /version",
            "Cookie: session=x",
            "X-É: é",
            "Accept-Encoding: gzip",
            "Range: bytes=0-3",
            "If-None-Match: *",
        ):
            yield replace(request, headers=(each,))


def paths() -> Iterator[Request]:
    """Other spellings of a path, which must not be one for the login and another for the handler."""
    search = SEARCH.removeprefix("/api")
    spellings = [
        f"/{SEARCH}", f"{SEARCH}/", f"{SEARCH}//", f"/api/{search}", f"{SEARCH};x", f"{SEARCH};x=/health",
        f"{SEARCH}%20", f"{SEARCH}%00", f"{SEARCH}%0a", f"{SEARCH}%2f", f"{SEARCH}?", f"{SEARCH}#x",
        f"/%61pi{search}", f"/API{search}", f"/api%2f{search[1:]}", f"/./api{search}", f"/%2e/api{search}",
        f"/health/..{SEARCH}", f"/health%2f..{SEARCH}", f"/static-files/..{SEARCH}", f"/static{SEARCH}",
        f"/x/%2e%2e{SEARCH}", f"{SEARCH}/../search", f"{SEARCH}%c3%a9", f"{SEARCH}%ff", f"{SEARCH}\\",
        f"/ajax-api{search}", f"/api/3.0{search[4:]}", f"{SEARCH}%3Fx=1",
        f"{SEARCH}?_method=GET&experiment_ids=0", f"{SEARCH}?{'x' * 4000}", f"{SEARCH}?é",
    ]  # fmt: skip
    for path in spellings:
        yield Request("POST", path, WANTED)
    for path in (
        f"{GET}&experiment_id=1",
        f"{GET}%00",
        "/api/2.0/mlflow/experiments/get",
        "/api/2.0/mlflow/experiments/get?experiment_id=%ff",
    ):
        yield Request("GET", path)
    for method in ("post", "Get", "TRACE", "PROPFIND", "CONNECT"):
        yield Request(method, SEARCH)


ATTACKS = [*bodies(), *framing(), *headers(), *paths()]
