"""Counts the jobs that a pod may run at once: the rules of memory and of connections reckon with eight."""

from __future__ import annotations

import os
import subprocess
import sys

LIMITED = ("JUDGE_INVOKE", "ONLINE_SCORING", "SCHEDULED_ISSUE_DETECTION")
COUNT = """
from mlflow.server.jobs import _SUPPORTED_JOB_FUNCTION_LIST, utils
functions = [utils._load_function(name) for name in _SUPPORTED_JOB_FUNCTION_LIST]
print(*sorted(f"{function._job_fn_metadata.max_workers}" for function in functions))
"""


def test_each_type_of_job_but_one_is_limited() -> None:
    limits = {f"MLFLOW_SERVER_{name}_MAX_WORKERS": "1" for name in LIMITED}
    done = subprocess.run(
        [sys.executable, "-c", COUNT],
        env=os.environ | limits,
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    *limited, unlimited = done.stdout.split()
    assert len(limited) <= 6
    assert set(limited) == {"1"}
    assert unlimited == "2"
