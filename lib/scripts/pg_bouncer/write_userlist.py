"""Write what PgBouncer must not get from a ConfigMap: who may log in, and where the database is.

Environment:
  PGUSER, PGPASSWORD          the login, of the clients and of PgBouncer itself
  PGHOST, PGPORT, PGDATABASE  the database; a list of hosts needs PgBouncer 1.24
  DATABASE_SCHEMA             if set, the search_path of each connection to the database
  PGBOUNCER_FOLDER            where userlist.txt and databases.ini go (default /run/pgbouncer)
  PGBOUNCER_ASK_DATABASE      if set, PGUSER asks the database for users who are not in userlist.txt
  PGBOUNCER_STATS_USER        a further user, for a metrics exporter, with a password of this start alone: in
                              userlist.txt, and in stats.pgpass, which is a password file of libpq

Exit codes: 0 written; 1 PgBouncer cannot take this (the setting is named); 143 stopped by SIGTERM.
The line of a failure is also the termination message.
"""

from __future__ import annotations

import os
import re
import secrets
import sys

from exit_codes import DONE, FAILED
from init_container import BadSetting, fail, prepare, redact

PROGRAM = "write-userlist"
# MAX_USERNAME, MAX_PASSWORD and MAX_DBNAME of PgBouncer's bouncer.h, each less its final zero byte.
LONGEST_USER, LONGEST_QUOTED, LONGEST_DATABASE = 127, 2047, 63
# MAX_PASSWORD_LENGTH of its saslprep.c: a longer one is in the file, and nobody can log in with it.
LONGEST_PASSWORD = 1024
# What PgBouncer's auth_file takes for a secret that is hashed already.
HASH = re.compile(r"md5[0-9a-f]{32}|SCRAM-SHA-256\$.*", re.DOTALL)
# What the parser of PgBouncer's ini files takes as a key. Its manual speaks of quotes; the parser knows none.
PLAIN_KEY = re.compile(r"[A-Za-z0-9_.-]+")


def userlist(user: str, password: str) -> str:
    """The auth_file. A field ends at a single double quote and nowhere else, so line breaks need no care."""
    if HASH.fullmatch(password):
        raise BadSetting(
            "PGPASSWORD looks like a hash, and PgBouncer would take it for one: use another password"
        )
    length = len(os.fsencode(password))
    if length > LONGEST_PASSWORD:
        raise BadSetting(f"PGPASSWORD must have at most {LONGEST_PASSWORD} bytes, got {length}")
    return f"{_field('PGUSER', user, LONGEST_USER)} {_field('PGPASSWORD', password, LONGEST_QUOTED)}\n"


def databases(
    host: str, port: str, database: str, auth_user: str | None = None, schema: str | None = None
) -> str:
    """The section [databases], for a client that asks for the database by its name."""
    target = f"host={_value('PGHOST', host)} port={_one_port(host, port)}"
    if "," in host:
        target += " load_balance_hosts=disable"  # the default would use them in turn
    if auth_user is not None:
        target += f" auth_user={_value('PGUSER', auth_user)}"
    if schema:
        name = schema.replace('"', '""')
        statement = _value("DATABASE_SCHEMA", f'SET search_path = "{name}"')
        target += f" connect_query={statement}"
    _value("PGDATABASE", database)
    if database == "pgbouncer":
        raise BadSetting("PGDATABASE must not be pgbouncer, which is the name of PgBouncer's own console")
    if len(os.fsencode(database)) > LONGEST_DATABASE:
        raise BadSetting(f"PGDATABASE must have at most {LONGEST_DATABASE} bytes")
    # Under the key * a database is whatever the client asks for.
    return f"[databases]\n{database if PLAIN_KEY.fullmatch(database) else '*'} = {target}\n"


def _field(name: str, text: str, longest: int) -> str:
    if text == "":
        raise BadSetting(f"{name} must not be empty: PgBouncer lets nobody in without it")
    quoted = text.replace('"', '""')
    length = len(os.fsencode(quoted))
    if length > longest:
        raise BadSetting(
            f"{name} must have at most {longest} bytes (a double quote counts twice), got {length}"
        )
    return f'"{quoted}"'


def _value(name: str, text: str) -> str:
    if text == "" or re.search(r"[\r\n]", text):
        raise BadSetting(f"{name} must be one line of text, got {text!r}")
    return "'" + text.replace("'", "''") + "'"


def _one_port(host: str, port: str) -> int:
    ports = set(port.split(","))
    if len(ports) > 1:
        raise BadSetting(
            f"PGPORT must be the same on every host, got {port!r}: PgBouncer knows one port for {host}"
        )
    number = ports.pop().strip()
    if not (number.isascii() and number.isdigit() and 1 <= int(number) <= 65535):
        raise BadSetting(f"PGPORT must be a whole number from 1 to 65535, got {port!r}")
    return int(number)


def write(folder: str, file: str, text: str) -> None:
    """For nobody but the user of this pod."""
    descriptor = os.open(os.path.join(folder, file), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as opened:
        opened.write(os.fsencode(text))


def main() -> int:
    prepare(PROGRAM)
    get = os.environ.get
    folder = get("PGBOUNCER_FOLDER") or "/run/pgbouncer"
    try:
        files = {
            "userlist.txt": userlist(get("PGUSER", ""), get("PGPASSWORD", "")),
            "databases.ini": databases(
                get("PGHOST", ""),
                get("PGPORT") or "5432",
                get("PGDATABASE", ""),
                get("PGUSER", "") if get("PGBOUNCER_ASK_DATABASE") else None,
                get("DATABASE_SCHEMA"),
            ),
        }
        stats_user = get("PGBOUNCER_STATS_USER")
        if stats_user:
            if stats_user == get("PGUSER"):
                raise BadSetting(
                    f"PGUSER must not be {stats_user}, which is the user of the metrics exporter"
                )
            password = secrets.token_urlsafe(32)
            files["userlist.txt"] += userlist(stats_user, password)
            files["stats.pgpass"] = f"*:*:pgbouncer:{stats_user}:{password}\n"
        for file, text in files.items():
            write(folder, file, text)
    except BadSetting as error:
        return fail(f"{PROGRAM}: bad-settings: {redact(str(error))}", FAILED)
    except OSError as error:
        return fail(
            f"{PROGRAM}: cannot-write: {redact(str(error))}. Mount a writable volume at {folder}", FAILED
        )
    print(f"{PROGRAM}: written: {', '.join(files)} in {folder}", flush=True)
    return DONE


if __name__ == "__main__":
    sys.exit(main())
