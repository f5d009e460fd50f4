"""A tiny OpenID Connect provider: whoever comes is logged in as the user that the test has chosen."""

from __future__ import annotations

import base64
import hashlib
import json
import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, quote_plus, urlencode, urlsplit

from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _number(value: int) -> str:
    return _base64(value.to_bytes((value.bit_length() + 7) // 8, "big"))


class IdentityProvider:
    def __init__(self, address: str, client: str, secret: str) -> None:
        is_v6 = ":" in address
        self.url = f"http://[{address}]:8080" if is_v6 else f"http://{address}:8080"
        self.email, self.groups = "user@example.com", ["staff"]
        self._client, self._secret = client, secret
        self._key = rsa.generate_private_key(65537, 2048)
        self._logins: dict[str, dict[str, str]] = {}
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                provider.get(self)

            def do_POST(self) -> None:
                provider.post(self)

            def log_message(self, *_: object) -> None:
                pass

        class Server(ThreadingHTTPServer):
            address_family = socket.AF_INET6 if is_v6 else socket.AF_INET

        self._server = Server((address, 8080), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def token(self, **claims: object) -> str:
        """A token for this client, valid for a minute, unless the claims say otherwise."""
        now = int(time.time())
        body = {
            "iss": self.url,
            "aud": self._client,
            "sub": self.email,
            "email": self.email,
            "groups": self.groups,
            "iat": now,
            "exp": now + 60,
            **claims,
        }
        signed = ".".join(
            _base64(json.dumps(part).encode()) for part in ({"alg": "RS256", "kid": "one"}, body)
        )
        return f"{signed}.{_base64(self._key.sign(signed.encode(), padding.PKCS1v15(), SHA256()))}"

    def get(self, request: BaseHTTPRequestHandler) -> None:
        path, query = urlsplit(request.path).path, parse_qs(urlsplit(request.path).query)
        if path == "/.well-known/openid-configuration":
            self._answer(
                request,
                {
                    "issuer": self.url,
                    "authorization_endpoint": f"{self.url}/authorize",
                    "token_endpoint": f"{self.url}/token",
                    "jwks_uri": f"{self.url}/keys",
                    "id_token_signing_alg_values_supported": ["RS256"],
                    "code_challenge_methods_supported": ["S256"],
                },
            )
        elif path == "/keys":
            numbers = self._key.public_key().public_numbers()
            key = {"kty": "RSA", "kid": "one", "alg": "RS256", "use": "sig"}
            self._answer(request, {"keys": [{**key, "n": _number(numbers.n), "e": _number(numbers.e)}]})
        elif path == "/authorize":
            given = {name: values[0] for name, values in query.items()}
            code = hashlib.sha256(request.path.encode()).hexdigest()
            self._logins[code] = given
            back = urlencode({"code": code, "state": given["state"]})
            request.send_response(302)
            request.send_header("Location", f"{given['redirect_uri']}?{back}")
            request.end_headers()
        else:
            request.send_error(404)

    def post(self, request: BaseHTTPRequestHandler) -> None:
        body = request.rfile.read(int(request.headers["Content-Length"])).decode()
        given = {name: values[0] for name, values in parse_qs(body).items()}
        login = self._logins.pop(given.get("code", ""), None)
        sent = base64.b64decode(request.headers.get("Authorization", " ").split(" ")[1]).decode()
        # RFC 6749, 2.3.1: both are form-encoded first.
        known = sent == f"{quote_plus(self._client)}:{quote_plus(self._secret)}"
        challenge = _base64(hashlib.sha256(given.get("code_verifier", "").encode()).digest())
        if login is None or not known or login.get("code_challenge") != challenge:
            request.send_error(401)
            return
        nonce = {"nonce": login["nonce"]} if "nonce" in login else {}
        self._answer(
            request,
            {
                "access_token": "opaque",
                "token_type": "Bearer",
                "expires_in": 60,
                "id_token": self.token(**nonce),
            },
        )

    def _answer(self, request: BaseHTTPRequestHandler, body: dict[str, object]) -> None:
        text = json.dumps(body).encode()
        request.send_response(200)
        request.send_header("Content-Type", "application/json")
        request.send_header("Content-Length", str(len(text)))
        request.end_headers()
        request.wfile.write(text)
