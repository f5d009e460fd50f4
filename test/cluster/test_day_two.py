"""The commands of docs/databases.md, as they are written: a password and a volume changed under clients."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from cluster import Failed
from release import Release
from repository import ROOT
from watch import Watch

from examples import Example, manifest_for

PAGE = (ROOT / "docs" / "databases.md").read_text()
OLD, NEW, NEWEST = "mlflow_password", "another_password", "the new password"
DATABASES = "app.kubernetes.io/name=postgresql"
LONGEST_FAILING = 90.0  # seconds; the restarts of PgBouncer and server, one after the other
SIZE = re.compile(r"^(\s+storage: )10Gi$", re.MULTILINE)


@pytest.fixture(scope="module")
def release(deploy) -> Iterator[Release]:
    with deploy(Example("day-two")) as release:
        yield release


@pytest.fixture(scope="module")
def run_id(release: Release) -> str:
    return release.log_run("http://mlflow:5000")


def commands(heading: str) -> list[list[str]]:
    """The commands of a section, by its blocks."""
    [section] = [each for each in PAGE.split("\n## ") if each.startswith(heading)]
    blocks = re.findall(r"^ *```sh\n(.*?)\n *```", section, re.DOTALL | re.MULTILINE)
    return [[line.strip() for line in block.splitlines()] for block in blocks]


def execute(release: Release, lines: list[str], stdin: str = "") -> list[str]:
    """What the commands say, in the namespace of the release and with its manifest."""
    manifest = Path(f"/tmp/{release.namespace.name}.yaml")
    manifest.write_text(release.manifest)
    said = []
    for line in lines:
        here = line.replace("kubectl ", f"kubectl -n {release.namespace.name} ", 1)
        here = here.replace("dist/mlflow.k8s.yaml", str(manifest))
        done = subprocess.run(here, shell=True, input=stdin, capture_output=True, text=True, timeout=600)
        print(f"$ {line}\n{done.stdout}{done.stderr}")
        if done.returncode != 0:
            raise Failed(f"{line}\n{done.stdout}\n{done.stderr}")
        said.append(done.stdout)
    manifest.unlink()
    return said


def change(release: Release, synthesized: Path) -> None:
    release.manifest = manifest_for(release.example, synthesized / "after", release.namespace.name)


def psql(release: Release, password: str, user: str, statement: str) -> str:
    login = ["env", f"PGPASSWORD={password}", "psql", "-h", "127.0.0.1", "-U", user, "-d", "mlflow"]
    return release.namespace.kubectl("exec", "postgres-0", "--", *login, "-tAc", statement).strip()


def databases(release: Release) -> dict[str, str]:
    """The start of each server of PostgreSQL, by the name of its pod."""
    pods = release.namespace.get("pods", "-l", DATABASES)["items"]
    return {each["metadata"]["name"]: each["metadata"]["uid"] for each in pods}


def test_grow_the_volume(release: Release, run_id: str, synthesized: Path) -> None:
    patch, renew = commands("`BitnamiPostgres`: grow its volume")
    [template] = release.namespace.get("statefulset", "postgres")["spec"]["volumeClaimTemplates"]
    before = databases(release)
    release.manifest = with_old_password(release, synthesized)
    with pytest.raises(Failed, match="updates to statefulset spec for fields other than"):
        release.apply()
    claim = release.namespace.get("pvc", "data-postgres-0")
    storage_class = release.namespace.get("storageclass", claim["spec"]["storageClassName"])
    if storage_class.get("allowVolumeExpansion"):
        execute(release, patch)
    else:
        with pytest.raises(Failed, match="must support resize"):
            execute(release, patch)
    with Watch(release.namespace, "day-two, StatefulSets made anew", log_metric=4) as watch:
        execute(release, renew)
        release.wait_for_rollout()
    assert watch.seen["log-metric"]["failed"] == 0
    assert databases(release) == before
    for name in ("postgres", "postgres-read"):
        [grown] = release.namespace.get("statefulset", name)["spec"]["volumeClaimTemplates"]
        assert grown["spec"]["resources"] != template["spec"]["resources"]
        if storage_class.get("allowVolumeExpansion"):
            claim = release.namespace.get("pvc", f"data-{name}-0")
            assert claim["spec"]["resources"] == grown["spec"]["resources"]
    assert release.namespace.kubectl("diff", "-f", "-", stdin=release.manifest) == ""
    release.client("read", run_id, "http://mlflow:5000")


def with_old_password(release: Release, synthesized: Path) -> str:
    """The larger volumes, and nothing else changed."""
    [size] = {
        each["spec"]["volumeClaimTemplates"][0]["spec"]["resources"]["requests"]["storage"]
        for each in release.namespace.get("statefulsets")["items"]
    }
    return release.manifest.replace(f"storage: {size}\n", "storage: 10Gi\n")


def test_change_a_password_in_the_app(release: Release, run_id: str, synthesized: Path) -> None:
    in_database, in_app, _ = commands("`BitnamiPostgres`: change a password")
    before = databases(release)
    change(release, synthesized)
    with Watch(release.namespace, "day-two, password in the app", log_metric=4, search=1) as watch:
        execute(release, in_database, f"{OLD}\n{NEW}\n{NEW}\n")
        execute(release, in_app)
        release.wait_until_settled()
    assert databases(release) == before
    works_with(release, NEW, OLD)
    check(watch)
    release.client("read", run_id, "http://mlflow:5000")


def test_change_a_password_in_a_secret(release: Release, run_id: str) -> None:
    in_database, _, in_secret = commands("`BitnamiPostgres`: change a password")
    with Watch(release.namespace, "day-two, password in a Secret", log_metric=4, search=1) as watch:
        execute(release, in_database, f"{NEW}\n{NEWEST}\n{NEWEST}\n")
        execute(release, in_secret)
        release.wait_until_settled()
    works_with(release, NEWEST, NEW)
    check(watch)
    release.client("read", run_id, "http://mlflow:5000")


def works_with(release: Release, password: str, old: str) -> None:
    assert psql(release, password, "mlflow", "SELECT 1") == "1"
    with pytest.raises(Failed, match="password authentication failed"):
        psql(release, old, "mlflow", "SELECT 1")
    # The read replicas' role does so, too, where the image makes it.
    if psql(release, password, "mlflow", "SELECT count(*) FROM pg_roles WHERE rolname = 'repl_user'") == "1":
        assert psql(release, OLD, "repl_user", "SELECT 1") == "1"


def check(watch: Watch) -> None:
    assert watch.seen["missing"] == 0
    print(json.dumps(watch.seen))
    assert all(watch.seen[each]["failing"] < LONGEST_FAILING for each in ("log-metric", "search"))


def test_starts_again_with_what_was_changed(release: Release, run_id: str) -> None:
    """The Secret is no longer what the volume was made with."""
    release.namespace.kubectl("delete", "pod", "postgres-0")
    release.wait_for_rollout()
    release.wait_until_settled()
    works_with(release, NEWEST, NEW)
    release.client("read", run_id, "http://mlflow:5000")
