-- Run by restore_database.sh after the dump: what was restored is kept if it has the rows that were dumped.
\o :rows
\ir count_rows.sql
-- The dump has set an empty search_path, which a pooler would hand on with the session.
RESET ALL;
SELECT :moved AND to_regclass('alembic_version') IS NULL AS elsewhere,
       coalesce(nullif(:'schema', ''), current_schema(), 'public') AS own \gset
\o :outcome
\set whole `cmp -s "$WORK_FOLDER/rows" "$WORK_FOLDER/rows.restored" && echo on || echo off`
\if :elsewhere
SELECT 'other-schema ' || :'own';
\elif :whole
\if :digests
\o :digested
\ir digest_tables.sql
\o :outcome
\set whole `cmp -s "$WORK_FOLDER/digests" "$WORK_FOLDER/digests.restored" && echo on || echo off`
\endif
\if :whole
COMMIT;
SELECT 'restored';
\else
SELECT 'other-content';
\endif
\else
SELECT 'other-rows';
\endif
\o
