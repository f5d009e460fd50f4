"""What S3 is to MLflow and Barman: anybody puts objects, in one part or many, lists, fetches, deletes them.

It keeps them in memory and stands in for MinIO, whose image not every cluster can pull.

usage: memory_store.py PORT...
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from hashlib import md5
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from threading import Thread
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape, unescape

OBJECTS: dict[str, bytes] = {}
UPLOADS: dict[str, dict[int, bytes]] = {}
IDS = count(1)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_PUT(self) -> None:
        body = self.body()
        if "uploadId" in self.query():
            UPLOADS[self.query()["uploadId"]][int(self.query()["partNumber"])] = body
        elif self.key():
            OBJECTS[self.key()] = body
        self.answer(200, tag=body)

    def do_POST(self) -> None:
        body, query = self.body(), self.query()
        if "uploads" in query:
            upload = str(next(IDS))
            UPLOADS[upload] = {}
            self.answer(200, xml("InitiateMultipartUploadResult", f"<UploadId>{upload}</UploadId>"))
        elif "uploadId" in query:
            parts = UPLOADS.pop(query["uploadId"])
            OBJECTS[self.key()] = b"".join(parts[number] for number in sorted(parts))
            self.answer(200, xml("CompleteMultipartUploadResult", '<ETag>"parts"</ETag>'))
        elif "delete" in query:
            for key in re.findall("<Key>(.*?)</Key>", body.decode()):
                OBJECTS.pop(unescape(key), None)
            self.answer(200, xml("DeleteResult", ""))
        else:
            self.answer(400)

    def do_DELETE(self) -> None:
        UPLOADS.pop(self.query().get("uploadId", ""), None)
        if "uploadId" not in self.query():
            OBJECTS.pop(self.key(), None)
        self.answer(204)

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        query = self.query()
        if not self.key():
            self.answer(200, listing(query.get("prefix", ""), query.get("delimiter", "")))
        elif self.key() not in OBJECTS:
            self.answer(404, b"<Error><Code>NoSuchKey</Code></Error>")
        else:
            self.send_object(OBJECTS[self.key()])

    def send_object(self, content: bytes) -> None:
        wanted = re.match(r"bytes=(\d+)-(\d*)$", self.headers.get("Range", ""))
        if not wanted:
            self.answer(200, content, tag=content)
            return
        first, last = int(wanted[1]), min(int(wanted[2] or len(content)), len(content) - 1)
        self.answer(206, content[first : last + 1], content, f"bytes {first}-{last}/{len(content)}")

    def key(self) -> str:
        """`/bucket/key` without the bucket."""
        return unquote(urlsplit(self.path).path).lstrip("/").partition("/")[2]

    def query(self) -> dict[str, str]:
        found = parse_qs(urlsplit(self.path).query, keep_blank_values=True)
        return {name: values[0] for name, values in found.items()}

    def body(self) -> bytes:
        chunked = self.headers.get("Transfer-Encoding") == "chunked"
        sent = (
            b"".join(self.chunks()) if chunked else self.rfile.read(int(self.headers["Content-Length"] or 0))
        )
        if "aws-chunked" not in self.headers.get("Content-Encoding", ""):
            return sent
        # S3's own chunks, each with a signature or not, and a checksum behind the last.
        body = b""
        while size := int(re.match(rb"[0-9a-fA-F]+", sent)[0], 16):  # type: ignore[index]
            start = sent.index(b"\r\n") + 2
            body, sent = body + sent[start : start + size], sent[start + size + 2 :]
        return body

    def chunks(self) -> Iterator[bytes]:
        while size := int(self.rfile.readline().split(b";")[0], 16):
            yield self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()

    def answer(
        self, status: int, body: bytes = b"", tag: bytes | None = None, content_range: str = ""
    ) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        if tag is not None:
            self.send_header("ETag", f'"{md5(tag).hexdigest()}"')
            self.send_header("Last-Modified", self.date_time_string())
        if content_range:
            self.send_header("Content-Range", content_range)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


def xml(name: str, content: str) -> bytes:
    return f"<{name}>{content}</{name}>".encode()


def listing(prefix: str, delimiter: str) -> bytes:
    found, folders = "", set()
    for key in sorted(key for key in OBJECTS if key.startswith(prefix)):
        inside, cut, _ = key[len(prefix) :].partition(delimiter) if delimiter else ("", "", "")
        if cut:
            folders.add(prefix + inside + delimiter)
        else:
            found += f"<Contents><Key>{escape(key)}</Key><Size>{len(OBJECTS[key])}</Size></Contents>"
    common = "".join(
        f"<CommonPrefixes><Prefix>{escape(each)}</Prefix></CommonPrefixes>" for each in sorted(folders)
    )
    return xml("ListBucketResult", f"<IsTruncated>false</IsTruncated>{found}{common}")


if __name__ == "__main__":
    for port in sys.argv[1:]:
        Thread(target=ThreadingHTTPServer(("0.0.0.0", int(port)), Handler).serve_forever).start()
