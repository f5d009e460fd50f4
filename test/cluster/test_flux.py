"""Flux applies what Git has: a first sync, an upgrade under clients, the way back, the removal."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from branch import PushedRelease
from cluster import Failed, new_namespace, run
from controllers import require
from release import CLIENT
from settings import FLUX_NAMESPACE, GIT_REPOSITORY, MLFLOW_IMAGE
from waiting import eventually
from watch import FIGURES, Watch

from examples import Example

CLIENTS = {"log_metric": 4, "search": 1}
KUSTOMIZATION = "kustomizations.kustomize.toolkit.fluxcd.io"
SOURCE = "gitrepositories.source.toolkit.fluxcd.io"


class Kustomization(PushedRelease):
    """A release that Flux applies."""

    def create(self) -> None:
        source = {"url": GIT_REPOSITORY, "ref": {"branch": self.name}, "interval": "5m"}
        spec = {
            "sourceRef": {"kind": "GitRepository", "name": self.name},
            "path": "./",
            "targetNamespace": self.namespace.name,
            "interval": "5m",
            "timeout": "4m",
            "prune": True,
            "wait": True,
        }
        metadata = {"name": self.name, "namespace": FLUX_NAMESPACE}
        for kind, group, each in (
            ("GitRepository", "source", source),
            ("Kustomization", "kustomize", spec),
        ):
            api = f"{group}.toolkit.fluxcd.io/v1"
            body = {"apiVersion": api, "kind": kind, "metadata": metadata, "spec": each}
            run("kubectl", "create", "-f", "-", stdin=json.dumps(body))

    def flux(self, verb: str, kind: str, *args: str) -> str:
        return run("kubectl", verb, "-n", FLUX_NAMESPACE, kind, self.name, *args)

    def reconcile(self) -> None:
        """As `flux reconcile kustomization --with-source` does."""
        for kind in (SOURCE, KUSTOMIZATION):
            self.flux("annotate", kind, f"reconcile.fluxcd.io/requestedAt={time.time_ns()}", "--overwrite")

    def status(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.flux("get", KUSTOMIZATION, "-o", "json")).get("status", {})
        return found

    def ready(self, revision: str) -> str:
        """True, False or Unknown, of the last attempt, if that was to this revision."""
        status = self.status()
        if not str(status.get("lastAttemptedRevision", "")).endswith(revision):
            return ""
        conditions = {each["type"]: each["status"] for each in status["conditions"]}
        return conditions.get("Ready", "")

    def explain(self) -> str:
        return json.dumps(self.status(), indent=1)[:4000] + self.flux("get", SOURCE, "-o", "json")[-1500:]


@pytest.fixture(scope="module", autouse=True)
def installed() -> None:
    require("Flux", f"crd/{KUSTOMIZATION}", f"crd/{SOURCE}", f"namespace/{FLUX_NAMESPACE}")
    if not GIT_REPOSITORY:
        pytest.skip("set TEST_GIT_REPOSITORY to one that Flux reads and this test may write")


@pytest.fixture(scope="module")
def app(
    installed: None, synthesized: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Kustomization]:
    with new_namespace("flux") as namespace:
        namespace.create_pod(CLIENT, MLFLOW_IMAGE, 1001)
        app = Kustomization(Example("flux"), namespace, synthesized, tmp_path_factory.mktemp("clone"))
        revision = app.push(synthesized)
        started = time.monotonic()
        app.create()
        try:
            eventually(lambda: app.ready(revision) == "True", app.explain, 600, pause=1)
            FIGURES.append(f"Flux, a first sync until Ready: {time.monotonic() - started:.0f} s")
            yield app
        finally:
            for kind in (KUSTOMIZATION, SOURCE):
                command = ["kubectl", "delete", "-n", FLUX_NAMESPACE, kind, app.name, "--ignore-not-found"]
                subprocess.run(command, check=False)
            app.delete_branch()


def sync(app: Kustomization, directory: Path) -> str:
    revision = app.push(directory)
    app.reconcile()
    return revision


def test_a_second_reconciliation_changes_nothing(app: Kustomization) -> None:
    before = app.state()
    app.reconcile()
    time.sleep(20)
    assert app.state() == before


def test_an_upgrade_under_clients(app: Kustomization, synthesized: Path) -> None:
    [old_migration] = app.migrations()
    old_maps, old_pods = app.config_maps(), app.uids()
    with Watch(app.namespace, "Flux, upgraded", **CLIENTS) as watch:
        revision = sync(app, synthesized / "after")
        eventually(lambda: app.ready(revision) == "True", app.explain, 600, pause=1)
    assert not old_pods & app.uids()
    assert watch.seen["missing"] == 0
    assert [watch.seen[each]["failed"] for each in ("log-metric", "search")] == [0, 0]
    [migration] = app.migrations()
    assert migration != old_migration
    # They are kept, and belong to nobody any more.
    assert old_maps <= app.config_maps()


def test_the_way_back_keeps_the_pods_that_serve(app: Kustomization, synthesized: Path) -> None:
    """Flux applies all at once: pods of the old image wait for a schema that they know."""
    serving = app.uids()
    with Watch(app.namespace, "Flux, and back", **CLIENTS) as watch:
        revision = sync(app, synthesized)
        eventually(lambda: app.ready(revision) == "False", app.explain, 600, pause=1)
        assert serving <= app.uids()
        revision = sync(app, synthesized / "after")
        eventually(lambda: app.ready(revision) == "True", app.explain, 600, pause=1)
        assert app.uids() == serving
    assert watch.seen["missing"] == 0
    assert [watch.seen[each]["failed"] for each in ("log-metric", "search")] == [0, 0]


def test_data_stays_when_the_kustomization_is_removed(app: Kustomization) -> None:
    claims = app.claims()
    app.flux("delete", KUSTOMIZATION, "--timeout=180s")

    def gone() -> bool:
        try:
            app.namespace.get("deployment", "mlflow")
        except Failed as error:
            return "NotFound" in str(error)
        return False

    eventually(gone, "the server is gone", 120)
    assert app.claims() == claims
