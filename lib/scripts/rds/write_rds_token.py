"""Keep a password file of libpq that lets a role in to Amazon RDS by IAM, with tokens good for 15 minutes.

libpq reads the file at each connection, so that whoever connects has the newest token. A token is made here,
by a signature with the credentials that botocore finds and renews itself. RDS checks it; nobody is asked.

Environment besides botocore's own:
  PGUSER, PGPORT       who logs in, and where
  PGPASSFILE           the file, alone in a folder that can be written to
  RDS_HOSTS            region/host, with commas: a token is good for one host
  RDS_RENEWAL_SECONDS  how often the tokens are made anew (default 600)

With --check it only looks whether the file is young enough to log in with, and says why not.

On stdout, a line for the first success and one for each failure, which is tried again after 1 to 30 s:
`rds-token: written: ...` and `rds-token: <cause>: <what was seen>. <what to do>`.

Exit codes: 0 stopped by SIGTERM, or the file is young enough; 1 a setting cannot be used, the tokens could
not be renewed when SIGTERM came, or the file is missing or too old. The last line of
a failure is also the termination message.
"""

from __future__ import annotations

import itertools
import os
import sys
import time
from typing import Callable, NamedTuple

from exit_codes import DONE, FAILED
from init_container import BadSetting, end_on_sigterm, fail, one_line, seconds_from
from log_format import log_as_told

PROGRAM = "rds-token"
TOKEN_LIFE = 900.0
# A minute for clocks that differ, and for who has read the file and not connected yet.
OLDEST_TOKEN = TOKEN_LIFE - 60
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 30.0
SECRETS = ("AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_CONTAINER_AUTHORIZATION_TOKEN")

_WAY = "Let the pod reach AWS's APIs (STS, port 443): look at network policies, DNS and routes"
_NOBODY = (
    "Nothing gives this pod credentials: annotate its ServiceAccount with a role, or associate one with it"
    " (EKS Pod Identity), and make the pod anew, since that is put into it when it is made"
)
# The name of an exception, or of one that it is a kind of: of botocore's, but for the last.
CAUSES = {
    "NoCredentialsError": ("no-credentials", _NOBODY),
    "PartialCredentialsError": ("no-credentials", _NOBODY),
    "ClientError": (
        "refused",
        "Let the role trust this ServiceAccount, and the OIDC provider of the cluster",
    ),
    "CredentialRetrievalError": ("refused", "Look at what hands out credentials to this pod"),
    "HTTPClientError": ("unreachable", _WAY),
    "ConnectionError": ("unreachable", _WAY),
    "CannotWrite": ("cannot-write", "Mount a volume there that this user can write to"),
    "ImportError": (
        "bad-image",
        "Use an image with botocore: ghcr.io/mlflow/mlflow:vX.Y.Z-full, not without -full",
    ),
}
UNKNOWN = ("unknown", "No cause that is known here: read the message")


class CannotWrite(Exception):
    pass


class Settings(NamedTuple):
    user: str
    port: int
    hosts: list[tuple[str, str]]  # region, host
    file: str
    renewal: float


Sign = Callable[[str, str], str]  # the token for a region and a host


def read_settings() -> Settings:
    get = os.environ.get
    hosts = [tuple(each.strip().split("/", 1)) for each in get("RDS_HOSTS", "").split(",")]
    if not all(len(each) == 2 and all(each) for each in hosts):
        raise BadSetting(f"RDS_HOSTS must be region/host, with commas, got {get('RDS_HOSTS', '')!r}")
    port = get("PGPORT") or "5432"
    if not (port.isascii() and port.isdigit()):
        raise BadSetting(f"PGPORT must be a whole number, got {port!r}")
    if not get("PGUSER") or not get("PGPASSFILE"):
        raise BadSetting("PGUSER and PGPASSFILE must not be empty")
    renewal = seconds_from("RDS_RENEWAL_SECONDS", 600)
    return Settings(get("PGUSER", ""), int(port), hosts, get("PGPASSFILE", ""), renewal)


def escape(field: str) -> str:
    """As in a password file, where a colon ends a field."""
    return field.replace("\\", "\\\\").replace(":", "\\:")


