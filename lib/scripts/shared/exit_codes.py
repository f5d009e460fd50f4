"""Exit codes of all programs. TypeScript reads this file, and tests hold the programs to it."""

DONE = 0
FAILED = 1  # the cause is named
UNREACHABLE = 2  # the database could not be reached in time
BAD_CALL = 2
DEADLINE_PASSED = 3  # others still hold a lock or the tables
NOT_DELETED = 3  # the backup is stored, old ones are still there
NOT_EMPTY = 3  # the database to restore into
NO_METRICS = 3  # the image cannot count for Prometheus
WRONG_VERSION = 4  # the schema or the server is not one that this image works with
UNUSABLE_DUMP = 4
HAS_DATA = 5  # the database to import into
BAD_SOURCE = 6  # the SQLite file
WOULD_CHANGE = 7  # a dry run that is not as declared
TERMINATED = 143  # 128 + SIGTERM
