"""Wait until PostgreSQL lets MLflow in: a real login with libpq's PG* environment, and a query.

Environment besides libpq's own:
  DATABASE_WAIT_SECONDS  how long to go on trying (default 120)
  DATABASE_MAY_APPEAR    "true": something else makes the database and its role, so wait for them as well
  PGCONNECT_TIMEOUT      seconds for each host and attempt (default 5)

One line on stdout for each attempt: `wait-for-database: <cause>: <what was seen>. <what to do> (<attempt>)`.
The causes are those of database_errors.py.

Exit codes: 0 usable; 1 waiting cannot heal this; 2 the deadline passed; 143 stopped by SIGTERM.
The last line of a failure is also the container's termination message.
"""

from __future__ import annotations

import sys

from database_wait import PROGRAM, wait_as_set
from init_container import prepare


def main() -> int:
    prepare(PROGRAM)
    return wait_as_set()


if __name__ == "__main__":
    sys.exit(main())
