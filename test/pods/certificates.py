"""A CA, a server's certificate for the names that the cases use, a client's, and a CA that signed neither."""

from __future__ import annotations

import subprocess
from pathlib import Path

# As the server of a certificate may be called: the names of the examples and of the cases.
SERVER_NAMES = ["database", "postgresql-instance1.cg034hpkmmjt.eu-central-1.rds.amazonaws.com"]
CERTIFIED_ROLE = "certified"


def make_certificates(folder: Path) -> None:
    folder.mkdir()
    for ca in ("ca", "other-ca"):
        _openssl(
            folder, "req", "-x509", *_new_key(ca), "-out", f"{ca}.crt", "-subj", f"/CN={ca}", "-days", "2"
        )
    _sign(folder, "server", SERVER_NAMES[0], ",".join(f"DNS:{name}" for name in SERVER_NAMES))
    _sign(folder, "mlflow", "mlflow", "DNS:mlflow")
    _sign(folder, "client", CERTIFIED_ROLE, f"DNS:{CERTIFIED_ROLE}")


def _sign(folder: Path, name: str, common_name: str, names: str) -> None:
    _openssl(folder, "req", *_new_key(name), "-out", f"{name}.csr", "-subj", f"/CN={common_name}")
    (folder / "extensions").write_text(f"subjectAltName={names}\n")
    request = ["x509", "-req", "-in", f"{name}.csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial"]
    _openssl(folder, *request, "-out", f"{name}.crt", "-days", "2", "-extfile", "extensions")


def _new_key(name: str) -> list[str]:
    return ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", f"{name}.key"]


def _openssl(folder: Path, *words: str) -> None:
    subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)
