"""The commands of docs/databases.md, as they are written: a password and a volume changed under clients."""

from __future__ import annotations

import re
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from cluster import Failed, Namespace
from release import Release
from repository import ROOT
from settings import READY_SECONDS
from waiting import eventually
from watch import FIGURES, Watch

from examples import Example, manifest_for

PAGE = (ROOT / "docs" / "databases.md").read_text()
FIRST, IN_APP, IN_SECRET = "mlflow_password", "another_password", "the new password"
DATABASES = "app.kubernetes.io/name=postgresql"


@pytest.fixture(scope="module")
def release(deploy) -> Iterator[Release]:
    with deploy(Example("day-two")) as release:
        yield release


@pytest.fixture(scope="module")
def run_id(release: Release) -> str:
    return release.log_run("http://mlflow:5000")


@pytest.fixture(scope="module")
def passwords() -> list[str]:
    """Those that were set, the newest last."""
    return [FIRST]


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
        here = here.replace("--timeout=5m", f"--timeout={READY_SECONDS:g}s")
        limit = READY_SECONDS + 10
        done = subprocess.run(here, shell=True, input=stdin, capture_output=True, text=True, timeout=limit)
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
    """The uid of each pod of PostgreSQL: another one is another pod."""
    pods = release.namespace.get("pods", "-l", DATABASES)["items"]
    return {each["metadata"]["name"]: each["metadata"]["uid"] for each in pods}


def test_grow_the_volume(release: Release, run_id: str) -> None:
    patch, renew = commands("`BitnamiPostgres`: grow its volume")
    before = databases(release)
    release.manifest = release.manifest.replace("storage: 8Gi\n", "storage: 10Gi\n")
    with pytest.raises(Failed, match="updates to statefulset spec for fields other than"):
        release.apply()
    name = release.namespace.get("pvc", "data-postgres-0")["spec"]["storageClassName"]
    storage_class = release.namespace.get("storageclass", name)
    can_grow = storage_class.get("allowVolumeExpansion", False)
    with Watch(release.namespace, "day-two, a larger volume", log_metric=4) as watch:
        if can_grow:
            execute(release, patch)
        else:
            with pytest.raises(Failed, match="must support resize"):
                execute(release, patch)
        execute(release, renew)
        release.wait_for_rollout()
    assert watch.seen["log-metric"]["failed"] == 0
    assert databases(release) == before
    for server in ("postgres", "postgres-read"):
        [template] = release.namespace.get("statefulset", server)["spec"]["volumeClaimTemplates"]
        assert template["spec"]["resources"]["requests"]["storage"] == "10Gi"
        if can_grow:
            claim = release.namespace.get("pvc", f"data-{server}-0")
            assert claim["spec"]["resources"] == template["spec"]["resources"]
    assert release.namespace.kubectl("diff", "-f", "-", stdin=release.manifest) == ""
    release.client("read", run_id, "http://mlflow:5000")
    if not can_grow or not is_csi(release.namespace, storage_class["provisioner"]):
        pytest.skip("this cluster's volumes do not grow: all but that was tested")
    for server in ("postgres", "postgres-read"):
        eventually(lambda server=server: capacity(release, server) == "10Gi", "the volume is larger", 300)


def is_csi(namespace: Namespace, provisioner: str) -> bool:
    return provisioner in {each["metadata"]["name"] for each in namespace.get("csidrivers")["items"]}


def capacity(release: Release, server: str) -> str:
    return str(release.namespace.get("pvc", f"data-{server}-0")["status"]["capacity"]["storage"])


def test_change_a_password_in_the_app(
    release: Release, run_id: str, passwords: list[str], synthesized: Path
) -> None:
    in_database, in_app, _ = commands("`BitnamiPostgres`: change a password")
    before = databases(release)
    release.manifest = manifest_for(release.example, synthesized / "after", release.namespace.name)
    change_password(release, [*passwords, IN_APP], in_database, in_app)
    passwords.append(IN_APP)
    assert databases(release) == before
    release.client("read", run_id, "http://mlflow:5000")


def test_change_a_password_in_a_secret(release: Release, run_id: str, passwords: list[str]) -> None:
    in_database, _, in_secret = commands("`BitnamiPostgres`: change a password")
    change_password(release, [*passwords, IN_SECRET], in_database, in_secret)
    passwords.append(IN_SECRET)
    release.client("read", run_id, "http://mlflow:5000")


def change_password(release: Release, passwords: list[str], in_database: list[str], then: list[str]) -> None:
    *_, old, new = passwords
    with Watch(release.namespace, f"day-two, password {len(passwords)}", log_metric=2, search=1) as watch:
        started = time.monotonic()
        execute(release, in_database, f"{old}\n{new}\n{new}\n")
        execute(release, then)
        release.wait_until_settled()
        took = time.monotonic() - started
    FIGURES.append(f"from the first command to the last new pod: {took:.1f} s")
    works_with(release, new, old)
    assert watch.seen["missing"] == 0
    # Whoever fails, fails no longer than the pods take.
    assert all(watch.seen[each]["failing"] < took for each in ("log-metric", "search"))


def works_with(release: Release, password: str, old: str) -> None:
    assert psql(release, password, "mlflow", "SELECT 1") == "1"
    with pytest.raises(Failed, match="password authentication failed"):
        psql(release, old, "mlflow", "SELECT 1")


def test_starts_again_with_what_was_changed(release: Release, run_id: str, passwords: list[str]) -> None:
    """The Secret is no longer what the volume was made with."""
    release.namespace.kubectl("delete", "pod", "postgres-0")
    release.wait_for_rollout()
    release.wait_until_settled()
    works_with(release, passwords[-1], passwords[-2])
    release.client("read", run_id, "http://mlflow:5000")
