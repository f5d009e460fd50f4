"""A branch of the repository that a GitOps controller reads: what is pushed to it is applied."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cluster import run
from release import Release
from settings import GIT_REPOSITORY

from examples import Example, manifest_for


class PushedRelease(Release):
    """A release that a controller applies, from a branch of its own."""

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

    def delete_branch(self) -> None:
        self.git("push", "--quiet", "origin", "--delete", self.name)

    def migrations(self) -> dict[str, dict[str, Any]]:
        return {each["metadata"]["name"]: each for each in self.namespace.get("jobs")["items"]}

    def config_maps(self) -> set[str]:
        """Those of the release, whose names end with a digest of their content."""
        names = {each["metadata"]["name"] for each in self.namespace.get("configmaps")["items"]}
        return names - {"kube-root-ca.crt"}

    def claims(self) -> set[str]:
        items = self.namespace.get("persistentvolumeclaims")["items"]
        return {each["metadata"]["name"] for each in items}

    def uids(self) -> set[str]:
        """Of the server's pods that stay."""
        pods = self.namespace.pods(
            {"app.kubernetes.io/name": "mlflow", "app.kubernetes.io/component": "server"}
        )
        return {each["metadata"]["uid"] for each in pods if "deletionTimestamp" not in each["metadata"]}
