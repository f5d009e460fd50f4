"""Argo CD applies what Git has: a first sync, an upgrade under clients, the way back, the removal."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cluster import Failed, new_namespace, run
from controllers import require
from release import CLIENT, Release
from settings import ARGO_CD_NAMESPACE, GIT_REPOSITORY, MLFLOW_IMAGE
from waiting import eventually
from watch import FIGURES, Watch

from examples import Example, manifest_for

SERVER = {"app.kubernetes.io/name": "mlflow", "app.kubernetes.io/component": "server"}
CLIENTS = {"log_metric": 4, "search": 1}


class Application(Release):
    """A release that Argo CD applies, from a branch of its own."""

    def __init__(self, example: Example, namespace: Any, directory: Path, clone: Path) -> None:
        super().__init__(example, namespace, directory)
        self.name = namespace.name
        self.clone = clone
        self.git("init", "--quiet", "--initial-branch", self.name)
        self.git("remote", "add", "origin", GIT_REPOSITORY)

    def git(self, *args: str) -> str:
        author = ["-c", "user.name=test", "-c", "user.email=test@example.com"]
        return run("git", "-C", str(self.clone), *author, *args).strip()

    def push(self, directory: Path) -> str:
        """The revision of the branch, which has the manifests of the directory now."""
        self.manifest = manifest_for(self.example, directory, self.namespace.name)
        (self.clone / "mlflow.yaml").write_text(self.manifest)
        self.git("add", "mlflow.yaml")
        self.git("commit", "--quiet", "--message", str(directory.name))
        self.git("push", "--quiet", "origin", self.name)
        return self.git("rev-parse", "HEAD")

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

    def migrations(self) -> dict[str, dict[str, Any]]:
        return {each["metadata"]["name"]: each for each in self.namespace.get("jobs")["items"]}

    def config_maps(self) -> set[str]:
        """Those of the release, whose names end with a digest of their content."""
        names = {each["metadata"]["name"] for each in self.namespace.get("configmaps")["items"]}
        return names - {"kube-root-ca.crt"}


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
            app.git("push", "--quiet", "origin", "--delete", app.name)


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
    old_maps, old_pods = app.config_maps(), uids(app)
    with Watch(app.namespace, "Argo CD, upgraded", **CLIENTS) as watch:
        revision = sync(app, synthesized / "after")

        def done() -> bool:
            if not old_maps <= app.config_maps():
                # What is pruned last is needed by no pod that stays.
                assert not old_pods & uids(app)
            return app.synced(revision)

        eventually(done, app.explain, 600, pause=1)
    assert watch.seen["missing"] == 0
    assert [watch.seen[each]["failed"] for each in ("log-metric", "search")] == [0, 0]
    [migration] = app.migrations()
    assert migration != old_migration
    assert old_maps - app.config_maps()


def uids(app: Application) -> set[str]:
    """Of the server's pods that stay."""
    pods = app.namespace.pods(SERVER)
    return {each["metadata"]["uid"] for each in pods if "deletionTimestamp" not in each["metadata"]}


def test_the_way_back_stops_at_the_migration(app: Application, synthesized: Path) -> None:
    serving = uids(app)
    with Watch(app.namespace, "Argo CD, and back", **CLIENTS) as watch:
        revision = sync(app, synthesized)
        eventually(lambda: app.phase(revision) == "Failed", app.explain, 600, pause=1)
        assert uids(app) == serving
        revision = sync(app, synthesized / "after")
        eventually(lambda: app.synced(revision), app.explain, 600, pause=1)
        assert uids(app) == serving
    assert watch.seen["missing"] == 0
    assert [watch.seen[each]["failed"] for each in ("log-metric", "search")] == [0, 0]


def test_what_a_person_changes_is_put_back(app: Application) -> None:
    app.namespace.kubectl("scale", "deployment/mlflow", "--replicas=1")
    eventually(
        lambda: app.namespace.get("deployment", "mlflow")["spec"]["replicas"] == 2, app.explain, 120, pause=1
    )
    app.wait_until_settled()


def test_data_stays_when_the_application_is_removed(app: Application) -> None:
    claims = {each["metadata"]["name"] for each in app.namespace.get("persistentvolumeclaims")["items"]}
    app.kubectl_application("delete", "--timeout=180s")
    left = {each["metadata"]["name"] for each in app.namespace.get("persistentvolumeclaims")["items"]}
    assert left == claims
    with pytest.raises(Failed, match="NotFound"):
        app.namespace.get("deployment", "mlflow")
