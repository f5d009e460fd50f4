"""Ask a server in this pod, which listens on the loopback address only, whether it is well: an exec probe.

usage: probe_server.py PORT PATH

The kubelet asks over the network, where a proxy answers in the server's place.
Run with `python -I -S`: it is started every few seconds, and most of its time is Python's own start.

Exit codes: 0 the answer is 2xx or 3xx, as the kubelet has it; 1 it is not, or there is none.
"""

from __future__ import annotations

import socket
import sys

SECONDS = 5


def status(port: int, path: str) -> int:
    with socket.create_connection(("127.0.0.1", port), timeout=SECONDS) as connection:
        connection.sendall(f"GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n".encode())
        # HTTP/1.1 200 OK
        return int(connection.makefile("rb").readline().split()[1])


def main(arguments: list[str]) -> int:
    port, path = arguments
    try:
        code = status(int(port), path)
    except (OSError, ValueError, IndexError) as error:
        print(f"probe: {type(error).__name__}: {error}")
        return 1
    if 200 <= code < 400:
        return 0
    print(f"probe: HTTP {code}")
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
