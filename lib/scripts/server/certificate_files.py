"""New connections get the server's certificate as its files have it, which follow their Secret.

uvicorn reads a certificate once, and a renewed one would need new pods before the old one expires. Here each
handshake looks whether the files have changed. The kubelet replaces certificate and key one after the other:
until they fit, the handshake goes on with what fitted last. Connections that are open stay open.
"""

from __future__ import annotations

import logging
import os
import ssl
from typing import Any


class CertificateFiles:
    def __init__(self, certificate: str, key: str) -> None:
        self._paths = (certificate, key)
        self._seen = self._state()
        self._newest: ssl.SSLContext | None = None  # None: as it was at the start

    def present(self, context: ssl.SSLContext) -> None:
        """Each handshake of the context presents the newest certificate, also to who names no host."""

        def choose(connection: ssl.SSLObject, *_: Any) -> None:
            self._look()
            if self._newest is not None:
                connection.context = self._newest

        context.sni_callback = choose  # type: ignore[assignment]

    def _look(self) -> None:
        state = self._state()
        if state == self._seen:
            return
        self._seen = state
        # A context of its own: the one in use would be left without a key if the two do not fit.
        newest = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        try:
            newest.load_cert_chain(*self._paths)
        except (OSError, ssl.SSLError) as error:
            logging.getLogger("uvicorn.error").warning("The renewed certificate is not used: %s", error)
        else:
            self._newest = newest

    def _state(self) -> list[tuple[int, int] | None]:
        """What changes with a file. None: there is no file."""
        return [_identity(path) for path in self._paths]


def _identity(path: str) -> tuple[int, int] | None:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns
