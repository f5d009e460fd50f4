"""A certificate that is renewed under connections, with real handshakes."""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from certificates import make_ca, sign

bounded_loop = pytest.importorskip("bounded_loop")

FILES = ("tls.crt", "tls.key")


class Server:
    """HTTPS in the loop of a worker."""

    def __init__(self, folder: Path, loop: asyncio.AbstractEventLoop) -> None:
        self.folder, self._loop = folder, loop
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*(folder / name for name in FILES))
        create = loop.create_server(asyncio.Protocol, "127.0.0.1", 0, ssl=context)
        self._address = loop.run_until_complete(create).sockets[0].getsockname()
        self._thread = threading.Thread(target=loop.run_forever)
        self._thread.start()

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def connect(self, name: str | None = "mlflow") -> ssl.SSLSocket:
        context = ssl.create_default_context(cafile=str(self.folder / "ca.crt"))
        context.check_hostname = name is not None
        return context.wrap_socket(socket.create_connection(self._address), server_hostname=name)

    def presented(self, name: str | None = "mlflow") -> bytes | None:
        with self.connect(name) as connection:
            return connection.getpeercert(binary_form=True)

    def on_disk(self) -> bytes:
        return ssl.PEM_cert_to_DER_cert((self.folder / "tls.crt").read_text())

    def renew(self, *files: str) -> None:
        """As the kubelet does: each file is another one at once."""
        sign(self.folder, "new", "mlflow", "mlflow")
        for name in files:
            os.replace(self.folder / name.replace("tls", "new"), self.folder / name)


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    make_ca(tmp_path)
    sign(tmp_path, "tls", "mlflow", "mlflow")
    monkeypatch.setenv("SERVER_CERTIFICATE_FILE", str(tmp_path / FILES[0]))
    monkeypatch.setenv("SERVER_KEY_FILE", str(tmp_path / FILES[1]))
    server = Server(tmp_path, bounded_loop.new_loop())
    yield server
    server.stop()


@pytest.mark.parametrize("name", ["mlflow", None])
def test_a_renewed_certificate_is_presented(server: Server, name: str | None) -> None:
    old = server.presented(name)
    assert old == server.on_disk()
    server.renew(*FILES)
    assert server.presented(name) == server.on_disk() != old


def test_open_connections_stay(server: Server) -> None:
    with server.connect() as connection:
        server.renew(*FILES)
        server.presented()
        connection.settimeout(0.2)
        with pytest.raises(TimeoutError):  # an end would be an empty answer
            connection.recv(1)


def test_half_a_renewal_waits_for_the_other_half(server: Server) -> None:
    old = server.presented()
    sign(server.folder, "new", "mlflow", "mlflow")
    os.replace(server.folder / "new.crt", server.folder / "tls.crt")
    assert server.presented() == old
    os.replace(server.folder / "new.key", server.folder / "tls.key")
    assert server.presented() == server.on_disk() != old


@pytest.mark.parametrize("text", ["not a certificate\n", None])
def test_what_cannot_be_read_changes_nothing(server: Server, text: str | None) -> None:
    old = server.presented()
    for name in FILES:
        (server.folder / name).unlink()
        if text is not None:
            (server.folder / name).write_text(text)
    assert server.presented() == old
    server.renew(*FILES)
    assert server.presented() == server.on_disk() != old
