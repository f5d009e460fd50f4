-- Run by restore_database.sh after the dump: what was restored is kept if it has the rows that were dumped.
\o :rows
\ir count_rows.sql
\o :outcome
\set whole `cmp -s "$WORK_FOLDER/rows" "$WORK_FOLDER/rows.restored" && echo on || echo off`
\if :whole
-- A dump sets an empty search_path, which a pooler would hand on with the session.
RESET ALL;
COMMIT;
SELECT 'restored';
\else
SELECT 'other-rows';
\endif
\o
