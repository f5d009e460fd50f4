"""Says as JSON what the library relies on in the MLflow of this Python.

usage: read_mlflow.py USED.json [--idle]    --idle: also starts servers, for their processes and memory

Everything is asked of MLflow itself: nothing here names a version.
"""

from __future__ import annotations

import hashlib
import importlib
import inspect
import json
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

SCRIPTS = Path(__file__).parents[2] / "lib" / "scripts"
sys.path.insert(0, str(SCRIPTS / "shared"))
# A column of this name holds, or may hold, a place that an import or a move has to rewrite.
LOCATION = re.compile(r"ur[il]$|source$|location|_root$|_path$")
# What a server may answer when it cannot serve; "reset" closes the connection without an answer.
FAILURES = ("408", "429", "500", "502", "503", "504", "reset")
RETRIES = 2
# As many samples in a row, 5 seconds apart, are the same of a server that has started.
STEADY = 6


def outline(dotted: str) -> str:
    """The signature of `module:attribute`, and a digest of its code, or that there is none."""
    module, _, path = dotted.partition(":")
    try:
        found: Any = importlib.import_module(module)
        for name in filter(None, path.split(".")):
            if inspect.ismodule(found) and not hasattr(found, name):
                # As `from package import module` does.
                importlib.import_module(f"{found.__name__}.{name}")
            # A column of a model answers to getattr only; an attribute of an instance is a value.
            found = getattr(found, name)
    except (ImportError, AttributeError) as error:
        return f"missing ({type(error).__name__})"
    if inspect.ismodule(found):
        return "module"
    if not (inspect.isfunction(found) or inspect.isclass(found) or inspect.ismethod(found)):
        return type(found).__name__
    with suppress(OSError, TypeError, ValueError):
        digest = hashlib.sha256(inspect.getsource(found).encode()).hexdigest()[:8]
        return f"{inspect.signature(found)} code {digest}"
    return type(found).__name__


def options(command: Any) -> dict[str, str]:
    found = {}
    for each in command.params:
        if each.param_type_name == "option":
            default = None if callable(each.default) or "UNSET" in repr(each.default) else each.default
            names = "/".join([*each.opts, *each.secondary_opts])
            found[names] = f"default {default}, environment {each.envvar}"
    return found


def variables(package: Path) -> dict[str, dict[str, Any]]:
    """Default and the parts of MLflow that read it: the server may begin to heed a client's variable."""
    import mlflow.environment_variables as module

    of_name = {
        name: each for name, each in vars(module).items() if isinstance(each, module._EnvironmentVariable)
    }
    readers: dict[str, set[str]] = {name: set() for name in of_name}
    for path in package.rglob("*.py"):
        if path.name != "environment_variables.py":
            for name in set(re.findall(r"\b_?MLFLOW_\w+", path.read_text(errors="replace"))) & set(of_name):
                readers[name].add(path.relative_to(package).parts[0].removesuffix(".py"))
    return {
        each.name: {"default": str(each.default), "read by": ", ".join(sorted(readers[name]))}
        for name, each in of_name.items()
    }


def routes() -> dict[str, str]:
    """Each path of the server, with its methods, and whether basic auth lets it pass without a login."""
    os.environ.setdefault("MLFLOW_FLASK_SERVER_SECRET_KEY", "k" * 32)
    from mlflow.server import app
    from mlflow.server.auth import is_unprotected_route
    from mlflow.server.fastapi_app import create_fastapi_app

    paths: dict[str, set[str]] = {}
    for rule in app.url_map.iter_rules():
        paths.setdefault(rule.rule, set()).update((rule.methods or set()) - {"HEAD", "OPTIONS"})
    for path, methods in _endpoints(create_fastapi_app().routes):
        paths.setdefault(path, set()).update(methods - {"HEAD"})
    return {
        path: " ".join(sorted(methods)) + (", without login" if is_unprotected_route(path) else "")
        for path, methods in sorted(paths.items())
    }


def _endpoints(some: Any) -> Iterator[tuple[str, set[str]]]:
    for route in some:
        if getattr(route, "methods", None):
            yield route.path, set(route.methods)
        elif inner := getattr(getattr(route, "original_router", None), "routes", None):
            yield from _endpoints(inner)


def locations() -> list[str]:
    import mlflow.store.db.utils  # noqa: F401 (knows all models)
    from mlflow.store.db.base_sql_model import Base

    return sorted(
        f"{table.name}.{column.name}"
        for table in Base.metadata.tables.values()
        for column in table.columns
        if LOCATION.search(column.name)
    )


@contextmanager
def failing_server(counts: list[str], failure: list[str]) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if "server-info" not in self.path:
                counts.append(self.path)
            if failure[0] == "reset":
                self.close_connection = True
                return
            self.send_response(int(failure[0]))
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = answer

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()


def retries() -> dict[str, str]:
    """The failures after which a client sends the same call again, by call."""
    os.environ.update(
        MLFLOW_HTTP_REQUEST_MAX_RETRIES=str(RETRIES),
        MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR="0",
        MLFLOW_HTTP_REQUEST_BACKOFF_JITTER="0",
    )
    from mlflow import MlflowClient
    from mlflow.entities import Metric

    counts: list[str] = []
    failure = ["503"]
    found = {}
    with failing_server(counts, failure) as address:
        client = MlflowClient(address, address)
        calls = {
            "get-run": lambda: client.get_run("r"),
            "search-runs": lambda: client.search_runs(["0"]),
            "log-batch": lambda: client.log_batch("r", [Metric("m", 1, 1, 1)]),
            "set-tag": lambda: client.set_tag("r", "k", "v"),
            "create-experiment": lambda: client.create_experiment("e"),
            "create-run": lambda: client.create_run("0"),
            "create-registered-model": lambda: client.create_registered_model("m"),
        }
        for name, call in calls.items():
            again = []
            for failure[0] in FAILURES:
                counts.clear()
                with suppress(Exception):
                    call()
                again += [failure[0]] if len(counts) > 1 else []
            found[name] = " ".join(again) or "never"
    return found


