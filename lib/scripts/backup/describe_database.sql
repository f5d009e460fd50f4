-- Run by dump_database.sh: what is in the snapshot from which pg_dump has dumped.
BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;
SET TRANSACTION SNAPSHOT :'snapshot';
SET LOCAL statement_timeout = 0;
SELECT to_regclass('alembic_version') IS NOT NULL AS versioned \gset
\cd :folder
\o rows
\ir count_rows.sql
\if :digests
\o digests
\ir digest_tables.sql
\endif
\o facts
SELECT 'created ' || :'created';
SELECT 'database ' || current_database();
SELECT 'server ' || split_part(current_setting('server_version'), ' ', 1);
\if :versioned
SELECT 'revision ' || string_agg(version_num, '+') FROM alembic_version;
\endif
COMMIT;
