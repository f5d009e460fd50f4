#!/bin/sh
# Restore a dump that fetch_backup.py has chosen into an empty database, or in place of what is in it: all of it with the
# rows that it had, or nothing.
#
# Environment besides libpq's own (PG*):
#   DATABASE_SCHEMA  the schema that has to be empty, and that the dump has to be of (default: all, and the login's)
#   WORK_FOLDER  what fetch_backup.py has written: path (of the dump), rows (of each table), about (the dump in words)
#   WITH_DIGESTS  on: what is restored must have the digests of WORK_FOLDER (digest_tables.sql), and what is there already may
#   REPLACE      on: whatever is in the database is dropped in the same transaction
#
# Last line when it ends well: restore-database: restored: <about>; <n> tables, <n> rows, in <s> s
# Exit codes: 0 restored; 1 failed (the cause is named), nothing was changed; 3 the database is not empty; 4 the tools
# of this image are older than the server or the dump; 143 stopped by SIGTERM, nothing was changed.
# The line of a failure is also the termination message.
# shellcheck disable=SC2086 # $SCRIPTED is options
set -eu
program=restore-database
here=$(cd "$(dirname "$0")" && pwd)
. "$here/postgres_client.sh"

export WORK_FOLDER
dump=$(cat "$WORK_FOLDER/path")
outcome=$WORK_FOLDER/outcome
began=$(date +%s)
rm -f "$outcome" "$WORK_FOLDER/rows.restored"

# A script for sed: what of the dump does not fit this server. Only before the first rows: data stays as it is.
edits() {
  # pg_restore sets it since version 17, and older servers do not know it.
  [ "$server" -ge 17 ] || echo '1,/set_config(.search_path/{/^SET transaction_timeout = /d;}'
  # The schemas that are there already.
  echo '1,/^COPY /{'
  psql $SCRIPTED <<'SQL'
SELECT format('/^CREATE SCHEMA %s;$/d', regexp_replace(quote_ident(nspname), '([][\\/.*^$])', '\\\1', 'g')) FROM pg_namespace;
SQL
  echo '}'
}

# The dump as SQL, and after its last line, and only then, what commits.
statements() {
  cat "$here/restore_begin.sql"
  if pg_restore --no-owner --no-privileges --no-publications --no-subscriptions \
    --use-list="$WORK_FOLDER/list" --file=- "$dump" 2>>"$log"; then
    printf '\\ir %s/restore_end.sql\n' "$here"
  fi
}

restore() {
  statements | sed -f "$WORK_FOLDER/edits" | psql $SCRIPTED --set=outcome="$outcome" --set=schema="$DATABASE_SCHEMA" --set=here="$here" \
    --set=replace="${REPLACE:-off}" --set=rows="$WORK_FOLDER/rows.restored" --set=moved="$moved" \
    --set=digests="${WITH_DIGESTS:-off}" --set=digested="$WORK_FOLDER/digests.restored" --output=/dev/null 2>>"$log"
}

require_client pg_restore
# Extensions belong to the administrator of the server: only a superuser may make or describe most of them.
pg_restore --list "$dump" 2>"$log" >"$WORK_FOLDER/list.all" || fail_by_log
grep -vE '^[0-9]+; [0-9]+ [0-9]+ (EXTENSION -|COMMENT - (EXTENSION|SCHEMA)) ' "$WORK_FOLDER/list.all" >"$WORK_FOLDER/list"
edits 2>"$log" >"$WORK_FOLDER/edits" || fail_by_log
grep -q '\.alembic_version$' "$WORK_FOLDER/rows" && moved=true || moved=false
say INFO "$program: restoring $(cat "$WORK_FOLDER/about") into ${PGDATABASE:-} of PostgreSQL $version"

: >"$log"
attend restore || fail_by_log
case $(cat "$outcome" 2>/dev/null) in
restored*) ;;
there-already*)
  say INFO "$program: already-restored: $(cat "$WORK_FOLDER/about"); $(counted "$WORK_FOLDER/rows")"
  exit 0 ;;
other-content*)
  say ERROR "$(diff "$WORK_FOLDER/digests" "$WORK_FOLDER/digests.restored")" >&2
  fail "$FAILED" "other-content: what was restored differs from what was dumped: see the log. Nothing was changed" ;;
not-empty*)
  schema=$(sed -n 2p "$outcome")
  # Schema public belongs to whoever owns the database.
  [ "$schema" = public ] && owner=' AUTHORIZATION pg_database_owner' || owner=
  fail "$NOT_EMPTY" "not-empty: ${PGDATABASE:-the database} has $(sed -n '1s/^not-empty \([0-9]*\) /\1 tables, views and sequences, among them /p' "$outcome"). Restore into an empty database, or empty this one: DROP SCHEMA $schema CASCADE; CREATE SCHEMA $schema$owner. Nothing was changed" ;;
other-schema*)
  fail "$NOT_EMPTY" "other-schema: the dump has no tables in $(sed 's/^other-schema //' "$outcome"), the schema of this login, but in $(sed -n 's/^[0-9]* \(.*\)\.alembic_version$/\1/p' "$WORK_FOLDER/rows"). Restore with that one (schema of the backend, or the role's search_path), and rename it afterwards: ALTER SCHEMA ... RENAME TO. Nothing was changed" ;;
other-rows*)
  say ERROR "$(diff "$WORK_FOLDER/rows" "$WORK_FOLDER/rows.restored")" >&2
  fail "$FAILED" "other-rows: what was restored had other rows than what was dumped: see the log. Nothing was changed" ;;
*) fail_by_log ;;
esac

# Without statistics, the first queries on large tables are slow. The rows name the tables as SQL does.
sed 's/^[0-9]* /ANALYZE /; s/$/;/' "$WORK_FOLDER/rows" | psql $SCRIPTED 2>>"$log" ||
  say INFO "$program: not all tables were analyzed: PostgreSQL will do it by itself"
say INFO "$program: restored: $(cat "$WORK_FOLDER/about"); $(counted "$WORK_FOLDER/rows"), in $(($(date +%s) - began)) s"
