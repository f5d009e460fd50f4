"""Writes one file with the CAs of the image, of Python's clients and of further files, each once."""

import re
import ssl
import sys
from pathlib import Path

CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", re.DOTALL)
SYSTEM = "/etc/ssl/certs/ca-certificates.crt"


def bundle(*files: str | None) -> str:
    """Returns the certificates of the files that exist."""
    paths = [Path(file) for file in files if file]
    texts = [path.read_text(errors="replace") for path in paths if path.is_file()]
    certificates = dict.fromkeys(found for text in texts for found in CERTIFICATE.findall(text))
    return "\n".join([*certificates, ""])


def known_files() -> list[str | None]:
    """Returns the files of CAs that a Python of this image uses by itself."""
    try:
        import certifi
    except ImportError:
        return [ssl.get_default_verify_paths().cafile, SYSTEM]
    return [ssl.get_default_verify_paths().cafile, SYSTEM, certifi.where()]


if __name__ == "__main__":
    *own, target = sys.argv[1:]
    for file in own:
        if not CERTIFICATE.search(Path(file).read_text(errors="replace")):
            sys.exit(f"{file} has no certificate in PEM: see `trustedCa` of ClusterSettings")
    Path(target).write_text(bundle(*known_files(), *own))
