"""The files of an artifact store, by MLflow's own clients, and how one container offers its store to another.

Each store has a container of its own, with its own credentials, endpoint and CA: two logins of one provider
do not fit into one environment. Files go from one to the other through a folder that both mount.
"""

from __future__ import annotations

import hashlib
from multiprocessing.managers import BaseManager
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

# In the folder that both containers mount, and nobody else does.
SOCKET = "source.sock"
_KEY = b"artifacts"
_BLOCK = 1 << 20


class File(NamedTuple):
    path: str
    size: int


class Listing(NamedTuple):
    """What is directly in a folder."""

    files: list[File]
    folders: list[str]


class Fetched(NamedTuple):
    file: Path
    size: int
    digest: str


class ArtifactFiles:
    def __init__(self, uri: str) -> None:
        from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

        self._repository = get_artifact_repository(uri)

    def list(self, folder: str) -> Listing:
        infos = self._repository.list_artifacts(folder or None)
        files = [File(info.path, int(info.file_size or 0)) for info in infos if not info.is_dir]
        return Listing(files, [info.path for info in infos if info.is_dir])

    def fetch(self, path: str, folder: str) -> Fetched:
        """Downloads a file into an empty folder."""
        Path(folder).mkdir()
        file = Path(self._repository.download_artifacts(path, folder))
        digest = hashlib.sha256()
        with file.open("rb") as stream:
            while block := stream.read(_BLOCK):
                digest.update(block)
        return Fetched(file, file.stat().st_size, digest.hexdigest())

    def store(self, file: Path, path: str) -> None:
        folder = PurePosixPath(path).parent.as_posix()
        self._repository.log_artifact(str(file), None if folder == "." else folder)


class _Offer(BaseManager):
    pass


def offer(uri: str, exchange: Path) -> None:
    """Offers the store until the process ends."""
    (exchange / SOCKET).unlink(missing_ok=True)  # of one that was killed
    files = ArtifactFiles(uri)
    _Offer.register("files", lambda: files)
    address = exchange / SOCKET
    _Offer(str(address), _KEY).get_server().serve_forever()


def offered(exchange: Path) -> Any:
    """The store that another container offers: its methods are ArtifactFiles' own."""
    _Offer.register("files")
    manager = _Offer(str(exchange / SOCKET), _KEY)
    manager.connect()
    return manager.files()  # type: ignore[attr-defined]
