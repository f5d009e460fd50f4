"""What S3 is to MLflow: objects are put, listed and fetched, by anybody, and kept in memory.

It stands in for MinIO, whose image not every cluster can pull.

usage: memory_store.py PORT...
"""

from __future__ import annotations

import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

OBJECTS: dict[str, bytes] = {}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_PUT(self) -> None:
        OBJECTS[self.key()] = self.rfile.read(int(self.headers["Content-Length"]))
        self.answer(200)

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        query = parse_qs(urlsplit(self.path).query)
        if "list-type" in query:
            self.answer(200, listing(query.get("prefix", [""])[0]))
        elif self.key() in OBJECTS:
            self.answer(200, OBJECTS[self.key()])
        else:
            self.answer(404, b"<Error><Code>NoSuchKey</Code></Error>")

    def key(self) -> str:
        """`/bucket/key` without the bucket."""
        return unquote(urlsplit(self.path).path).split("/", 2)[-1]

    def answer(self, status: int, body: bytes = b"") -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


def listing(prefix: str) -> bytes:
    found = [(key, len(body)) for key, body in OBJECTS.items() if key.startswith(prefix)]
    contents = "".join(
        f"<Contents><Key>{escape(key)}</Key><Size>{size}</Size></Contents>" for key, size in found
    )
    return f"<ListBucketResult><IsTruncated>false</IsTruncated>{contents}</ListBucketResult>".encode()


if __name__ == "__main__":
    for port in sys.argv[1:]:
        Thread(target=ThreadingHTTPServer(("0.0.0.0", int(port)), Handler).serve_forever).start()
