#!/bin/sh
# After a move: the old database is still what was moved, so nobody has written to it meanwhile.
#
# Environment besides libpq's own (PG*), of the old database:
#   DATABASE_SCHEMA  the schema that was moved (default: all of the database)
#   WORK_FOLDER      that of dump_database.sh
#
# Last line when it ends well: verify-source: moved: <database> of PostgreSQL <version>, schema revision <revision>; <n> tables, <n> rows
# Exit codes: 0 the same; 1 failed (the cause is named); 4 somebody has written to the old database; 143 stopped by SIGTERM.
# The line of a failure is also the termination message.
# shellcheck disable=SC2086 # $SCRIPTED is options
set -eu
program=verify-source
here=$(cd "$(dirname "$0")" && pwd)
. "$here/postgres_client.sh"

WORK_FOLDER=$WORK_FOLDER/.partial-$HOSTNAME
digest() {
  printf 'BEGIN READ ONLY;\nSET LOCAL statement_timeout = 0;\n\\i %s/digest_tables.sql\nCOMMIT;\n' "$here" |
    psql $SCRIPTED --set=schema="$DATABASE_SCHEMA" --output="$WORK_FOLDER/digests.now" 2>"$log"
}
attend digest || fail_by_log
if ! cmp -s "$WORK_FOLDER/digests" "$WORK_FOLDER/digests.now"; then
  say ERROR "$(diff "$WORK_FOLDER/digests" "$WORK_FOLDER/digests.now")" >&2
  fail "$WRONG_VERSION" "source-changed: somebody has written to the old database during the move: see the log. Stop every server on it, empty the new database, and start again"
fi
say INFO "$program: moved: $(cat "$WORK_FOLDER/about"); $(counted "$WORK_FOLDER/rows")"
