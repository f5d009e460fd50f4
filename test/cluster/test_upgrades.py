"""Another image, and with it another schema, under clients; and the way back, which the schema bars."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from release import Release, is_ready
from waiting import eventually
from watch import Watch

from examples import Example, manifest_for

# Models are created by one client, and named apart: what MLflow itself cannot do on a newer schema.
CLIENTS = {"log_metric": 6, "search": 1, "create_model": 1}
CLIENTS_SEE = ("log-metric", "search", "create-model")
SERVER = {"app.kubernetes.io/name": "mlflow", "app.kubernetes.io/component": "server"}


@pytest.fixture(scope="module", params=["init-rolling", "job-rolling", "init-recreate", "job-recreate"])
def release(request: pytest.FixtureRequest, deploy) -> Iterator[Release]:
    with deploy(Example(request.param)) as release:
        yield release


def change(release: Release, directory: Path) -> None:
    """The same release with the image of that directory."""
    release.manifest = manifest_for(release.example, directory, release.namespace.name)
    release.apply()


def test_upgrade(release: Release, synthesized: Path) -> None:
    with Watch(release.namespace, f"{release.example.name}, upgraded", **CLIENTS) as watch:
        change(release, synthesized / "after")
        release.wait_for_rollout()
        release.wait_until_settled()
    assert watch.seen["missing"] == 0
    if "rolling" in release.example.name:
        failed = [watch.seen[each]["failed"] for each in ("log-metric", "search")]
        assert failed == [0, 0], tracebacks(release)
    else:
        assert watch.seen["log-metric"]["failing"] > 1  # nobody is served meanwhile
    [migration] = [line for line in init_logs(release) if "upgraded: revision" in line]
    print(migration)


def test_way_back_is_barred(release: Release, synthesized: Path) -> None:
    if "rolling" not in release.example.name:
        pytest.skip("the old image would wait for a pod, with nobody served")
    serving = {each["metadata"]["name"] for each in release.namespace.pods(SERVER)}
    with Watch(release.namespace, f"{release.example.name}, and back", **CLIENTS) as watch:
        change(release, synthesized)
        line = eventually(lambda: cause(release), "`kubectl describe pods` names the cause", 300)
        ready = {each["metadata"]["name"] for each in release.namespace.pods(SERVER) if is_ready(each)}
        assert ready == serving
        change(release, synthesized / "after")
        release.wait_until_settled()
    print(line)
    assert watch.seen["missing"] == 0
    assert [watch.seen[each]["failed"] for each in CLIENTS_SEE] == [0, 0, 0], tracebacks(release)


def cause(release: Release) -> str:
    """The line that says why a pod of an older image does not start."""
    text = release.namespace.kubectl("describe", "pods", "-l", "app.kubernetes.io/name=mlflow")
    return next((line.strip() for line in text.splitlines() if "newer-schema: " in line), "")


def tracebacks(release: Release) -> str:
    """What the servers say of a request that ended with 500."""
    selector = ",".join(f"{key}={value}" for key, value in SERVER.items())
    log = release.namespace.kubectl("logs", "-l", selector, "-c", "mlflow", "--tail=-1")
    return log[log.find("Traceback") :][:5000] if "Traceback" in log else "no traceback in the logs"


def init_logs(release: Release) -> list[str]:
    """The lines of all that migrated or waited for it."""
    pods = release.namespace.get("pods", "-l", "app.kubernetes.io/name=mlflow")["items"]
    names = [each["metadata"]["name"] for each in pods]
    options = ["-c", "init-mlflow", "--ignore-errors"]
    return [line for name in names for line in release.namespace.kubectl("logs", name, *options).splitlines()]