def connections() -> dict[str, str]:
    """Connections that a call takes from the pool, in turn and at once. Threads are bounded for two."""
    from mlflow import MlflowClient
    from mlflow.entities import Metric, Param
    from sqlalchemy import event
    from sqlalchemy.pool import Pool

    counts = {"taken": 0, "open": 0, "most": 0}

    def take(*_: Any) -> None:
        counts["taken"] += 1
        counts["open"] += 1
        counts["most"] = max(counts["most"], counts["open"])

    def give(*_: Any) -> None:
        counts["open"] -= 1

    event.listen(Pool, "checkout", take)
    event.listen(Pool, "checkin", give)
    found: dict[str, str] = {}
    with tempfile.TemporaryDirectory() as folder:
        client = MlflowClient(f"sqlite:///{folder}/mlflow.db", f"sqlite:///{folder}/mlflow.db")
        client.search_experiments()
        client.search_registered_models()
        experiment = client.create_experiment("e", "s3://bucket/e")
        run = client.create_run(experiment).info.run_id
        client.create_registered_model("m")
        client.create_model_version("m", "s3://bucket/m")
        calls = {
            "create-experiment": lambda: client.create_experiment("f", "s3://bucket/f"),
            "create-run": lambda: client.create_run(experiment),
            "log-metric": lambda: client.log_metric(run, "a", 1.0),
            "log-batch": lambda: client.log_batch(run, [Metric("b", 1.0, 1, 1)], [Param("p", "1")]),
            "set-tag": lambda: client.set_tag(run, "t", "1"),
            "get-run": lambda: client.get_run(run),
            "search-runs": lambda: client.search_runs([experiment]),
            "search-experiments": client.search_experiments,
            "update-run": lambda: client.set_terminated(run),
            "create-registered-model": lambda: client.create_registered_model("n"),
            "create-model-version": lambda: client.create_model_version("m", "s3://bucket/n"),
            "search-model-versions": lambda: client.search_model_versions("name = 'm'"),
            "set-alias": lambda: client.set_registered_model_alias("m", "a", 1),
        }
        for name, call in calls.items():
            counts.update(taken=0, most=counts["open"])
            call()
            found[name] = f"{counts['taken']} in turn, {counts['most']} at once"
    return found


def idle(job_execution: bool) -> dict[str, int]:
    """Processes of an idle server of two workers, and its memory (PSS) in MiB, when both stay as they are."""
    with tempfile.TemporaryDirectory() as folder:
        settings = {
            "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": str(job_execution).lower(),
            "MLFLOW_DISABLE_TELEMETRY": "true",
            "MLFLOW_BACKEND_STORE_URI": f"sqlite:///{folder}/mlflow.db",
            "MLFLOW_ARTIFACTS_DESTINATION": folder,
        }
        port = "5983"
        command = [sys.executable, "-m", "mlflow", "server", "--workers", "2", "--port", port]
        server = subprocess.Popen(
            command,
            env={**os.environ, **settings},
            cwd=folder,
            start_new_session=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            for _ in range(240):
                with suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=2):
                    break
                time.sleep(0.5)
            samples = [_sample(server.pid)]
            while len(samples) < STEADY or not _is_steady(samples[-STEADY:]):
                time.sleep(5)
                samples.append(_sample(server.pid))
            processes, memory = samples[-1]
            return {"processes": processes, "MiB": memory}
        finally:
            for pid in reversed([server.pid, *_children(server.pid)]):
                with suppress(ProcessLookupError):
                    os.kill(pid, 9)
            server.wait()


def _sample(pid: int) -> tuple[int, int]:
    own = [pid, *_children(pid)]
    return len(own), sum(map(_pss, own)) // 1024


def _is_steady(samples: list[tuple[int, int]]) -> bool:
    processes, memory = ({sample[each] for sample in samples} for each in (0, 1))
    return len(processes) == 1 and max(memory) - min(memory) <= 0.01 * max(memory)


def _children(pid: int) -> list[int]:
    found: list[int] = []
    with suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            for child in map(int, (task / "children").read_text().split()):
                found += [child, *_children(child)]
    return found


def _pss(pid: int) -> int:
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1])
    return 0


def main(used: str, *flags: str) -> None:
    from mlflow_schema import package_folder, read_revisions

    package = package_folder()
    import mlflow
    from mlflow.cli import gc, server

    migrations = {"MLflow": "store/db_migrations/versions", "users": "server/auth/db/migrations/versions"}
    record = {
        "version": mlflow.__version__,
        "head of the schema": {
            name: read_revisions(package / folder).head for name, folder in migrations.items()
        },
        "what the scripts use": {each: outline(each) for each in json.loads(Path(used).read_text())},
        "option of mlflow server": options(server),
        "option of mlflow gc": options(gc),
        "variable": variables(package),
        "route": routes(),
        "column with a location": dict.fromkeys(locations(), "there"),
        "failures after which the client repeats": retries(),
        "connections of a call": connections(),
    }
    if "--idle" in flags:
        record["idle server"] = {"without jobs": idle(False), "with jobs": idle(True)}
    print(json.dumps(record, indent=1))


if __name__ == "__main__":
    main(*sys.argv[1:])
