"""Why PostgreSQL cannot be used, as one stable word, and what to do about it.

libpq gives no SQLSTATE for a connection that failed: its English text is all there is. Once logged in,
SQLSTATE decides, since a server may speak any language.
"""

from __future__ import annotations

import json
import os
import re
import sys
import traceback
from typing import NamedTuple

from exit_codes import FAILED
from init_container import BadSetting, Failure, fail, one_line, redact


class Cause(NamedTuple):
    name: str
    retry: bool  # worth waiting for: it can heal while nobody changes a setting
    advice: str
    pattern: str
    # What a database that is being made looks like. An unknown role gets the same answer as a wrong password.
    may_appear: bool = False


class Problem(NamedTuple):
    cause: Cause
    saw: str
    schema: str = ""  # of the login, where it is known

    def __str__(self) -> str:
        named = re.search(r"permission denied for schema (.+)", self.saw)
        schema = self.schema or os.environ.get("DATABASE_SCHEMA") or (named[1] if named else "public")
        advice = self.cause.advice.replace("{schema}", schema)
        return f"{self.cause.name}: {one_line(redact(self.saw)).rstrip('.')}. {advice}"


# fmt: off
_TABLE = [  # The first pattern that fits decides, so the narrow ones come first.
    Cause("tls-not-offered", False,
          "The server has no TLS: switch it on there, or lower PGSSLMODE",
          r"server does not support SSL|SSL was required"),
    Cause("tls-untrusted", False,
          "Make PGSSLROOTCERT the CA that signed the server's certificate, and PGHOST a name in it",
          r"certificate verify failed|does not match host name|host name from server certificate"),
    Cause("client-certificate", False,
          "Give PGSSLCERT and PGSSLKEY a certificate for this user from a CA that the server trusts",
          r"requires a valid client certificate|certificate authentication failed|alert ("
          r"unknown ca|bad certificate|certificate|unsupported certificate|decrypt error|handshake failure)"),
    Cause("tls-file", False,
          "Check that the secret holds this file, its mount path, and a key's mode (0600, or 0640 of root)",
          r"root certificate file|certificate file \"|private key file \"|certificate revocation list"
          r"|home directory to locate|system root certificate"),
    Cause("pg-hba", False,
          "Allow user, database and address in pg_hba.conf; if it says no encryption, try PGSSLMODE=require",
          r"pg_hba\.conf|FATAL:  SSL required"),
    Cause("no-login", False,
          "Create the role, or ALTER ROLE ... LOGIN",
          r"role \".*\" does not exist|not permitted to log in|no such user", may_appear=True),
    Cause("wrong-password", False,
          "Check PGUSER and PGPASSWORD, and the secret they come from",
          r"authentication failed|no password supplied|empty password returned", may_appear=True),
    Cause("no-connect-privilege", False,
          "GRANT CONNECT ON DATABASE to this user, and let the database allow connections",
          r"permission denied for database|is not currently accepting connections", may_appear=True),
    Cause("missing-database", False,
          "CREATE DATABASE ... OWNER this user, or correct PGDATABASE",
          r"database \".*\" does not exist|no such database", may_appear=True),
    Cause("no-table-privilege", False,
          "Make this user the owner of MLflow's tables",
          r"(permission denied for|must be owner of) (table|relation|sequence|index)"),
    Cause("no-create-privilege", False,
          "GRANT USAGE, CREATE ON SCHEMA {schema} to this user, or make it the owner of the database"
          " (PostgreSQL 15 and later grant CREATE to nobody else)",
          r"permission denied for schema|no schema has been selected to create in", may_appear=True),
    Cause("missing-schema", False,
          "CREATE SCHEMA {schema} AUTHORIZATION this user, or GRANT CREATE ON DATABASE to this user",
          r"schema \".*\" does not exist", may_appear=True),
    Cause("bad-settings", False,
          "Correct the settings of this container (PG* and its own)",
          r"^invalid |invalid (integer|value|SSL protocol|command-line)|could not match \d+ (port|host)"
          r"|unsupported startup parameter|unrecognized configuration parameter|denied to set parameter"
          r"|definition of service|service file|weak sslmode|not in hot standby mode|channel binding required"
          r"|authentication method requirement|GSSAPI encryption required|socket path \".*\" is too long"
          r"|unsupported protocol|no protocols available|alert protocol version|wrong version number"
          r"|invalid response to SSL|expected authentication request"),
    Cause("too-many-connections", True,
          "Raise max_connections or the role's limit, lower MLflow's pools, or put a PgBouncer between",
          r"too many (clients|connections)|remaining connection slots|no more connections allowed"
          r"|query_wait_timeout|max client connections"),
    Cause("read-only", True,
          "A standby answers, or a fail-over is under way: PGHOST has to name the primary",
          r"read-only|in hot standby mode"),
    Cause("starting-up", True,
          "PostgreSQL is starting, recovering or stopping: look at its log if this lasts",
          r"starting up|shutting down|recovery mode|not (yet )?accepting connections|administrator command"
          r"|server login has been failing"),
    Cause("refused", True,
          "Nothing listens there yet: is PostgreSQL running, and are PGHOST and PGPORT right",
          r"Connection refused|No such file or directory"),
    Cause("unknown-host", True,
          "PGHOST does not resolve: check the Service's name and namespace, and the cluster's DNS",
          r"could not translate host name|Name or service not known|could not parse network address"),
    Cause("timeout", True,
          "No answer: check PGHOST, network policies and firewalls",
          r"timeout expired|timed out"),
    Cause("no-route", True,
          "The address cannot be reached: check PGHOST, network policies and routes",
          r"No route to host|unreachable|Operation not permitted|Cannot assign requested address"),
    Cause("dropped", True,
          "The other side closed the connection: look at its log (PostgreSQL, pooler, proxy or mesh)",
          r"closed the connection|Connection reset|SSL SYSCALL|unexpected eof|Broken pipe|could not receive "
          r"|could not send |connection (not open|already closed|has been closed)"),
]
# fmt: on
BAD_IMAGE = Cause(
    "bad-image",
    False,
    "Use an image with MLflow and psycopg2: ghcr.io/mlflow/mlflow:vX.Y.Z-full, not without -full",
    "",
)
OTHER_SCHEMA = Cause(
    "other-schema",
    False,
    "A pooler passes no schema on: ALTER ROLE this user IN DATABASE this database SET search_path = {schema},"
    " and leave out `schema` of the backend",
    "",
)
UNKNOWN = Cause("unknown", True, "No cause that is known here: read the message, and PostgreSQL's log", "")
CAUSES = {cause.name: cause for cause in [*_TABLE, BAD_IMAGE, OTHER_SCHEMA, UNKNOWN]}
_SQLSTATES = {
    "08": "dropped",
    "25006": "read-only",
    "28000": "pg-hba",
    "28P01": "wrong-password",
    "3D000": "missing-database",
    "3F000": "no-create-privilege",
    "42501": "no-create-privilege",
    "53300": "too-many-connections",
    "57P01": "starting-up",
    "57P02": "starting-up",
    "57P03": "starting-up",
}
# One message holds an error per host of PGHOST, and per try with and without TLS.
_NEXT_ERROR = re.compile(r"\n(?=connection to server |could not translate host name )")


