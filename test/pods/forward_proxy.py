"""An HTTP proxy between the pods and what only it knows by name."""

from __future__ import annotations

import select
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PORT = 3128


class ForwardProxy:
    """Tunnels TLS (CONNECT) to the hosts that it knows, and answers 502 to all else."""

    def __init__(self, address: str, hosts: dict[str, str]) -> None:
        self.asked: list[str] = []
        asked = self.asked

        class Handler(BaseHTTPRequestHandler):
            def do_CONNECT(self) -> None:
                asked.append(f"CONNECT {self.path}")
                host, port = self.path.rsplit(":", 1)
                if host not in hosts:
                    self.send_error(502)
                    return
                with socket.create_connection((hosts[host], int(port))) as there:
                    self.send_response(200)
                    self.end_headers()
                    join(self.connection, there)
                self.close_connection = True

            def do_GET(self) -> None:
                asked.append(f"GET {self.path}")
                self.send_error(502)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer((address, PORT), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def join(here: socket.socket, there: socket.socket) -> None:
    """Passes on what either side sends, until one ends."""
    others = {here: there, there: here}
    while True:
        for each in select.select([here, there], [], [])[0]:
            data = each.recv(65536)
            if not data:
                return
            others[each].sendall(data)
