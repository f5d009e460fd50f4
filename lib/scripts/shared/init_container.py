"""What every init container here does the same way: last words, signals, settings, no password in a log."""

from __future__ import annotations

import math
import os
import re
import signal
import threading
from typing import Callable
from urllib.parse import quote, unquote

from exit_codes import FAILED, TERMINATED
from log_format import log_as_told, say

TERMINATION_LOG = "/dev/termination-log"
# Has a heading for each cause, by its name. postgres_client.sh has it, too.
ERRORS = "https://cdk8s-mlflow.github.io/cdk8s-mlflow/errors"


class Failure(Exception):
    """The text is for the user: the cause and what to do. `code` is what the program ends with."""

    code = FAILED


class BadSetting(ValueError):
    """An environment variable that cannot be used; the text is for the user."""


def prepare(program: str) -> None:
    log_as_told(program)
    _exit_on_sigterm(program)
    speak_english()


def speak_english() -> None:
    os.environ.update(LC_ALL="C", LC_MESSAGES="C")  # libpq's own messages in English
    os.environ["PGCONNECT_TIMEOUT"] = os.environ.get("PGCONNECT_TIMEOUT") or "5"


def redact(text: str) -> str:
    """The text without the password, which libpq can echo (a whole URI put into PGHOST, for example)."""
    in_uri = re.match(r"[^/]*//[^/@]*?:(.*)@", os.environ.get("MLFLOW_BACKEND_STORE_URI", ""))
    passwords = [value for name, value in os.environ.items() if name.endswith("PASSWORD")]
    passwords.append(in_uri.group(1) if in_uri else "")
    forms = {form for word in passwords for form in (word, word.strip(), _quoted(word), unquote(word))}
    for form in sorted(filter(None, forms), key=len, reverse=True):
        text = text.replace(form, "***")
    return text


def _quoted(word: str) -> str:
    return quote(os.fsencode(word), safe="")  # a Secret may hold what is not UTF-8


def one_line(text: str) -> str:
    return " ".join(text.split())


def required(name: str) -> str:
    """A text from the environment."""
    value = os.environ.get(name)
    if not value:
        raise BadSetting(f"{name} must be set")
    return value


def seconds_from(name: str, default: float) -> float:
    """A number of seconds from the environment."""
    text = os.environ.get(name, "").strip() or str(default)
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 <= seconds < math.inf:
        raise BadSetting(f"{name} must be a number of seconds from 0, got {text!r}")
    return seconds


def fail(line: str, code: int) -> int:
    """Say the last line, also where `kubectl describe pod` shows it, there with a link to its cause."""
    say(line, "ERROR")
    try:
        # Without O_CREAT: the kubelet makes this file, and outside a pod there should be none.
        with os.fdopen(os.open(TERMINATION_LOG, os.O_WRONLY | os.O_TRUNC), "w") as log:
            log.write(f"{line}\n{_see(line)}")
    except OSError:
        pass
    return code


def _see(lines: str) -> str:
    """Links to causes: `program: cause: what was seen`, with other words before a cause in some programs."""
    causes = dict.fromkeys(re.findall(r"^.*?: (?!stored: )([a-z]+(?:-[a-z]+)*): ", lines, re.MULTILINE))
    return "".join(f"See {ERRORS}#{cause}\n" for cause in causes)


def _exit_on_sigterm(program: str) -> None:
    end_on_sigterm(lambda: fail(f"{program}: terminated: got SIGTERM before the work was done", TERMINATED))


def end_on_sigterm(end: Callable[[], int]) -> None:
    """End at once on SIGTERM, also inside libpq, where Python's own handlers have to wait for its return.

    Blocked and fetched by a thread, the signal works for process 1 too, which has no default handlers.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})

    def watch() -> None:
        signal.sigwait({signal.SIGTERM})
        os._exit(end())

    threading.Thread(target=watch, daemon=True).start()
