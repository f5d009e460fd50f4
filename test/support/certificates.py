"""Certificates by openssl: `make_ca` and `sign` write `<name>.key` and `<name>.crt` into a folder."""

from __future__ import annotations

import subprocess
from pathlib import Path

_DAYS = ["-days", "30"]


def make_ca(folder: Path, name: str = "ca") -> None:
    subject = ["-subj", f"/CN={name}"]
    _openssl(folder, "req", "-x509", *_new_key(name), "-out", f"{name}.crt", *subject, *_DAYS)


def sign(folder: Path, name: str, common_name: str, *host_names: str) -> None:
    """A certificate by the CA `ca` of the folder, for these host names and IPv4 addresses."""
    _openssl(folder, "req", *_new_key(name), "-out", f"{name}.csr", "-subj", f"/CN={common_name}")
    kinds = [("DNS" if each[-1].isalpha() else "IP", each) for each in host_names]
    names = ",".join(f"{kind}:{each}" for kind, each in kinds)
    (folder / "extensions").write_text(f"subjectAltName={names}\n")
    request = ["x509", "-req", "-in", f"{name}.csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial"]
    _openssl(folder, *request, "-out", f"{name}.crt", *_DAYS, "-extfile", "extensions")


def _new_key(name: str) -> list[str]:
    return ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", f"{name}.key"]


def _openssl(folder: Path, *words: str) -> None:
    subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)