def classify(error: BaseException) -> Problem:
    """What a psycopg2 error means. Of several hosts' errors, one that can heal wins."""
    text = re.sub(r"\n\tIs the server running.*", "", str(error)).strip()
    segments = list(dict.fromkeys(_NEXT_ERROR.split(text)))
    saw = "; ".join(segments) or type(error).__name__
    by_state = _from_sqlstate(getattr(error, "pgcode", None), text)
    if by_state:
        return Problem(_as_the_sidecar_says(by_state, text), saw)
    causes = [_from_text(segment) for segment in segments]
    return Problem(next((cause for cause in causes if cause.retry), causes[0]), saw)


def _from_sqlstate(state: str | None, text: str) -> Cause | None:
    if not state:
        return None
    name = _SQLSTATES.get(state) or _SQLSTATES.get(state[:2])
    by_text = _from_text(text).name
    if name == "no-create-privilege" and by_text in ("no-table-privilege", "missing-schema"):
        name = by_text
    return CAUSES[name] if name else UNKNOWN


def _from_text(text: str) -> Cause:
    # Without a schema of ours, PGOPTIONS are the user's own.
    if "unsupported startup parameter" in text and "options" in text and os.environ.get("DATABASE_SCHEMA"):
        return OTHER_SCHEMA
    found = next((cause for cause in _TABLE if re.search(cause.pattern, text, re.IGNORECASE)), UNKNOWN)
    return _as_the_sidecar_says(found, text)


def _as_the_sidecar_says(cause: Cause, text: str) -> Cause:
    """DATABASE_FAILURE_CAUSES: what fails, and why, at a sidecar that connects or keeps the password."""
    for own in json.loads(os.environ.get("DATABASE_FAILURE_CAUSES") or "[]"):
        if own["replaces"] == cause.name and own.get("messageContains", "").lower() in text.lower():
            return cause._replace(name=own["name"], advice=own["advice"])
    return cause


def find_database_error(error: BaseException | None) -> BaseException | None:
    """The psycopg2 error inside what SQLAlchemy and MLflow made of it."""
    while error is not None and not hasattr(error, "pgcode"):
        error = getattr(error, "orig", None) or error.__cause__ or error.__context__
    return error


def explain(error: BaseException) -> str:
    """What went wrong and what to do, in one line without a password."""
    if isinstance(error, Failure):
        return redact(str(error))
    database_error = find_database_error(error)
    if database_error is not None:
        return str(classify(database_error))
    if isinstance(error, BadSetting):
        return str(Problem(CAUSES["bad-settings"], str(error)))
    if isinstance(error, ImportError):
        return str(Problem(BAD_IMAGE, str(error)))
    print(redact(traceback.format_exc()), file=sys.stderr, flush=True)
    return one_line(redact(f"unknown: {type(error).__name__}: {error}"))


def fail_with(program: str, error: Exception) -> int:
    return fail(f"{program}: {explain(error)}", error.code if isinstance(error, Failure) else FAILED)
