#!/bin/sh
# Dump a database into a folder, with what proves later on that the dump is whole: its digest, and the rows of each table.
#
# Environment besides libpq's own (PG*):
#   DATABASE_SCHEMA  the schema to dump (default: all of the database)
#   WORK_FOLDER    where the folder .partial-<host name> is made: the volume of the dumps, or scratch space
#   STALE_MINUTES  the age at which such a folder belongs to a pod that is gone
#   SERVERS_DEADLINE_SECONDS  where set: how long to wait for MLflow's servers to stop
#   WITH_DIGESTS     on: also what each table holds (digest_tables.sql), and with little compression
#   MIGRATION_PLAN  where set: a file of migrate_database.py --plan. Without it, nothing is dumped
#
# Writes into that folder: dump (pg_dump's custom format, compressed), rows (count_rows.sql), digests, facts (`name value`).
# Last line when it ends well: dump-database: dumped: <size>, <n> tables, <n> rows, in <s> s
# Exit codes: 0 dumped; 1 failed (the cause is named); 3 servers still run; 4 pg_dump is older than the server; 143 stopped by SIGTERM.
# The line of a failure is also the termination message.
# shellcheck disable=SC2086 # $SCRIPTED is options
set -eu
program=dump-database
here=$(cd "$(dirname "$0")" && pwd)
. "$here/postgres_client.sh"

if [ -n "${MIGRATION_PLAN:-}" ] && [ ! -e "$MIGRATION_PLAN" ]; then
  say INFO "$program: not needed: no existing table changes"
  exit 0
fi

PARTIAL=$WORK_FOLDER/.partial-$HOSTNAME
export PARTIAL
began=$(date +%s)
trap '[ $? -eq 0 ] || rm -rf "$PARTIAL"' EXIT

# A pod that was killed leaves its dump behind, and a full disk would stay full.
find "$WORK_FOLDER" -maxdepth 1 -name '.partial-*' -mmin "+$STALE_MINUTES" -exec rm -rf {} +
rm -rf "$PARTIAL"
mkdir "$PARTIAL" 2>"$log" || fail_by_log
require_client pg_dump

if [ -n "${SERVERS_DEADLINE_SECONDS:-}" ]; then
  while :; do
    # The name under which a server of the library connects.
    servers=$(psql $SCRIPTED --command="SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'mlflow'" 2>"$log") ||
      fail_by_log
    [ "$servers" != 0 ] || break
    [ -n "${waits:-}" ] || say INFO "$program: waiting for MLflow's servers to stop: $servers connections. Set their replicas to 0"
    waits=yes
    [ $(($(date +%s) - began)) -lt "$SERVERS_DEADLINE_SECONDS" ] ||
      fail "$DEADLINE_PASSED" "server-runs: an MLflow server still has $servers connections. Give it replicas: 0 meanwhile"
    attend sleep 1
  done
fi
say INFO "$program: dumping ${PGDATABASE:-} of PostgreSQL $version with pg_dump $client"

# As a pattern of pg_dump, in which nothing between quotes is special.
SCHEMA_PATTERN=${DATABASE_SCHEMA:+"\"$(printf %s "$DATABASE_SCHEMA" | sed 's/"/""/g')\""}
export SCHEMA_PATTERN
# Runs inside of the session that holds the snapshot.
export DESCRIPTION="$here/describe_database.sql"
export DUMP='
  pg_dump --no-password --format=custom --snapshot="$SNAPSHOT" --lock-wait-timeout=600000 \
    ${SCHEMA_PATTERN:+--schema="$SCHEMA_PATTERN"} ${WITH_DIGESTS:+--compress=1} --file="$PARTIAL/dump" &&
  psql $SCRIPTED --set=schema="$DATABASE_SCHEMA" --set=snapshot="$SNAPSHOT" --set=created="$CREATED" --set=folder="$PARTIAL" --set=digests="${WITH_DIGESTS:-off}" --file="$DESCRIPTION" &&
  echo done >"$PARTIAL/dumped"'
attend psql $SCRIPTED --file="$here/dump_database.sql" 2>"$log" || fail_by_log
[ -e "$PARTIAL/dumped" ] || fail_by_log
rm "$PARTIAL/dumped"
cat "$log" >&2

# The digest first: what is checked next is then what it stands for. pg_restore reads the archive to its end.
bytes=$(wc -c <"$PARTIAL/dump" | tr -d ' ')
digest=$(sha256sum <"$PARTIAL/dump" | cut -c1-64)
attend pg_restore --file=/dev/null "$PARTIAL/dump" 2>"$log" || fail_by_log
printf '%s\n' "client $client" "bytes $bytes" "sha256 $digest" 2>"$log" >>"$PARTIAL/facts" || fail_by_log

say INFO "$program: dumped: $(size "$bytes"), $(counted "$PARTIAL/rows"), in $(($(date +%s) - began)) s"
