-- Run by restore_database.sh before the dump, in one session with it: one transaction from here to restore_end.sql.
BEGIN ISOLATION LEVEL READ COMMITTED;
SET LOCAL statement_timeout = 0;
SET LOCAL idle_in_transaction_session_timeout = 0;
SET LOCAL lock_timeout = '10min';
SELECT set_config(name, '0', true) FROM pg_settings WHERE name = 'transaction_timeout' \g /dev/null
-- The lock of database_lock.py, which migrations take: of two restores one waits and then finds tables, and a server that starts waits too.
SELECT pg_advisory_xact_lock(120312342278007) \g /dev/null
SELECT quote_ident(coalesce(nullif(:'schema', ''), current_schema(), 'public')) AS own \gset
\if :replace
SELECT set_config('restore.schema', :'schema', true) \g /dev/null
\i :here/drop_content.sql
\endif
SELECT count(*) AS relations, count(*) > 0 AS filled,
       array_to_string((array_agg(relname ORDER BY relname))[1:4], ', ') AS names
  FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
 WHERE relkind IN ('r', 'p', 'v', 'm', 'S', 'f') AND nspname <> 'information_schema' AND nspname !~ '^pg_' AND :'schema' IN ('', nspname)
   AND NOT EXISTS (SELECT FROM pg_depend
                    WHERE classid = 'pg_class'::regclass AND objid = pg_class.oid AND deptype = 'e') \gset
\if :filled
\if :digests
-- What an attempt has moved that was killed after its commit.
\o :digested
\i :here/digest_tables.sql
\o
\set same `cmp -s "$WORK_FOLDER/digests" "$WORK_FOLDER/digests.restored" && echo on || echo off`
\if :same
\o :outcome
SELECT 'there-already';
\o
\q
\endif
\endif
\o :outcome
SELECT concat_ws(' ', 'not-empty', :'relations', :'names');
SELECT :'own';
\o
\q
\endif
