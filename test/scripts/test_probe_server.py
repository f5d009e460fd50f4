from __future__ import annotations

import socket
import threading
from collections.abc import Callable

import probe_server
import pytest

Serve = Callable[[bytes], int]


@pytest.fixture
def serve() -> Serve:
    """A server that gives one answer, whatever it is asked; returns its port."""

    def start(answer: bytes) -> int:
        listener = socket.create_server(("127.0.0.1", 0))

        def work() -> None:
            connection, _ = listener.accept()
            asked.append(connection.recv(1000))
            connection.sendall(answer)
            connection.close()
            listener.close()

        threading.Thread(target=work, daemon=True).start()
        return listener.getsockname()[1]

    asked: list[bytes] = []
    start.asked = asked
    return start


@pytest.mark.parametrize(
    ("answer", "code", "said"),
    [
        (b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nOK", 0, ""),
        (b"HTTP/1.1 302 Found\r\n\r\n", 0, ""),
        (b"HTTP/1.1 401 Unauthorized\r\n\r\n", 1, "probe: HTTP 401\n"),
        (b"HTTP/1.1 503 Service Unavailable\r\n\r\n", 1, "probe: HTTP 503\n"),
        (b"", 1, "probe: IndexError: list index out of range\n"),
    ],
)
def test_the_status_decides(
    answer: bytes, code: int, said: str, serve: Serve, capsys: pytest.CaptureFixture[str]
) -> None:
    assert probe_server.main([str(serve(answer)), "/x/health"]) == code
    assert capsys.readouterr().out == said
    assert serve.asked == [b"GET /x/health HTTP/1.0\r\nHost: localhost\r\n\r\n"]


def test_nobody_there_is_a_failure(serve: Serve, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    assert probe_server.main([str(port), "/health"]) == 1
    assert capsys.readouterr().out.startswith("probe: ConnectionRefusedError: ")
