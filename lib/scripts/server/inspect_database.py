"""Ask the database a question from the server's pod: the images of MLflow have no psql.

usage: inspect_database.py [QUESTION...]    all of these, if none is given:
  reachable    does anything listen at each PGHOST and PGPORT
  login        as whom, on which server, encrypted how, and whether that is enough for MLflow
  revision     of the schema, and of this image
  tables       with their owners, and about how many rows they have
  sizes        of the database, and of its largest tables
  connections  who holds them, and how many there may be

It only reads, on one connection at a time, and no answer takes the database more than 10 s.

Exit codes: 0 answered; 1 a question has no good answer (the cause is named); 2 there is no such question.
"""

from __future__ import annotations

import os
import socket
import sys
import time
from collections.abc import Iterator
from itertools import zip_longest
from typing import Any, Callable

from database_check import check
from database_errors import Problem, classify, explain
from exit_codes import BAD_CALL, DONE, FAILED
from init_container import Failure, redact, speak_english
from mlflow_schema import connect, decide, image_revisions, read_schema, store_uri

SECONDS = 5.0

SERVER = """
SELECT 'PostgreSQL ' || current_setting('server_version'),
       (SELECT CASE WHEN ssl THEN version || ', ' || cipher ELSE 'not encrypted' END
          FROM pg_stat_ssl WHERE pid = pg_backend_pid())
"""
TABLES = """
SELECT stat.relname, pg_get_userbyid(relowner), n_live_tup
  FROM pg_stat_user_tables AS stat JOIN pg_class ON pg_class.oid = relid
 WHERE schemaname = current_schema() ORDER BY 1
"""
DATABASE_SIZE = "SELECT current_database(), pg_size_pretty(pg_database_size(current_database()))"
SIZES = """
SELECT relname, pg_size_pretty(pg_total_relation_size(relid)), pg_size_pretty(pg_indexes_size(relid))
  FROM pg_stat_user_tables WHERE schemaname = current_schema()
 ORDER BY pg_total_relation_size(relid) DESC, 1 LIMIT 15
"""
# Of other users' sessions, an ordinary user sees whose they are, but not that they are a client's. Whatever
# else is in that view has no user or no database.
CLIENTS = """
       pg_stat_activity
 WHERE usesysid IS NOT NULL AND datid IS NOT NULL
   AND coalesce(backend_type, 'client backend') = 'client backend'
"""
LIMITS = f"""
SELECT count(*), current_setting('max_connections'), current_setting('superuser_reserved_connections')
  FROM {CLIENTS}
"""
CONNECTIONS = f"""
SELECT count(*), coalesce(usename, ''), coalesce(datname, ''), coalesce(application_name, ''),
       coalesce(host(client_addr), ''), coalesce(state, ''),
       coalesce(date_trunc('second', max(now() - state_change))::text, '')
  FROM {CLIENTS}
 GROUP BY 2, 3, 4, 5, 6 ORDER BY 1 DESC, 2, 3, 4, 5, 6
"""

Rows = list[tuple[Any, ...]]


class NoGoodAnswer(Failure):
    pass


def select(*queries: str) -> list[Rows]:
    connection = connect(store_uri())
    try:
        # Not set_session(), which behind PgBouncer would leave its setting to the next client.
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION READ ONLY")
            cursor.execute("SET LOCAL statement_timeout = '10s'")
            return [_rows(cursor, query) for query in queries]
    finally:
        connection.rollback()
        connection.close()


def _rows(cursor: Any, query: str) -> Rows:
    cursor.execute(query)
    return list(cursor.fetchall())


def in_columns(names: tuple[str, ...], rows: Rows) -> Iterator[str]:
    lines = [names, *(tuple(str(value) for value in row) for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines)]
    for line in lines:
        yield "  " + "  ".join(value.ljust(width) for value, width in zip(line, widths)).rstrip()


def reachable() -> Iterator[str]:
    hosts = os.environ.get("PGHOST", "localhost").split(",")
    ports = os.environ.get("PGPORT", "5432").split(",")
    answers = False
    for host, port in zip_longest(hosts, ports[: len(hosts)], fillvalue=ports[-1]):
        began = time.monotonic()
        try:
            with socket.create_connection((host, int(port)), SECONDS) as opened:
                address = opened.getpeername()[0]
            answers = True
            yield f"{host} port {port}: listens ({address}, {(time.monotonic() - began) * 1000:.0f} ms)"
        except OSError as error:
            yield f"{host} port {port}: {classify(error)}"
    if not answers:
        raise NoGoodAnswer("nothing listens there")


def login() -> Iterator[str]:
    [[server]], outcome = select(SERVER), check()
    yield ", ".join(map(str, filter(None, server)))
    if isinstance(outcome, Problem):
        raise NoGoodAnswer(str(outcome))
    yield outcome


def revision() -> Iterator[str]:
    image, schema = image_revisions(), read_schema(store_uri())
    yield f"database {schema.revision or 'none'}, image {image.head}"
    if decide(schema, image) != "up-to-date":
        raise NoGoodAnswer("the schema is older than the image: look at init-mlflow")


def tables() -> Iterator[str]:
    [rows] = select(TABLES)
    yield f"{len(rows)} tables"
    yield from in_columns(("table", "owner", "rows, about"), rows)


def sizes() -> Iterator[str]:
    [[(name, size)], rows] = select(DATABASE_SIZE, SIZES)
    yield f"{name}: {size}"
    yield from in_columns(("table", "in all", "indexes"), rows)


def connections() -> Iterator[str]:
    [[(used, most, reserved)], rows] = select(LIMITS, CONNECTIONS)
    yield f"{used} of {most}, of which {reserved} are for superusers"
    yield from in_columns(("count", "user", "database", "application", "client", "state", "for"), rows)


QUESTIONS: dict[str, Callable[[], Iterator[str]]] = {
    each.__name__: each for each in (reachable, login, revision, tables, sizes, connections)
}


def answer(question: str) -> bool:
    try:
        for line in QUESTIONS[question]():
            print(f"{question}: {redact(line)}" if not line.startswith(" ") else redact(line), flush=True)
    except Exception as error:
        print(f"{question}: {explain(error)}", flush=True)
        return False
    return True


def main(arguments: list[str]) -> int:
    speak_english()
    unknown = [each for each in arguments if each not in QUESTIONS]
    if unknown:
        print(f"There is no question {unknown[0]!r}. There are: {', '.join(QUESTIONS)}", file=sys.stderr)
        return BAD_CALL
    answers = [answer(each) for each in arguments or QUESTIONS]
    return DONE if all(answers) else FAILED


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
