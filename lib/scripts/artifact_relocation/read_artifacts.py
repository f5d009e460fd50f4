"""Offer the artifacts that are moved to relocate_artifacts.py, in another container of the pod.

Environment:
  RELOCATION_SOURCE    where they are: the store's folder or URI
  RELOCATION_EXCHANGE  the folder that both containers mount

Exit codes: 0 stopped by SIGTERM; 1 failed (the cause is named).
"""

from __future__ import annotations

import sys
from pathlib import Path

from artifact_files import offer
from database_errors import fail_with
from exit_codes import DONE
from init_container import end_on_sigterm, required, speak_english
from log_format import log_as_told

PROGRAM = "read-artifacts"


def main() -> int:
    log_as_told(PROGRAM)
    speak_english()
    end_on_sigterm(lambda: DONE)
    try:
        offer(required("RELOCATION_SOURCE"), Path(required("RELOCATION_EXCHANGE")))
        return DONE
    except Exception as error:
        return fail_with(PROGRAM, error)


if __name__ == "__main__":
    sys.exit(main())
