"""Make the roles and the databases that MLflow logs in to, as an administrator: what is there already stays.

Environment besides libpq's own, which is the administrator's (PGDATABASE: a database that exists):
  BOOTSTRAP_USER, BOOTSTRAP_PASSWORD  the role, which becomes the owner of a new database
  BOOTSTRAP_DATABASE                  the database
  BOOTSTRAP_SCHEMA                    its schema for the role's tables (default: the role's own search_path)
  BOOTSTRAP_1_USER, ..., BOOTSTRAP_2_USER, ...   the same of further databases, if there are any
  BOOTSTRAP_WAIT_SECONDS              how long to wait for a server that cannot be reached yet (default 120)

What it does, each with a line on stdout, and only where it is needed:
  creates the role; creates the database, owned by the role; changes the password of a role that cannot log in
  with BOOTSTRAP_PASSWORD, unless it is a superuser; creates the schema, owned by the role, and makes it the
  role's search_path in this database; in a database of another owner, grants CONNECT, and USAGE
  and CREATE on its schema. It takes nothing away, and changes no owner. Of several databases, each that it
  creates lets in its owner alone; one that fails does not keep it from the others.

The password never leaves this process: PostgreSQL gets a SCRAM-SHA-256 verifier, also in its statement log.

Last line of each database that ends well: `bootstrap-database: ready: user "...", database "...", ...`

Exit codes: 0 ready; 1 failed (the cause is named); 2 the server could not be reached in time; 143 stopped by
SIGTERM. The lines of all failures are also the termination message.
"""

from __future__ import annotations

import itertools
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Callable, NamedTuple

from database_check import QUERY, Outcome, judge
from database_errors import Problem, classify, explain, fail_with
from database_lock import BOOTSTRAP_LOCK
from exit_codes import DONE, FAILED, UNREACHABLE
from init_container import BadSetting, Failure, fail, one_line, prepare, redact, seconds_from

PROGRAM = "bootstrap-database"
POLL_SECONDS = 1.0
LONGEST_NAME = 63  # NAMEDATALEN - 1; PostgreSQL cuts what is longer without a word
ROLE = "SELECT rolsuper, rolcanlogin FROM pg_roles WHERE rolname = %s"
OWNER = "SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = %s"
SCHEMA = """
SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = %s),
       has_database_privilege(current_database(), 'CREATE'),
       current_setting('search_path') = quote_ident(%s)
"""
# Since PostgreSQL 16, a member of a role may be so without the right to act as it.
MAY_ACT_AS = """
SELECT pg_has_role(%s,
  CASE WHEN current_setting('server_version_num')::int >= 160000 THEN 'SET' ELSE 'MEMBER' END)
"""


class Refused(Failure):
    pass


class Target(NamedTuple):
    user: str
    password: str
    database: str
    schema: str = ""  # that of the role's own search_path
    alone: bool = False  # whether a new database lets in its owner alone


def targets_from_environment() -> list[Target]:
    numbers = itertools.takewhile(lambda number: f"BOOTSTRAP_{number}_USER" in os.environ, itertools.count(1))
    prefixes = ["BOOTSTRAP_", *(f"BOOTSTRAP_{number}_" for number in numbers)]
    return [target_from_environment(prefix)._replace(alone=len(prefixes) > 1) for prefix in prefixes]


def target_from_environment(prefix: str) -> Target:
    fields = Target._fields[:-1]
    target = Target(*(os.environ.get(f"{prefix}{name.upper()}", "") for name in fields))
    for name in fields:
        variable, value = f"{prefix}{name.upper()}", str(getattr(target, name))
        if value == "" and name != "schema":
            raise BadSetting(f"{variable} must not be empty")
        try:
            length = len(value.encode())
        except UnicodeEncodeError:
            raise BadSetting(f"{variable} must be UTF-8") from None
        if name != "password" and length > LONGEST_NAME:
            raise BadSetting(f"{variable} must have at most {LONGEST_NAME} bytes, got {length}")
    return target


def say(line: str) -> None:
    print(f"{PROGRAM}: {redact(line)}", flush=True)


