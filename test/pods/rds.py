"""A stand-in of Amazon RDS before a real PostgreSQL, and of STS, which makes credentials of a role.

Who logs in by IAM sends a token as its password, inside TLS. Its signature and its age are checked here as
AWS documents them, without AWS's own library: the program under test signs with that.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
"""

from __future__ import annotations

import contextlib
import datetime
import hashlib
import hmac
import secrets
import select
import socket
import ssl
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, parse_qsl, quote

from postgres import PORT, Postgres

STS_PORT = 8080
REGION = "eu-central-1"
_SSL_REQUEST = 80877103
_EMPTY = hashlib.sha256(b"").hexdigest()


@dataclass
class Key:
    """What signs a token, for as long as it is valid."""

    secret: str
    session: str | None = None
    expires: float = float("inf")


@dataclass
class Seen:
    """What came: the tokens that let somebody in, by how often, and why others were refused."""

    tokens: dict[str, int] = field(default_factory=dict)
    refused: list[str] = field(default_factory=list)
    # Seconds that a token had when it was used.
    ages: list[float] = field(default_factory=list)


class Refused(Exception):
    pass


class Rds:
    """An endpoint. It takes tokens of `lifetime` seconds, whatever they say themselves."""

    def __init__(
        self, address: str, name: str, certificates: Path, postgres: Postgres, lifetime: float
    ) -> None:
        self.address, self.name, self.lifetime = address, name, lifetime
        self.keys = {"AKIAEXAMPLE": Key("a/secret+key")}
        self.roles = {"mlflow"}  # those with rds_iam
        self.seen = Seen()
        self._postgres = postgres
        self._context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self._context.load_cert_chain(certificates / "server.crt", certificates / "server.key")
        self._listener = socket.create_server((address, PORT), backlog=128)
        threading.Thread(target=self._accept, daemon=True).start()

    def stop(self) -> None:
        self._listener.close()

    def check(self, token: str, user: str) -> float:
        """The age of a token that is good for this user here; raises Refused otherwise."""
        place, _, query = token.partition("/?")
        if place != f"{self.name}:{PORT}":
            raise Refused(f"it is for {place}")
        words = dict(parse_qsl(query, strict_parsing=True, keep_blank_values=True))
        signature = words.pop("X-Amz-Signature")
        access_key, date, *scope = words["X-Amz-Credential"].split("/")
        key = self.keys.get(access_key)
        if key is None or key.session != words.get("X-Amz-Security-Token") or key.expires < time.time():
            raise Refused("its key is not known, or has expired")
        if not hmac.compare_digest(signature, _signature(place, words, key.secret, date)):
            raise Refused("its signature is wrong")
        if (words["Action"], words["DBUser"], scope) != (
            "connect",
            user,
            [REGION, "rds-db", "aws4_request"],
        ):
            raise Refused(f"it is for {words['Action']}, {words['DBUser']} and {scope}")
        signed = datetime.datetime.strptime(words["X-Amz-Date"] + "+0000", "%Y%m%dT%H%M%SZ%z")
        age = time.time() - signed.timestamp()
        if not -5 < age < min(self.lifetime, float(words["X-Amz-Expires"])):
            raise Refused(f"it is {age:.0f} s old")
        return age

    def _accept(self) -> None:
        with contextlib.suppress(OSError):  # the listener is closed
            while True:
                threading.Thread(target=self._serve, args=(self._listener.accept()[0],), daemon=True).start()

    def _serve(self, plain: socket.socket) -> None:
        with contextlib.suppress(OSError, EOFError), plain:
            length = _exactly(plain, 8)
            if int.from_bytes(length[4:], "big") != _SSL_REQUEST:
                plain.sendall(_fatal("28000", "no pg_hba.conf entry for host, no encryption"))
                return
            plain.sendall(b"S")
            with self._context.wrap_socket(plain, server_side=True) as outer:
                self._log_in(outer)

    def _log_in(self, outer: ssl.SSLSocket) -> None:
        length = _exactly(outer, 4)
        startup = length + _exactly(outer, int.from_bytes(length, "big") - 4)
        words = startup[8:].decode().split("\0")
        user = dict(zip(words[::2], words[1::2], strict=False)).get("user", "")
        outer.sendall(b"R" + (8).to_bytes(4, "big") + (3).to_bytes(4, "big"))  # the password, as it is
        head = _exactly(outer, 5)
        token = _exactly(outer, int.from_bytes(head[1:], "big") - 4).rstrip(b"\0").decode()
        if user not in self.roles:
            self.seen.refused.append("its role has no rds_iam")
            outer.sendall(_fatal("28P01", f'password authentication failed for user "{user}"'))
            return
        try:
            self.seen.ages.append(self.check(token, user))
        except (Refused, KeyError, ValueError) as error:
            self.seen.refused.append(str(error))
            outer.sendall(_fatal("28000", f'PAM authentication failed for user "{user}"'))
            return
        self.seen.tokens[token] = self.seen.tokens.get(token, 0) + 1
        # Over the socket, PostgreSQL trusts whoever comes.
        with socket.socket(socket.AF_UNIX) as inner:
            inner.connect(f"{self._postgres.folder}/.s.PGSQL.{PORT}")
            inner.sendall(startup)
            _pipe(outer, inner)


