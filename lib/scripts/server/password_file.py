"""New connections take the password from a file that follows the Secret.

A variable keeps what it was when the container started. A password changes in two places, PostgreSQL and the
Secret, and the kubelet brings the Secret into the pod up to 90 seconds later. Until all agree, a new
connection tries the password that PostgreSQL accepted last, then waits for the file to change, rather than
fail a request. Connections that are open stay open: PostgreSQL asks only once.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any, Callable, TypeVar

from database_errors import classify

Connection = TypeVar("Connection")

# The kubelet looks at a Secret once a minute; after that, a password is wrong and not late.
PATIENCE = 90.0
PAUSE = 1.0


class PasswordFile:
    def __init__(
        self,
        path: str,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._path, self._clock, self._sleep = Path(path), clock, sleep
        self._accepted: str | None = None
        self._refused_since: float | None = None

    def connect(self, login: Callable[[str], Connection]) -> Connection:
        """What `login` returns for the first password that is accepted."""
        while True:
            accepted = self._accepted
            current = self.read()
            for password in (current, accepted) if accepted not in (None, current) else (current,):
                try:
                    connection = login(password)
                except Exception as error:
                    if classify(error).cause.name != "wrong-password":
                        raise
                    refusal = error
                else:
                    self._accepted, self._refused_since = password, None
                    return connection
            # A password that was never accepted is not one that changes.
            if accepted is None or not self._may_wait():
                raise refusal
            self._sleep(PAUSE)

    def read(self) -> str:
        """Empty for what is no text, which only libpq's variable can hold."""
        try:
            return self._path.read_bytes().decode()
        except UnicodeDecodeError:
            return ""

    def _may_wait(self) -> bool:
        """One time for all threads: a password that stays wrong holds requests up once."""
        now = self._clock()
        if self._refused_since is None:
            self._refused_since = now
        return now - self._refused_since < PATIENCE


def follow(path: str) -> None:
    """Makes every engine of this process take its password from the file, unless its URI has one."""
    from sqlalchemy import event
    from sqlalchemy.engine import Engine

    file = PasswordFile(path)

    def connect(dialect: Any, _: Any, args: list[Any], parameters: dict[str, Any]) -> Any:
        if dialect.name != "postgresql" or "password" in parameters or not file.read():
            return None
        return file.connect(lambda password: dialect.connect(*args, **parameters, password=password))

    event.listen(Engine, "do_connect", connect)
