"""checkov over each file by itself, in one process: its imports take longer than all of its checks."""

from __future__ import annotations

import json
import sys

from checkov.kubernetes.runner import Runner
from checkov.runner_filter import RunnerFilter


def failed_checks(path: str) -> list[dict[str, str]]:
    # Without an API key it has no severities: what fails counts.
    report = Runner().run(
        root_folder=None, files=[path], runner_filter=RunnerFilter(framework=["kubernetes"])
    )
    if report.parsing_errors or not report.resources:
        sys.exit(f"checkov has seen no object in {path}: {report.parsing_errors}")
    failed = report.failed_checks
    return [{"id": each.check_id, "text": f"{each.resource}: {each.check_name}"} for each in failed]


json.dump({path: failed_checks(path) for path in sys.argv[1:]}, sys.stdout)
