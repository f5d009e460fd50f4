"""What a user changes in a release that runs: password, scripts; and a mistake, which has to be seen."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import stand_in
from release import Release, is_ready
from rolling import roll
from waiting import eventually

from examples import BY_NAME, manifest_for, synthesize

EXTERNAL = BY_NAME["external"]
NEW_PASSWORD = "p@ss/w:rd%&'\"$(PGUSER) \\é "
WRONG_PASSWORD = "not-the-password"
CHANGED = "external-scripts-changed"


@pytest.fixture(scope="module")
def release(deploy) -> Iterator[Release]:
    with deploy(EXTERNAL) as release:
        yield release


@pytest.fixture(scope="module")
def run_id(release: Release) -> str:
    return release.log_run("http://mlflow:5000")


def with_password(release: Release, password: str, directory: Path) -> str:
    synthesize(directory, MLFLOW_DATABASE_PASSWORD=password)
    return manifest_for(EXTERNAL, directory, release.namespace.name)


def test_changed_password_rolls(release: Release, run_id: str, tmp_path: Path) -> None:
    stand_in.sql(release.namespace, "ALTER USER mlflow_user WITH PASSWORD :'new';", new=NEW_PASSWORD)
    release.manifest = with_password(release, NEW_PASSWORD, tmp_path)
    release.apply()
    roll(release)
    release.client("read", run_id, "http://mlflow:5000")


def test_wrong_password_is_named_where_a_user_looks(release: Release, run_id: str, tmp_path: Path) -> None:
    right, release.manifest = release.manifest, with_password(release, WRONG_PASSWORD, tmp_path)
    release.apply()

    def described() -> str:
        text = release.namespace.kubectl("describe", "pods", "-l", "app.kubernetes.io/name=mlflow")
        return text if "wrong-password: " in text else ""

    text = eventually(described, "`kubectl describe pod` names the cause", 300)
    line = next(line for line in text.splitlines() if "wrong-password: " in line)
    print(line.strip())
    assert 'password authentication failed for user "mlflow_user"' in line
    assert WRONG_PASSWORD not in text

    release.manifest = right
    release.apply()
    roll(release)
    release.client("read", run_id, "http://mlflow:5000")


def test_changed_script_rolls(release: Release, run_id: str) -> None:
    """As a new version of the library does it: another text, and so another name of the ConfigMap."""
    release.manifest = re.sub(r"\bexternal-scripts-\w+", CHANGED, release.manifest)
    first_line = "  wait_for_database.py: |\n"
    release.manifest = release.manifest.replace(first_line, f"{first_line}    # changed\n")
    release.apply()
    roll(release)
    server = release.servers()[0]
    volumes = [pod["spec"]["volumes"] for pod in release.pods_of(server) if is_ready(pod)]
    names = [volume["configMap"]["name"] for volume in volumes[0] if "configMap" in volume]
    assert [each for each in names if "-scripts-" in each] == [CHANGED]
    release.client("read", run_id, "http://mlflow:5000")