class Sts:
    """Makes credentials of the role for who has the token of a ServiceAccount."""

    def __init__(self, address: str, rds: Rds, lifetime: float) -> None:
        self.url = f"http://{address}:{STS_PORT}"
        self.token = secrets.token_urlsafe()
        self.asked = 0
        self._rds, self._lifetime = rds, lifetime
        sts = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
                status, text = sts.answer({name: values[0] for name, values in body.items()})
                self.send_response(status)
                self.send_header("Content-Type", "text/xml")
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text.encode())

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer((address, STS_PORT), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def answer(self, body: dict[str, str]) -> tuple[int, str]:
        self.asked += 1
        if body["Action"] != "AssumeRoleWithWebIdentity" or body["WebIdentityToken"] != self.token:
            message = "Not authorized to perform sts:AssumeRoleWithWebIdentity"
            error = f"<Type>Sender</Type><Code>AccessDenied</Code><Message>{message}</Message>"
            return 403, f"<ErrorResponse><Error>{error}</Error></ErrorResponse>"
        key = Key(secrets.token_urlsafe(), secrets.token_urlsafe(900), time.time() + self._lifetime)
        access_key = f"ASIA{self.asked}"
        self._rds.keys[access_key] = key
        expires = datetime.datetime.fromtimestamp(key.expires, datetime.timezone.utc)
        credentials = (
            f"<AccessKeyId>{access_key}</AccessKeyId><SecretAccessKey>{key.secret}</SecretAccessKey>"
            f"<SessionToken>{key.session}</SessionToken><Expiration>{expires:%Y-%m-%dT%H:%M:%SZ}</Expiration>"
        )
        action = "AssumeRoleWithWebIdentity"
        return 200, (
            f'<{action}Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><{action}Result>'
            f"<Credentials>{credentials}</Credentials></{action}Result></{action}Response>"
        )


def _signature(place: str, words: dict[str, str], secret: str, date: str) -> str:
    query = "&".join(f"{quote(name, safe='')}={quote(words[name], safe='')}" for name in sorted(words))
    request = f"GET\n/\n{query}\nhost:{place}\n\nhost\n{_EMPTY}"
    scope = f"{date}/{REGION}/rds-db/aws4_request"
    digest = hashlib.sha256(request.encode()).hexdigest()
    key = f"AWS4{secret}".encode()
    for part in [*scope.split("/"), f"AWS4-HMAC-SHA256\n{words['X-Amz-Date']}\n{scope}\n{digest}"]:
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return key.hex()


def _exactly(source: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        more = source.recv(size - len(data))
        if not more:
            raise EOFError
        data += more
    return data


def _pipe(outer: ssl.SSLSocket, inner: socket.socket) -> None:
    while True:
        ready = [outer] if outer.pending() else select.select([outer, inner], [], [])[0]
        for each in ready:
            data = each.recv(2**16)
            if not data:
                return
            (inner if each is outer else outer).sendall(data)


def _fatal(state: str, message: str) -> bytes:
    fields = {"S": "FATAL", "V": "FATAL", "C": state, "M": message}
    body = b"".join(key.encode() + value.encode() + b"\0" for key, value in fields.items()) + b"\0"
    return b"E" + (len(body) + 4).to_bytes(4, "big") + body
