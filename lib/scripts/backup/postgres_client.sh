# What the scripts in an image of PostgreSQL do the same way, which has psql and pg_dump and no Python. To be sourced,
# with `program` set. In plain POSIX shell, so that it runs in Debian's and in Alpine's images.
export LC_ALL=C # messages in English: failures are told apart by them
umask 027
log=${TMPDIR:-/tmp}/$program.log
child=

# As in exit_codes.py.
FAILED=1
DEADLINE_PASSED=3
NOT_EMPTY=3
WRONG_VERSION=4
TERMINATED=143

# Has a heading for each cause, by its name. init_container.py has it, too.
errors=https://cdk8s-mlflow.github.io/cdk8s-mlflow/errors

# Says something in the format of LOG_FORMAT, as log_format.py does: say LEVEL TEXT
say() {
  if [ "${LOG_FORMAT:-}" != json ]; then
    printf '%s\n' "$2"
    return
  fi
  message=$(printf '%s' "$2" | tr '\001-\011\013-\037' ' ' | sed 's/[\\"]/\\&/g' | awk '{ printf "%s%s", (NR > 1 ? "\\n" : ""), $0 }')
  printf '{"time": "%s", "level": "%s", "severity": "%s", "logger": "%s", "message": "%s"}\n' \
    "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "$1" "$1" "$program" "$message"
}

# Says the last line, also where `kubectl describe pod` shows it, there with a link to its cause, and ends:
# fail CODE "CAUSE: WHAT WAS SEEN"
fail() {
  trap - TERM
  say ERROR "$program: $2"
  # The kubelet makes this file; outside a pod there should be none.
  if [ -w /dev/termination-log ]; then
    printf '%s: %s\nSee %s#%s\n' "$program" "$2" "$errors" "${2%%:*}" >/dev/termination-log
  fi
  exit "$1"
}

stopped() {
  [ -z "$child" ] || kill "$child" 2>/dev/null || :
  fail "$TERMINATED" 'terminated: got SIGTERM before the work was done'
}
trap stopped TERM

# Runs a command in such a way that SIGTERM is heard at once: while a shell waits for a command, it handles no signal.
attend() {
  "$@" &
  child=$!
  wait "$child"
}

# Options of psql for a script: the first error ends it, and it prints rows and nothing else.
export SCRIPTED="--no-psqlrc --no-password --quiet --no-align --tuples-only --set=ON_ERROR_STOP=1"

# The schema that a backup is limited to: none is all of the database.
export DATABASE_SCHEMA="${DATABASE_SCHEMA:-}"

# The version of a program: version_of pg_dump
version_of() {
  "$1" --version | sed 's/^[^0-9]*\([0-9.]*\).*/\1/'
}

# PostgreSQL's tools read older servers, not newer ones: require_client PROGRAM
require_client() {
  version=$(psql --no-psqlrc --no-password --no-align --tuples-only --command='SHOW server_version' 2>"$log") ||
    fail_by_log
  server=${version%%[!0-9]*}
  command -v "$1" >/dev/null ||
    fail "$FAILED" "bad-image: there is no $1. Use an image of PostgreSQL, such as docker.io/library/postgres"
  client=$(version_of "$1")
  if [ "${client%%.*}" -lt "$server" ]; then
    fail "$WRONG_VERSION" "client-too-old: the server is PostgreSQL $version, and $1 of this image is $client. Use an image of PostgreSQL $server or later (clientImage)"
  fi
}

# Ends with what went wrong, by the log of what ran last.
fail_by_log() {
  say ERROR "$(cat "$log")" >&2
  saw=$(sed -nE '/(error|ERROR|FATAL):/{p;q;}' "$log" | tr -s '[:space:]' ' ')
  saw=${saw:-$(tail -n 1 "$log" | tr -s '[:space:]' ' ')}
  saw=${saw% }
  case $saw in
  *'No space left'* | *'File too large'* | *'quota exceeded'*)
    fail "$FAILED" "disk-full: $saw. Enlarge the volume, or keep fewer dumps" ;;
  *'permission denied for'* | *'must be owner of'*)
    fail "$FAILED" "no-table-privilege: $saw. Log in as the owner of the database" ;;
  *'lock timeout'* | *'could not obtain lock'*)
    fail "$FAILED" "lock-timeout: $saw. Something else holds the database: a migration, a restore, or DDL" ;;
  *'unsupported version'*'in file header'*)
    fail "$WRONG_VERSION" "client-too-old: $saw. Use an image of the PostgreSQL that made the dump, or later (clientImage)" ;;
  *'could not read from input file'* | *'did not find magic string'* | *'could not uncompress'* | *'input file'* | *'could not find block ID'*)
    fail "$FAILED" "damaged: $saw. The dump is not whole" ;;
  *'closed the connection'* | *'terminating connection'* | *'Connection refused'*)
    fail "$FAILED" "dropped: $saw. PostgreSQL went away: look at its log" ;;
  esac
  fail "$FAILED" "failed: ${saw:-no error was reported}"
}

# 1234567 as 1.2 MB: size BYTES
size() {
  awk -v bytes="$1" 'BEGIN {
    split("B kB MB GB TB", units)
    for (i = 1; bytes >= 1000 && i < 5; i++) bytes /= 1000
    printf(i == 1 ? "%d %s" : "%.1f %s", bytes, units[i])
  }'
}

# How many tables and rows the file of count_rows.sql names: counted FILE
counted() {
  awk '{ rows += $1 } END { printf "%d tables, %d rows", NR, rows }' "$1"
}
