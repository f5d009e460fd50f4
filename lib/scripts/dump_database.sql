-- Run by dump_database.sh. This session keeps the snapshot from which pg_dump dumps and the rows are counted.
SET statement_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET lock_timeout = '10min';
-- PostgreSQL 17 and later. A setting that is not there yields no row.
SELECT set_config(name, '0', false) FROM pg_settings WHERE name = 'transaction_timeout' \g /dev/null
-- A migration polls for this lock (migrate_database.py). Without it, its ALTER TABLE would queue behind pg_dump, and
-- every query of the servers behind that. Before the transaction, so that its snapshot shows a migration that ended.
SELECT pg_advisory_lock_shared(120312342278007) \g /dev/null
BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;
SELECT pg_export_snapshot() AS snapshot, to_regclass('alembic_version') IS NOT NULL AS versioned \gset
\setenv SNAPSHOT :snapshot
\! pg_dump --no-password --format=custom --snapshot="$SNAPSHOT" --lock-wait-timeout=600000 --file="$PARTIAL/dump" && echo done >"$PARTIAL/dumped"
\cd :partial
\o rows
\ir count_rows.sql
\o facts
SELECT 'created', to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"');
SELECT 'database', current_database();
SELECT 'server', split_part(current_setting('server_version'), ' ', 1);
\if :versioned
SELECT 'revision', string_agg(version_num, '+') FROM alembic_version;
\endif
\o
COMMIT;
