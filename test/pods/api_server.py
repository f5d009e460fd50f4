"""A stand-in of the API server of Kubernetes: Secrets of one namespace, by a token, with TLS."""

from __future__ import annotations

import base64
import json
import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from certificates import sign


class ApiServer:
    def __init__(self, address: str, folder: Path, token: str, namespace: str = "mlflow") -> None:
        """`folder` has the CA, by the names of certificates.py."""
        sign(folder, "api-server", address, address)
        self.secrets: dict[str, dict[str, Any]] = {}
        # Names in the requests, by method.
        self.requests: list[tuple[str, str]] = []
        prefix, secrets, requests = f"/api/v1/namespaces/{namespace}/secrets", self.secrets, self.requests

        class Handler(BaseHTTPRequestHandler):
            def answer(self, status: int, body: Any) -> None:
                data = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def allowed(self) -> bool:
                if self.headers["Authorization"] != f"Bearer {token}" or not self.path.startswith(prefix):
                    self.answer(403, {"message": "forbidden"})
                    return False
                return True

            def do_GET(self) -> None:
                if self.allowed():
                    name = self.path.removeprefix(f"{prefix}/")
                    requests.append(("GET", name))
                    found = secrets.get(name)
                    self.answer(200 if found else 404, found or {"message": "not found"})

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                if not self.allowed():
                    return
                name = body["metadata"]["name"]
                requests.append(("POST", name))
                if name in secrets:
                    return self.answer(409, {"message": "exists"})
                texts = body.pop("stringData")
                body["data"] = {key: base64.b64encode(text.encode()).decode() for key, text in texts.items()}
                secrets[name] = body
                self.answer(201, body)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer((address, 443), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(folder / "api-server.crt", folder / "api-server.key")
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def texts(self, name: str) -> dict[str, str]:
        return {key: base64.b64decode(each).decode() for key, each in self.secrets[name]["data"].items()}

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
