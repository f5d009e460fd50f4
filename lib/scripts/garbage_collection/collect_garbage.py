"""Delete for good what was deleted in MLflow long enough ago: `mlflow gc`, with the artifacts.

usage: collect_garbage.py AGE    as `mlflow gc --older-than` takes it, such as 30d or 1d12h

`mlflow gc` by itself asks the tracking server over HTTP to delete what clients stored through it, aborts on
a run without artifacts in some stores, and takes a deletion that a store refused for done. Here it works on
the store itself, and forgets a run only when nothing is left of its artifacts.

Environment besides libpq's own (PG*):
  MLFLOW_BACKEND_STORE_URI      default postgresql+psycopg2://
  ARTIFACTS_DESTINATION         where the server keeps what clients store through it
  MLFLOW_DEFAULT_ARTIFACT_ROOT  of the default experiment, should MLflow make it anew (mlflow-artifacts:/)

Last line on stdout when it ends well, on one line:
  collect-garbage: collected: <n> runs, <n> logged models, <n> experiments, deleted more than <age> ago,
  in <s> s

Exit codes: 0 done; 1 failed (the cause is named); 4 the schema is not this image's, nothing was touched;
143 stopped by SIGTERM. The line of a failure is also the termination message. What was collected before a
failure stays collected, and the next run goes on with the rest.
"""

from __future__ import annotations

import os
import re
import sys
import time
from contextlib import redirect_stdout
from typing import Any, TextIO
from urllib.parse import urlsplit

from database_errors import fail_with
from database_lock import COLLECTION_LOCK, try_lock
from exit_codes import DONE, FAILED, WRONG_VERSION
from init_container import Failure, fail, one_line, prepare, redact
from mlflow_schema import UnusableSchema, check_current, connect, has_workspaces, store_uri

PROGRAM = "collect-garbage"
AGE = re.compile(r"(\d+d)?(\d+h)?(\d+m)?(\d+s)?")
DELETED = re.compile(r"(Run|Logged model|Experiment) with ID \S+ has been permanently deleted")


class Stopped(Failure):
    pass


class ArtifactsOf:
    """The artifacts of one run or model, in the repository that holds them: all that `mlflow gc` asks for."""

    def __init__(self, uri: str, repository: Any, path: str | None) -> None:
        self.uri, self.repository, self.path = uri, repository, path

    def delete_artifacts(self) -> None:
        error: Exception | None = None
        try:
            self.repository.delete_artifacts(self.path)
        except Exception as caught:  # some repositories fail where there is nothing to delete
            error = caught
        try:
            left = self.repository.list_artifacts(self.path)
        except Exception as caught:
            reason = one_line(str(error or caught))
            raise Stopped(f"artifacts: cannot delete {self.uri}: {reason}") from caught
        if left:
            reason = one_line(str(error)) if error else "the store refused without saying so"
            raise Stopped(
                f"artifacts: {len(left)} still there after the deletion of {self.uri}: {reason}."
                " The store's credentials must be allowed to delete"
            ) from error


def path_below_destination(uri: str) -> str:
    """What the server makes of its own URIs: mlflow-artifacts:/1/abc/artifacts is 1/abc/artifacts there."""
    parts = urlsplit(uri)
    path = parts.path.strip("/")
    if parts.netloc or not path or ".." in path.split("/"):
        raise Stopped(f"artifacts: {uri} is not a folder of this server. Restore what it belongs to")
    return path


def teach_mlflow(destination: str) -> None:
    """Registers repositories as plug-ins do (mlflow.artifact_repository)."""
    from mlflow.store.artifact import artifact_repository_registry as module

    registry = module._artifact_repository_registry
    factories = dict(registry.get_registered_artifact_repositories())

    def below_destination(uri: str, **_: Any) -> ArtifactsOf:
        from mlflow.utils.uri import get_uri_scheme

        repository = factories[get_uri_scheme(destination)](destination)
        return ArtifactsOf(uri, repository, path_below_destination(uri))

    def itself(factory: Any) -> Any:
        return lambda uri, **options: ArtifactsOf(uri, factory(uri, **options), None)

    for scheme, factory in factories.items():
        registry.register(scheme, below_destination if scheme == "mlflow-artifacts" else itself(factory))


class Counting:
    """Standard output that counts what `mlflow gc` says it deleted."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream
        self.counts = dict.fromkeys(("Run", "Logged model", "Experiment"), 0)

    def write(self, text: str) -> int:
        for match in DELETED.finditer(text):
            self.counts[match[1]] += 1
        return self.stream.write(redact(text))

    def flush(self) -> None:
        self.stream.flush()

    def __str__(self) -> str:
        return ", ".join(f"{n} {what.lower()}{'' if n == 1 else 's'}" for what, n in self.counts.items())


def collect(age: str, uri: str) -> str:
    started = time.monotonic()
    check_current(uri)
    lock = connect(uri)
    try:
        if not try_lock(lock, COLLECTION_LOCK):
            raise Stopped("busy: another collection is running on this database. Wait for it")
        arguments = ["--older-than", age, "--backend-store-uri", uri]
        if has_workspaces(lock):
            arguments.append("--all-workspaces")
        counts = run_gc(arguments)
    finally:
        lock.close()
    return f"collected: {counts}, deleted more than {age} ago, in {time.monotonic() - started:.1f} s"


def run_gc(arguments: list[str]) -> Counting:
    """The only place that imports MLflow."""
    # `mlflow gc` insists on one, for the HTTP requests that it does not make here.
    os.environ["MLFLOW_TRACKING_URI"] = "postgresql+psycopg2://"
    from mlflow.cli import gc

    if any(option.name == "artifacts_destination" for option in gc.params):
        # By this name the store gets the root of the default experiment, which it makes where there is none.
        root = os.environ.get("MLFLOW_DEFAULT_ARTIFACT_ROOT") or "mlflow-artifacts:/"
        arguments = [*arguments, "--artifacts-destination", root]
    teach_mlflow(os.environ["ARTIFACTS_DESTINATION"])
    counting = Counting(sys.stdout)
    with redirect_stdout(counting):  # type: ignore[type-var]
        gc.main(arguments, prog_name="mlflow gc", standalone_mode=False)
    return counting


def main(arguments: list[str]) -> int:
    prepare(PROGRAM)
    if len(arguments) != 1 or not arguments[0] or not AGE.fullmatch(arguments[0]):
        return fail(f"{PROGRAM}: bad-settings: arguments {arguments}. Give one age, such as 30d", FAILED)
    if not os.environ.get("ARTIFACTS_DESTINATION"):
        return fail(f"{PROGRAM}: bad-settings: ARTIFACTS_DESTINATION is missing", FAILED)
    try:
        print(f"{PROGRAM}: {collect(arguments[0], store_uri())}", flush=True)
        return DONE
    except UnusableSchema as error:
        return fail(f"{PROGRAM}: {error}", WRONG_VERSION)
    except Exception as error:
        return fail_with(PROGRAM, error)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
