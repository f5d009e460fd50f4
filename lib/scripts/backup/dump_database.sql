-- Run by dump_database.sh. This session holds the lock and the snapshot for as long as $DUMP takes.
BEGIN ISOLATION LEVEL READ COMMITTED READ ONLY;
SET LOCAL statement_timeout = 0;
SET LOCAL idle_in_transaction_session_timeout = 0;
SET LOCAL lock_timeout = '10min';
-- PostgreSQL 17 and later. A setting that is not there yields no row.
SELECT set_config(name, '0', true) FROM pg_settings WHERE name = 'transaction_timeout' \g /dev/null
-- A migration polls for this lock (database_lock.py). Without it, its ALTER TABLE would queue behind pg_dump, and
-- every query of the servers behind that. Each statement sees what is committed by then: also a migration that ended.
SELECT pg_advisory_xact_lock_shared(120312342278007) \g /dev/null
SELECT pg_export_snapshot() AS snapshot,
       to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS created \gset
\setenv SNAPSHOT :snapshot
\setenv CREATED :created
\! eval "$DUMP"
COMMIT;
