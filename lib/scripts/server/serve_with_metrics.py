"""Start a server that counts for Prometheus: empty the folder of its counts, then become that server.

Each worker keeps its counts in files of that folder, and a scrape adds up all of them. The folder outlives
the container. A file that a crash has cut off would fail every scrape from then on; MLflow leaves it there.

Arguments: the folder, then the command of the server.

Exit codes: 2 a wrong call; 3 no prometheus-flask-exporter in the image, without which the workers end one
after the other and MLflow waits for them for ever. Otherwise those of the server.
The last line of a failure is also the container's termination message.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys

from exit_codes import BAD_CALL, NO_METRICS
from init_container import fail
from log_format import log_as_told

PROGRAM = "serve-with-metrics"


def empty(folder: str) -> None:
    """What is in the folder goes; the folder is a volume and stays."""
    for entry in os.scandir(folder):
        if entry.is_dir(follow_symlinks=False):
            shutil.rmtree(entry.path)
        else:
            os.unlink(entry.path)


def main(arguments: list[str]) -> int:
    log_as_told(PROGRAM)
    if len(arguments) < 2:
        return fail(f"{PROGRAM}: bad-call: expected a folder and a command, got {arguments}", BAD_CALL)
    folder, *command = arguments
    if importlib.util.find_spec("prometheus_flask_exporter") is None:
        advice = "Use an image that has it (MLflow's `-full` image), or leave out `metrics`"
        return fail(f"{PROGRAM}: bad-image: no module prometheus_flask_exporter. {advice}", NO_METRICS)
    empty(folder)
    os.execvp(command[0], command)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
