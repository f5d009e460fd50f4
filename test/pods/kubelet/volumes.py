"""Volumes as folders of this machine, with the owners and modes that the kubelet gives them.

Kubernetes' own code: pkg/volume/util/atomic_writer.go, pkg/volume/volume_linux.go (SetVolumeOwnership),
pkg/volume/emptydir/empty_dir.go.
"""

from __future__ import annotations

import base64
import os
from pathlib import Path

from .fields import Fields, Unsupported

_READ_ONLY, _READ_WRITE, _ENTER = 0o440, 0o660, 0o110
_SET_GROUP = 0o2000


class Volume:
    def __init__(self, folder: Path, read_only: bool) -> None:
        self.folder, self.read_only = folder, read_only

    def path(self, sub_path: str) -> Path:
        """A sub-path that is missing is made with the mode of the volume, by root."""
        path = self.folder / sub_path
        if not path.exists():
            path.mkdir(parents=True)
            path.chmod(self.folder.stat().st_mode & 0o7777)
        return path


def empty_dir(fields: Fields, folder: Path, group: int | None) -> Volume:
    fields.only("medium", "Memory")  # a folder of the disk does not count as memory
    fields.ignore({"sizeLimit": "nothing is limited"})
    fields.done()
    _make_folder(folder, 0o777, group)
    return Volume(folder, False)


def claim(fields: Fields, claims: dict[str, Path], group: int | None) -> Volume:
    name = fields.require("claimName", str)
    read_only = fields.take("readOnly", bool, False)
    fields.done()
    if name not in claims:
        raise Unsupported(f"{fields.path}: there is no PersistentVolumeClaim {name}")
    if not claims[name].exists():
        _make_folder(claims[name], 0o755, group)
    return Volume(claims[name], read_only)


def files(fields: Fields, data: dict[str, bytes], folder: Path, group: int | None) -> Volume:
    """A ConfigMap or a Secret: read-only, owned by root and the group of the pod."""
    default_mode = fields.take("defaultMode", int, 0o644)
    items = [
        (item.require("key", str), item.require("path", str), item.take("mode", int, default_mode), item)
        for item in fields.children("items")
    ]
    fields.only("optional", False)
    fields.done()
    _make_folder(folder, 0o755, None)
    for key, path, mode, item in items or [(key, key, default_mode, None) for key in data]:
        if item is not None:
            item.done()
        if key not in data:
            raise Unsupported(f"{fields.path}: there is no key {key}")
        _write(folder / path, data[key], mode, group)
    return Volume(folder, True)


def projected(data: dict[str, bytes], folder: Path, group: int | None) -> Volume:
    """Files from several sources: read-only, for everybody in the pod."""
    _make_folder(folder, 0o755, None)
    for path, content in data.items():
        _write(folder / path, content, 0o644, group)
    return Volume(folder, True)


def object_data(document: dict) -> dict[str, bytes]:
    """The files of a ConfigMap or a Secret; in a Secret `stringData` wins over `data`."""
    texts, binaries = document.get("data") or {}, document.get("binaryData") or {}
    if document["kind"] == "Secret":
        texts, binaries = document.get("stringData") or {}, texts
    decoded = {key: base64.b64decode(value) for key, value in binaries.items()}
    for key, value in texts.items():
        if not isinstance(value, str):
            owner = f"{document['kind']} {document['metadata']['name']}"
            raise Unsupported(f"{owner}: {key} is no string: {value!r}")
    return {**decoded, **{key: value.encode() for key, value in texts.items()}}


def _make_folder(folder: Path, mode: int, group: int | None) -> None:
    folder.mkdir(parents=True)
    if group is not None:
        os.chown(folder, 0, group)
        mode |= _READ_WRITE | _ENTER | _SET_GROUP
    folder.chmod(mode)


def _write(path: Path, content: bytes, mode: int, group: int | None) -> None:
    path.write_bytes(content)
    if group is not None:
        os.chown(path, 0, group)
        mode |= _READ_ONLY
    path.chmod(mode)
