"""A page of some origin in a real browser, that asks another host."""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

# A write with JSON, for which a browser asks first (OPTIONS) whether this origin may.
PAGE = """<!doctype html><pre id="said">nothing</pre><script>
fetch(URL_, {method: "POST", headers: {"Content-Type": "application/json"}, body: BODY_})
  .then(async (answer) => ({status: answer.status, body: await answer.text()}))
  .catch((error) => ({error: String(error)}))
  .then((said) => { document.getElementById("said").textContent = JSON.stringify(said); });
</script>"""


def chromium() -> str:
    found = shutil.which("chromium") or shutil.which("google-chrome")
    if found is None:
        pytest.skip("there is no browser: install Debian's chromium")
    return found


def dump(url: str, addresses: Mapping[str, str]) -> str:
    """The document at the URL after its scripts have run. `addresses`: of the hosts that the browser asks."""
    rules = ", ".join(f"MAP {host} {address}" for host, address in addresses.items())
    with tempfile.TemporaryDirectory() as profile:
        command = [
            chromium(),
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            f"--user-data-dir={profile}",
            f"--host-resolver-rules={rules}",
            "--virtual-time-budget=20000",
            "--dump-dom",
            url,
        ]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def post_from(origin: str, url: str, body: object, addresses: Mapping[str, str]) -> dict[str, Any]:
    """What a script of a page of this origin gets for a POST to the URL."""
    page = PAGE.replace("URL_", json.dumps(url)).replace("BODY_", json.dumps(json.dumps(body)))
    with _serving(page) as address:
        text = dump(f"http://{origin}/", {origin: address, **addresses})
    found = re.search(r'<pre id="said">(.*?)</pre>', text, re.DOTALL)
    assert found, text
    said: dict[str, Any] = json.loads(html.unescape(found[1]))
    return said


@contextmanager
def _serving(page: str) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(page.encode())

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
