#!/bin/sh
# Restore the dump that dump_database.sh has made in this pod, of another database: all of it with the same content, or nothing.
#
# Environment: that of restore_database.sh, with the WORK_FOLDER of dump_database.sh.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
WORK_FOLDER=$WORK_FOLDER/.partial-$HOSTNAME
export WORK_FOLDER
printf %s "$WORK_FOLDER/dump" >"$WORK_FOLDER/path"
awk '{ fact[$1] = $2 } END { printf "%s of PostgreSQL %s, schema revision %s", fact["database"], fact["server"], fact["revision"] }' \
  "$WORK_FOLDER/facts" >"$WORK_FOLDER/about"
exec sh "$here/restore_database.sh"
