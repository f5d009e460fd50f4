"""Argo CD applies what Git has: a first sync, an upgrade under clients, the way back, the removal."""

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
from settings import ARGO_CD_NAMESPACE, GIT_REPOSITORY, MLFLOW_IMAGE
from waiting import eventually
from watch import FIGURES, Watch

from examples import Example

CLIENTS = {"log_metric": 4, "search": 1}


class Application(PushedRelease):
    """A release that Argo CD applies."""

    def create(self) -> None:
        spec = {
            "project": "default",
            "source": {"repoURL": GIT_REPOSITORY, "targetRevision": self.name, "path": "."},
            "destination": {"server": "https://kubernetes.default.svc", "namespace": self.namespace.name},
            "syncPolicy": {
                "automated": {"prune": True, "selfHeal": True},
                "syncOptions": ["ServerSideApply=true"],
            },
        }
        metadata = {
            "name": self.name,
            "namespace": ARGO_CD_NAMESPACE,
            "finalizers": ["resources-finalizer.argocd.argoproj.io"],
            # Without it, Argo CD 3.1 sees a creationTimestamp in the claim templates of a StatefulSet.
            "annotations": {"argocd.argoproj.io/compare-options": "ServerSideDiff=true"},
        }
        body = {
            "apiVersion": "argoproj.io/v1alpha1",
            "kind": "Application",
            "metadata": metadata,
            "spec": spec,
        }
        run("kubectl", "create", "-f", "-", stdin=json.dumps(body))

    def kubectl_application(self, verb: str, *args: str) -> str:
        return run("kubectl", verb, "-n", ARGO_CD_NAMESPACE, "application", self.name, *args)

    def refresh(self, kind: str = "normal") -> None:
        self.kubectl_application("annotate", f"argocd.argoproj.io/refresh={kind}", "--overwrite")

    def status(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.kubectl_application("get", "-o", "json")).get("status", {})
        return found

    def synced(self, revision: str) -> bool:
        status = self.status()
        sync = status.get("sync", {})
        return (
            sync.get("revision") == revision
            and sync["status"] == "Synced"
            and status.get("health", {}).get("status") == "Healthy"
            and self.phase(revision) == "Succeeded"
        )

    def phase(self, revision: str) -> str:
        """Of the last sync, if it was to that revision."""
        operation = self.status().get("operationState", {})
        if operation.get("syncResult", {}).get("revision") != revision:
            return ""
        return str(operation["phase"])

    def explain(self) -> str:
        status = self.status()
        said = {each: status.get(each) for each in ("sync", "health", "conditions", "operationState")}
        return json.dumps(said, indent=1)[:6000]


@pytest.fixture(scope="module", autouse=True)
def installed() -> None:
    require("Argo CD", "crd/applications.argoproj.io", f"namespace/{ARGO_CD_NAMESPACE}")
    if not GIT_REPOSITORY:
        pytest.skip("set TEST_GIT_REPOSITORY to one that Argo CD reads and this test may write")


@pytest.fixture(scope="module")
def app(
    installed: None, synthesized: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Application]:
    with new_namespace("argo-cd") as namespace:
        namespace.create_pod(CLIENT, MLFLOW_IMAGE, 1001)
        app = Application(Example("argo-cd"), namespace, synthesized, tmp_path_factory.mktemp("clone"))
        revision = app.push(synthesized)
        started = time.monotonic()
        app.create()
        try:
            eventually(lambda: app.synced(revision), app.explain, 600, pause=1)
            FIGURES.append(f"Argo CD, a first sync until Healthy: {time.monotonic() - started:.0f} s")
            yield app
        finally:
            subprocess.run(
                ["kubectl", "delete", "application", "-n", ARGO_CD_NAMESPACE, app.name, "--ignore-not-found"],
                check=False,
            )
            app.delete_branch()


def sync(app: Application, directory: Path) -> str:
    revision = app.push(directory)
    app.refresh()
    return revision


def test_the_migration_ends_before_the_server_is_made(app: Application) -> None:
    [migration] = app.migrations().values()
    server = app.namespace.get("deployment", "mlflow")
    assert migration["status"]["completionTime"] <= server["metadata"]["creationTimestamp"]


def test_nothing_stays_out_of_sync(app: Application) -> None:
    before = app.status()["operationState"]["startedAt"]
    app.refresh("hard")
    time.sleep(30)
    status = app.status()
    assert status["sync"]["status"] == "Synced", app.explain()
    assert status["operationState"]["startedAt"] == before
    assert [each for each in status["resources"] if each["status"] != "Synced"] == []


def test_an_upgrade_under_clients(app: Application, synthesized: Path) -> None:
    [old_migration] = app.migrations()
    old_maps, old_pods = app.config_maps(), app.uids()
    with Watch(app.namespace, "Argo CD, upgraded", **CLIENTS) as watch:
        revision = sync(app, synthesized / "after")

        def done() -> bool:
            if not old_maps <= app.config_maps():
                # What is pruned last is needed by no pod that stays.
                assert not old_pods & app.uids()
            return app.synced(revision)

        eventually(done, app.explain, 600, pause=1)
    assert watch.seen["missing"] == 0
    assert [watch.seen[each]["failed"] for each in ("log-metric", "search")] == [0, 0]
    [migration] = app.migrations()
    assert migration != old_migration
    assert old_maps - app.config_maps()


def test_the_way_back_stops_at_the_migration(app: Application, synthesized: Path) -> None:
    serving = app.uids()
    with Watch(app.namespace, "Argo CD, and back", **CLIENTS) as watch:
        revision = sync(app, synthesized)
        eventually(lambda: app.phase(revision) == "Failed", app.explain, 600, pause=1)
        assert app.uids() == serving
        revision = sync(app, synthesized / "after")
        eventually(lambda: app.synced(revision), app.explain, 600, pause=1)
        assert app.uids() == serving
    assert watch.seen["missing"] == 0
    assert [watch.seen[each]["failed"] for each in ("log-metric", "search")] == [0, 0]


def test_what_a_person_changes_is_put_back(app: Application) -> None:
    app.namespace.kubectl("scale", "deployment/mlflow", "--replicas=1")
    eventually(
        lambda: app.namespace.get("deployment", "mlflow")["spec"]["replicas"] == 2, app.explain, 120, pause=1
    )
    app.wait_until_settled()


def test_data_stays_when_the_application_is_removed(app: Application) -> None:
    claims = app.claims()
    app.kubectl_application("delete", "--timeout=180s")
    assert app.claims() == claims
    with pytest.raises(Failed, match="NotFound"):
        app.namespace.get("deployment", "mlflow")