def password_file(settings: Settings, sign: Sign) -> str:
    lines = [
        f"{escape(host)}:{settings.port}:*:{escape(settings.user)}:{escape(sign(region, host))}\n"
        for region, host in settings.hosts
    ]
    return "".join(lines)


def write(file: str, text: str) -> None:
    """In one step, so that nobody reads half of it. libpq takes no file that others may read."""
    new = f"{file}.new"
    try:
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as opened:
            opened.write(text)
        os.replace(new, file)
    except OSError as error:
        raise CannotWrite(str(error)) from error


def check(file: str, now: float) -> int:
    """For a probe, whose events show what it says."""
    try:
        age = now - os.stat(file).st_mtime
    except FileNotFoundError:
        print("no token yet")
        return FAILED
    if age < OLDEST_TOKEN:
        return DONE
    print(f"the newest token is {age:.0f} s old")
    return FAILED


class Signer:
    """botocore, made anew after a failure: it never looks again for credentials that it has not found."""

    def __init__(self, user: str, port: int) -> None:
        self._user, self._port = user, port
        self._clients: dict[str, object] = {}

    def __call__(self, region: str, host: str) -> str:
        try:
            client = self._clients.get(region) or self._client(region)
            self._clients[region] = client
            return client.generate_db_auth_token(host, self._port, self._user)
        except Exception:
            self._clients.clear()
            raise

    @staticmethod
    def _client(region: str) -> object:
        from botocore.config import Config
        from botocore.session import Session

        session = Session()
        session.set_config_variable("region", region)  # that of STS, too
        # For STS. The defaults wait for minutes, and say nothing meanwhile.
        config = Config(connect_timeout=5, read_timeout=10, retries={"total_max_attempts": 2})
        session.set_default_client_config(config)
        return session.create_client("rds")


def cause_of(error: BaseException) -> str:
    """`<cause>: <what was seen>. <what to do>` in one line, without a secret."""
    names = [each.__name__ for each in type(error).__mro__]
    cause, advice = next((CAUSES[name] for name in names if name in CAUSES), UNKNOWN)
    saw = str(error) or names[0]
    for secret in filter(None, map(os.environ.get, SECRETS)):
        saw = saw.replace(secret, "***")
    return f"{cause}: {one_line(saw).rstrip('.')}. {advice}"


class Keeper:
    """Writes the file again and again; `failure` is why it could not, for as long as it cannot."""

    def __init__(self, settings: Settings, sign: Sign, sleep: Callable[[float], None] = time.sleep) -> None:
        self._settings, self._sign, self._sleep = settings, sign, sleep
        self.failure: str | None = None

    def keep(self, rounds: int | None = None) -> None:
        pause, well = FIRST_PAUSE, False
        for _ in itertools.count() if rounds is None else range(rounds):
            try:
                write(self._settings.file, password_file(self._settings, self._sign))
            except Exception as error:
                well, self.failure = False, cause_of(error)
                nap, pause = min(pause, self._settings.renewal), min(pause * 2, LONGEST_PAUSE)
                print(f"{PROGRAM}: {self.failure} (next in {nap:g} s)", flush=True)
            else:
                self.failure, pause, nap = None, FIRST_PAUSE, self._settings.renewal
                if not well:
                    hosts = ", ".join(host for _, host in self._settings.hosts)
                    print(f'{PROGRAM}: written: for user "{self._settings.user}" at {hosts}, ', end="")
                    print(f"again every {nap:g} s", flush=True)
                well = True
            self._sleep(nap)

    def end(self) -> int:
        if self.failure is None:
            return DONE
        return fail(f"{PROGRAM}: {self.failure}", FAILED)


def main(arguments: list[str]) -> int:
    if arguments == ["--check"]:
        return check(os.environ.get("PGPASSFILE", ""), time.time())
    log_as_told(PROGRAM)
    try:
        settings = read_settings()
    except BadSetting as error:
        return fail(f"{PROGRAM}: bad-settings: {error}", FAILED)
    keeper = Keeper(settings, Signer(settings.user, settings.port))
    end_on_sigterm(keeper.end)
    keeper.keep()
    return DONE


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
