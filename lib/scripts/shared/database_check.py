"""Whether PostgreSQL lets MLflow in, and gives it what it needs: one login with libpq's PG*, and a query."""

from __future__ import annotations

import os
import re
from typing import Union

from database_errors import BAD_IMAGE, CAUSES, Problem, classify

# has_*_privilege(x, 'A, B') means any of them, hence one call each. Without USAGE current_schema() is null.
QUERY = """
SELECT current_user, current_database(), current_schema(),
       pg_is_in_recovery() OR current_setting('transaction_read_only')::boolean,
       coalesce(has_schema_privilege(current_schema(), 'USAGE')
                AND has_schema_privilege(current_schema(), 'CREATE'), false),
       (SELECT bool_and(has_table_privilege(to_regclass(tab), privilege))
          FROM unnest(ARRAY['experiments', 'runs', 'alembic_version']) AS tab,
               unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']) AS privilege
         WHERE to_regclass('experiments') IS NOT NULL),
       current_setting('search_path'), ARRAY(SELECT nspname::text FROM pg_namespace),
       has_database_privilege(current_database(), 'CREATE')
"""

Outcome = Union[str, Problem]  # a description of what can be used, or what is wrong


def check() -> Outcome:
    try:
        import psycopg2
    except ImportError as error:
        return Problem(BAD_IMAGE, str(error))
    try:
        connection = psycopg2.connect("")
        connection.autocommit = True  # PgBouncer drops a server connection that is left inside a transaction
        try:
            with connection.cursor() as cursor:
                cursor.execute(QUERY)
                return judge(*cursor.fetchone())
        finally:
            connection.close()
    except psycopg2.Error as error:
        return classify(error)


def judge(
    user: str,
    database: str,
    schema: str | None,
    read_only: bool,
    may_create: bool,
    tables_usable: bool | None,
    search_path: str,
    schemas: list[str],
    may_create_schema: bool,
) -> Outcome:
    """`tables_usable` is None where MLflow has no tables yet."""
    named = schema or named_schema(search_path, user, schemas)
    where = f'user "{user}", database "{database}", schema "{named}"'
    if read_only:
        return Problem(CAUSES["read-only"], f"the session is read-only ({where})")
    if tables_usable is False:
        return Problem(
            CAUSES["no-table-privilege"], f"MLflow's tables exist, but not for this user ({where})"
        )
    wanted = os.environ.get("DATABASE_SCHEMA") or named
    if named != wanted:
        return Problem(
            CAUSES["other-schema"], f"the search_path is {search_path} instead of {wanted} ({where})", wanted
        )
    if named not in schemas and named != "public":
        if may_create_schema:
            return f"{where}, which does not exist yet"
        return Problem(CAUSES["missing-schema"], f"there is no such schema ({where})", named)
    if not may_create and tables_usable is None:
        return Problem(CAUSES["no-create-privilege"], f"no USAGE or no CREATE on the schema ({where})", named)
    return f"{where}, {'with' if tables_usable else 'without'} MLflow's tables"


def named_schema(search_path: str, user: str, schemas: list[str]) -> str:
    """What a search_path means where current_schema() is null: the first that exists, or else the last."""
    parts = [part.strip() for part in re.findall(r'(?:"(?:[^"]|"")*"|[^,"])+', search_path)]
    names = [part[1:-1].replace('""', '"') if part.startswith('"') else part for part in parts]
    names = [user if name == "$user" else name for name in names] or ["public"]
    return next((name for name in names if name in schemas), names[-1])
