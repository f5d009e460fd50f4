"""A stand-in of Google Cloud SQL: its Admin API, tokens for it, and an instance before a real PostgreSQL.

The instance lets nobody in without a certificate that the API has signed and that is still valid.
Certificates and tokens may be short-lived, so that a test of a minute sees several of each.
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import json
import re
import secrets
import socket
import ssl
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID
from postgres import PORT, Postgres

API_PORT, INSTANCE_PORT = 8080, 3307
_PATH = re.compile(
    r"/sql/v1beta4/projects/([^/]+)/instances/([^/:]+)(/connectSettings|:generateEphemeralCert)"
)
_SUFFIX = ".gserviceaccount.com"


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.timezone.utc)


@dataclass
class Seen:
    """What came to the instance: certificates by serial number, with the end of their life."""

    connections: dict[int, int] = field(default_factory=dict)
    expiries: dict[int, float] = field(default_factory=dict)
    tokens: set[str] = field(default_factory=set)


class CloudSql:
    """An instance. `account` is who asks for it, and `allowed` are its users by IAM."""

    name = "shop:europe-west1:mlflow"

    def __init__(self, address: str, folder: Path, postgres: Postgres, lifetime: float = 3600) -> None:
        self.api = f"http://{address}:{API_PORT}"
        self.account = f"mlflow@shop.iam{_SUFFIX}"
        self.allowed = {"mlflow@shop.iam"}
        self.seen = Seen()
        self._address, self._folder, self._postgres, self._lifetime = address, folder, postgres, lifetime
        self._tokens: dict[str, float] = {}
        self._by_iam: dict[int, bool] = {}
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._ca = self._sign("ca", self._key.public_key(), 3600, ca=True)
        self._serve_api()
        self._loop = asyncio.new_event_loop()
        started = threading.Event()
        threading.Thread(target=self._serve_instance, args=(started,), daemon=True).start()
        assert started.wait(10)

    def key_file(self) -> str:
        """Of the service account, as Google hands it out."""
        key = rsa.generate_private_key(65537, 2048)
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        return json.dumps(
            {
                "type": "service_account",
                "project_id": "shop",
                "private_key_id": "1",
                "private_key": private.decode(),
                "client_email": self.account,
                "client_id": "1",
                "token_uri": f"{self.api}/token",
            }
        )

    def first_answer(self, lifetime: float) -> bytes:
        """To somebody with a certificate that ends so many seconds from now: nothing, if it is refused."""
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = self._sign("client", key.public_key(), lifetime)
        self._by_iam[certificate.serial_number] = True
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        context.load_cert_chain(*self._write("client", key, certificate))
        startup = (196608).to_bytes(4, "big") + b"user\0nobody\0\0"
        with (
            contextlib.suppress(OSError),
            socket.create_connection((self._address, INSTANCE_PORT), 10) as plain,
            context.wrap_socket(plain) as encrypted,
        ):
            encrypted.sendall((len(startup) + 4).to_bytes(4, "big") + startup)
            return encrypted.recv(1)
        return b""

    def stop(self) -> None:
        self._api.shutdown()
        self._api.server_close()
        self._loop.call_soon_threadsafe(self._end)

    def _sign(self, name: str, key: object, lifetime: float, ca: bool = False) -> x509.Certificate:
        builder = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
            .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "ca")]))
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(_now() - datetime.timedelta(hours=1))
            .not_valid_after(_now() + datetime.timedelta(seconds=lifetime))
            .add_extension(x509.BasicConstraints(ca, None), critical=True)
        )
        return builder.sign(self._key, hashes.SHA256())

    def _write(
        self, name: str, key: ec.EllipticCurvePrivateKey, certificate: x509.Certificate
    ) -> tuple[Path, Path]:
        files = self._folder / f"{name}.crt", self._folder / f"{name}.key"
        files[0].write_text(_pem(certificate))
        files[1].write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        return files

    # The API

    def _serve_api(self) -> None:
        cloud = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self._answer({})

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
                self._answer(parse_qs(body) if self.path == "/token" else json.loads(body))

            def _answer(self, body: dict[str, object]) -> None:
                status, answer = cloud.answer(self.path, self.headers.get("Authorization") or "", body)
                text = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *_: object) -> None:
                pass

        self._api = ThreadingHTTPServer((self._address, API_PORT), Handler)
        threading.Thread(target=self._api.serve_forever, daemon=True).start()

    def answer(self, url: str, authorization: str, body: dict[str, object]) -> tuple[int, dict[str, object]]:
        if url == "/token":
            return 200, {**self._new_token(), "token_type": "Bearer"}
        path = _PATH.match(url)
        if not self._is_valid(authorization.removeprefix("Bearer ")):
            return _error(401, "Request had invalid authentication credentials.")
        if path is None or f"{path[1]}:{path[2]}" != "shop:mlflow":
            # As Google answers who may not know whether there is one.
            return _error(403, "The client is not authorized to make this request.")
        return 200, self._settings() if path[3] == "/connectSettings" else self._certificate(body)

    def _new_token(self) -> dict[str, object]:
        token = secrets.token_urlsafe()
        # Google's library asks ahead, and takes what it has until the answer is there: one round later.
        lifetime = 2 * self._lifetime
        self._tokens[token] = time.time() + lifetime
        return {"access_token": token, "expires_in": int(lifetime)}

    def _is_valid(self, token: str) -> bool:
        return self._tokens.get(token, 0) > time.time()

    def _settings(self) -> dict[str, object]:
        return {
            "kind": "sql#connectSettings",
            "backendType": "SECOND_GEN",
            "databaseVersion": "POSTGRES_15",
            "region": "europe-west1",
            "ipAddresses": [{"type": "PRIMARY", "ipAddress": self._address}],
            "serverCaCert": {"cert": _pem(self._ca)},
        }

    def _certificate(self, body: dict[str, object]) -> dict[str, object]:
        # The proxy calls this PKIX key an RSA key.
        pem = str(body["public_key"]).replace("RSA PUBLIC KEY", "PUBLIC KEY").encode()
        certificate = self._sign("client", serialization.load_pem_public_key(pem), self._lifetime)
        token = str(body.get("access_token") or "")
        if token:
            assert self._is_valid(token), "the token of a login has expired"
            self.seen.tokens.add(token)
        self._by_iam[certificate.serial_number] = bool(token)
        self.seen.expiries[certificate.serial_number] = certificate.not_valid_after_utc.timestamp()
        return {"ephemeralCert": {"cert": _pem(certificate)}}

    # The instance

    def _serve_instance(self, started: threading.Event) -> None:
        asyncio.set_event_loop(self._loop)
        key = ec.generate_private_key(ec.SECP256R1())
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(
            *self._write("instance", key, self._sign("shop:mlflow", key.public_key(), 3600))
        )
        context.load_verify_locations(cadata=_pem(self._ca))
        context.verify_mode = ssl.CERT_REQUIRED
        self._loop.run_until_complete(
            asyncio.start_server(self._forward, self._address, INSTANCE_PORT, ssl=context, limit=2**20)
        )
        started.set()
        self._loop.run_forever()

    def _end(self) -> None:
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._loop.call_soon(self._loop.stop)

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        serial = int(writer.get_extra_info("peercert")["serialNumber"], 16)
        self.seen.connections[serial] = self.seen.connections.get(serial, 0) + 1
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, ssl.SSLError):
            length = await reader.readexactly(4)
            startup = length + await reader.readexactly(int.from_bytes(length, "big") - 4)
            if self._by_iam[serial]:
                words = startup[8:].decode().split("\0")
                user = dict(zip(words[::2], words[1::2], strict=False)).get("user", "")
                if user not in self.allowed or f"{user}{_SUFFIX}" != self.account:
                    writer.write(
                        _fatal(f'Cloud SQL IAM service account authentication failed for user "{user}"')
                    )
                    await writer.drain()
                    writer.close()
                    return
                # Over the socket, PostgreSQL trusts whoever comes.
                inner = await asyncio.open_unix_connection(f"{self._postgres.folder}/.s.PGSQL.{PORT}")
            else:
                inner = await asyncio.open_connection(self._postgres.address, PORT)
            inner[1].write(startup)
            await asyncio.gather(_copy(reader, inner[1]), _copy(inner[0], writer))


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError, ssl.SSLError):
        while data := await reader.read(2**16):
            writer.write(data)
            await writer.drain()
    with contextlib.suppress(OSError, ssl.SSLError):
        writer.close()


def _error(status: int, message: str) -> tuple[int, dict[str, object]]:
    return status, {"error": {"code": status, "message": message}}


def _fatal(message: str) -> bytes:
    fields = {"S": "FATAL", "V": "FATAL", "C": "28000", "M": message}
    body = b"".join(key.encode() + value.encode() + b"\0" for key, value in fields.items()) + b"\0"
    return b"E" + (len(body) + 4).to_bytes(4, "big") + body
