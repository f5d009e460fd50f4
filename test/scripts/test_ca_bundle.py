from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import certifi
import pytest

SCRIPT = Path(__file__).parents[2] / "lib/scripts/cluster/write_ca_bundle.py"
CA = "-----BEGIN CERTIFICATE-----\nT1dO\n-----END CERTIFICATE-----"


def write(own: str, folder: Path) -> subprocess.CompletedProcess[str]:
    (folder / "ca.crt").write_text(own)
    # As a pod runs it: the text of the script as an argument.
    command = [sys.executable, "-c", SCRIPT.read_text(), str(folder / "ca.crt"), str(folder / "bundle.crt")]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_known_and_own_cas_each_once(tmp_path: Path) -> None:
    known = Path(certifi.where()).read_text()
    assert write(f"# ours\n{CA}\n{CA}\n", tmp_path).returncode == 0
    bundle = (tmp_path / "bundle.crt").read_text()
    assert bundle.count(CA) == 1
    assert bundle.count("BEGIN CERTIFICATE") > known.count("BEGIN CERTIFICATE") / 2
    first = known[known.index("-----BEGIN") : known.index("-----END CERTIFICATE-----")]
    assert bundle.count(first) == 1


def test_known_cas_alone(tmp_path: Path) -> None:
    target = tmp_path / "bundle.crt"
    subprocess.run([sys.executable, "-c", SCRIPT.read_text(), str(target)], check=True)
    assert target.read_text().count("BEGIN CERTIFICATE") > 50


@pytest.mark.parametrize("text", ["", "not PEM"])
def test_a_file_without_a_certificate(text: str, tmp_path: Path) -> None:
    result = write(text, tmp_path)
    assert result.returncode == 1
    own = tmp_path / "ca.crt"
    assert result.stderr == f"{own} has no certificate in PEM: see `trustedCa` of ClusterSettings\n"
    assert not (tmp_path / "bundle.crt").exists()
