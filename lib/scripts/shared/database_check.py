"""Whether PostgreSQL lets MLflow in, and gives it what it needs: one login with libpq's PG*, and a query."""

from __future__ import annotations

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
         WHERE to_regclass('experiments') IS NOT NULL)
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
) -> Outcome:
    """`tables_usable` is None where MLflow has no tables yet."""
    where = f'user "{user}", database "{database}", schema "{schema or ""}"'
    if read_only:
        return Problem(CAUSES["read-only"], f"the session is read-only ({where})")
    if tables_usable is False:
        return Problem(
            CAUSES["no-table-privilege"], f"MLflow's tables exist, but not for this user ({where})"
        )
    if not may_create and tables_usable is None:
        return Problem(CAUSES["no-create-privilege"], f"no USAGE or no CREATE on the schema ({where})")
    return f"{where}, {'with' if tables_usable else 'without'} MLflow's tables"