@contextmanager
def connected(**options: str) -> Iterator[Any]:
    import psycopg2

    connection = psycopg2.connect("", **options)
    connection.autocommit = True  # CREATE DATABASE runs in no transaction
    connection.set_client_encoding("UTF8")  # as libpq sends passwords and names at a login
    try:
        yield connection
    finally:
        connection.close()


def ask(connection: Any, query: Any, *values: str) -> tuple[Any, ...] | None:
    with connection.cursor() as cursor:
        cursor.execute(query, values or None)
        return cursor.fetchone() if cursor.description else None


def administer(connection: Any, statement: str, *names: str, **literals: str) -> None:
    """A statement that takes an administrator; `{}` are names."""
    from psycopg2 import errors, sql

    parts = {name: sql.Literal(value) for name, value in literals.items()}
    try:
        ask(connection, sql.SQL(statement).format(*map(sql.Identifier, names), **parts))
    except errors.InsufficientPrivilege as error:
        raise Refused(
            f"admin-privilege: {one_line(str(error)).rstrip('.')}. The administrator needs CREATEROLE and"
            " CREATEDB; to own a database that exists; and since PostgreSQL 16, ADMIN OPTION on a role that"
            " exists"
        ) from error


def verifier(connection: Any, target: Target) -> str:
    from psycopg2.extensions import encrypt_password

    return str(encrypt_password(target.password, target.user, connection, "scram-sha-256"))


def take_lock(admin: Any, seconds: float) -> None:
    """Of the session: CREATE DATABASE runs in no transaction. Closing the connection gives it back."""
    deadline = time.monotonic() + seconds
    while ask(admin, "SELECT pg_try_advisory_lock(%s)", str(BOOTSTRAP_LOCK)) != (True,):
        if time.monotonic() >= deadline:
            raise Refused(f"busy: another bootstrap still held the lock after {seconds:g} s. Look at its Job")
        time.sleep(POLL_SECONDS)


def ensure_role(admin: Any, target: Target) -> None:
    role = ask(admin, ROLE, target.user)
    if role is None:
        administer(
            admin, "CREATE ROLE {} LOGIN PASSWORD {password}", target.user, password=verifier(admin, target)
        )
        say(f'created role "{target.user}"')
    elif not role[1]:
        raise Refused(
            f'no-login: the role "{target.user}" exists and may not log in. ALTER ROLE ... LOGIN, or take'
            " another name"
        )


def ensure_database(admin: Any, target: Target) -> None:
    if ask(admin, OWNER, target.database) is not None:
        return
    with acting_as(admin, target.user):
        # template0: nobody can be connected to it, and it takes any encoding that its locale does.
        administer(
            admin,
            "CREATE DATABASE {} OWNER {} TEMPLATE template0 ENCODING 'UTF8'",
            target.database,
            target.user,
        )
        if target.alone:
            administer(admin, "REVOKE ALL ON DATABASE {} FROM PUBLIC", target.database)
    say(f'created database "{target.database}", owned by "{target.user}"')


@contextmanager
def acting_as(admin: Any, user: str) -> Iterator[None]:
    """Who gives a database to a role must be able to act as it: superusers are; others are for a moment."""
    if ask(admin, MAY_ACT_AS, user) == (True,):
        yield
        return
    administer(admin, "GRANT {} TO CURRENT_USER", user)
    try:
        yield
    finally:
        administer(admin, "REVOKE {} FROM CURRENT_USER", user)


def ensure_password(admin: Any, target: Target) -> None:
    """By trying it: a password that works is left alone, however PostgreSQL keeps it."""
    import psycopg2

    try:
        with as_user(target):
            return
    except psycopg2.OperationalError as error:
        # Not what LDAP or PAM refuse, whose passwords are not kept here.
        if "password authentication failed" not in str(error):
            return  # The final check says what it is.
    is_superuser, _ = ask(admin, ROLE, target.user) or (False, False)
    if is_superuser:
        raise Refused(
            f'wrong-password: "{target.user}" cannot log in with its password. It is a superuser, and theirs'
            " are not changed. Give MLflow a role of its own"
        )
    administer(admin, "ALTER ROLE {} PASSWORD {password}", target.user, password=verifier(admin, target))
    say(f'changed the password of role "{target.user}", which could not log in with it')


def as_user(target: Target) -> Any:
    return connected(user=target.user, password=target.password, dbname=target.database)


def check(target: Target) -> Outcome:
    """The very check that a server's pod begins with."""
    import psycopg2

    try:
        with as_user(target) as connection:
            return judge(*(ask(connection, QUERY) or ()))
    except psycopg2.Error as error:
        return classify(error)


def ensure_schema(target: Target) -> None:
    """By the role itself where it may. Its search_path is for poolers and for psql: pods name the schema."""
    with as_user(target) as own:
        found = ask(own, SCHEMA, target.schema, target.schema)
        is_there, may_create, is_searched = found or (False, False, False)
        if not is_there:
            if may_create:
                administer(own, "CREATE SCHEMA {}", target.schema)
            else:
                with connected(dbname=target.database) as inside, acting_as(inside, target.user):
                    administer(inside, "CREATE SCHEMA {} AUTHORIZATION {}", target.schema, target.user)
            say(f'created schema "{target.schema}", owned by "{target.user}"')
        if not is_searched:
            names = target.user, target.database, target.schema
            administer(own, "ALTER ROLE {} IN DATABASE {} SET search_path = {}", *names)
            say(f'set search_path of role "{target.user}" to "{target.schema}" in database "{names[1]}"')


def ensure_grants(admin: Any, target: Target) -> Outcome:
    outcome = check(target)
    if isinstance(outcome, Problem) and outcome.cause.name == "no-connect-privilege":
        administer(admin, "GRANT CONNECT, TEMPORARY ON DATABASE {} TO {}", target.database, target.user)
        say(f'granted CONNECT and TEMPORARY on database "{target.database}" to "{target.user}"')
        outcome = check(target)
    if target.schema and not (isinstance(outcome, Problem) and outcome.cause.retry):
        ensure_schema(target)
        outcome = check(target)
    if isinstance(outcome, Problem) and outcome.cause.name == "no-create-privilege":
        schema = outcome.schema or "public"
        with connected(dbname=target.database) as inside:
            administer(inside, "GRANT USAGE, CREATE ON SCHEMA {} TO {}", schema, target.user)
        say(f'granted USAGE and CREATE on schema {schema} to "{target.user}"')
        outcome = check(target)
    return outcome


def bootstrap(target: Target, seconds: float) -> Outcome:
    with connected() as admin:
        take_lock(admin, seconds)
        ensure_role(admin, target)
        ensure_database(admin, target)
        ensure_password(admin, target)
        return ensure_grants(admin, target)


def log_in() -> Outcome:
    with connected():
        return "the administrator can log in"


def persistently(work: Callable[[], Outcome], seconds: float) -> Outcome:
    """Again and again while what is wrong can heal. Each step looks first at what there is already."""
    import psycopg2

    deadline = time.monotonic() + seconds
    while True:
        try:
            outcome = work()
        except psycopg2.OperationalError as error:
            outcome = classify(error)
        if not isinstance(outcome, Problem) or not outcome.cause.retry or time.monotonic() >= deadline:
            return outcome
        say(f"waiting: {outcome}")
        time.sleep(POLL_SECONDS)


def main() -> int:
    prepare(PROGRAM)
    try:
        seconds, targets = seconds_from("BOOTSTRAP_WAIT_SECONDS", 120), targets_from_environment()
        outcome = persistently(log_in, seconds)
        if isinstance(outcome, Problem):
            return fail(f"{PROGRAM}: as the administrator: {outcome}", code_of(outcome))
        failures = dict(filter(None, (make(target, seconds) for target in targets)))
        return fail("\n".join(failures), max(failures.values())) if failures else DONE
    except Exception as error:
        return fail_with(PROGRAM, error)


def make(target: Target, seconds: float) -> tuple[str, int] | None:
    """The line of a failure and the exit code for it."""
    start = f'{PROGRAM}: database "{target.database}": ' if target.alone else f"{PROGRAM}: "
    try:
        outcome = persistently(lambda: bootstrap(target, seconds), seconds)
    except Exception as error:
        return start + explain(error), FAILED
    if isinstance(outcome, Problem):
        return f'{start}as "{target.user}": {outcome}', code_of(outcome)
    say(f"ready: {outcome}")
    return None


def code_of(problem: Problem) -> int:
    return UNREACHABLE if problem.cause.retry else FAILED


if __name__ == "__main__":
    sys.exit(main())
