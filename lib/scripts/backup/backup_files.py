"""A dump and its manifest: what it holds, and what proves that it is whole.

The manifest is written last. A dump without one was never finished, and is none.
"""

from __future__ import annotations

import hashlib
import json
import re
from datetime import datetime, timezone
from typing import BinaryIO, NamedTuple

from backup_location import Location

FORMAT = "cdk8s-mlflow/backup-1"
DUMP, MANIFEST = ".dump", ".json"
TIME, NAME_TIME = "%Y-%m-%dT%H:%M:%SZ", "%Y%m%dT%H%M%SZ"
# The name of the backup, when it was made (UTC), and the end of the pod's name, so that two at once differ.
NAME = re.compile(r"(?P<backup>[a-z0-9][-a-z0-9]*)-(?P<time>\d{8}T\d{6}Z)-[a-z0-9]+")
CHUNK = 1 << 20


class Damaged(Exception):
    """The text says in what way."""


class Manifest(NamedTuple):
    name: str  # without extension
    backup: str
    created: datetime
    database: str
    revision: str | None  # of MLflow's schema
    server: str
    client: str
    bytes: int
    sha256: str
    rows: dict[str, int]

    @property
    def dump(self) -> str:
        return self.name + DUMP

    def to_json(self) -> str:
        fields = {"format": FORMAT, **self._asdict(), "created": self.created.strftime(TIME)}
        return json.dumps(fields, indent=1) + "\n"


def new_name(backup: str, created: datetime, host: str) -> str:
    name = f"{backup}-{created:{NAME_TIME}}-{host.rpartition('-')[2]}"
    if not NAME.fullmatch(name):
        raise ValueError(f"{name!r} is no name of a dump")
    return name


def time_from(text: str) -> datetime:
    return datetime.strptime(text, TIME).replace(tzinfo=timezone.utc)


def manifest_from(name: str, text: str) -> Manifest:
    """ValueError if this is none of ours."""
    try:
        fields = json.loads(text)
        if fields.pop("format") != FORMAT:
            raise ValueError("another format")
        manifest = Manifest(**{**fields, "created": time_from(fields["created"])})
        match = NAME.fullmatch(name)
        if manifest.name != name or match is None or match["backup"] != manifest.backup:
            raise ValueError(f"it is about {manifest.name!r}")
        return manifest
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{name}{MANIFEST} is no manifest of a dump: {error}") from error


class Inventory(NamedTuple):
    """What is in a location: whole dumps, oldest first, those cut short, names of those never finished."""

    whole: list[Manifest]
    cut: list[Manifest]
    unfinished: list[str]


def read_inventory(location: Location) -> Inventory:
    """By size, which costs nothing. What is about to be restored is read to its end besides."""
    sizes = location.sizes()
    names = [file[: -len(MANIFEST)] for file in sizes if file.endswith(MANIFEST)]
    found = []
    for name in filter(NAME.fullmatch, names):
        try:
            with location.open(name + MANIFEST) as file:
                found.append(manifest_from(name, file.read().decode()))
        except (ValueError, FileNotFoundError) as error:  # not ours, or deleted by another pod just now
            print(f"ignored: {error}", flush=True)
    found.sort(key=lambda each: (each.created, each.name))
    whole = [each for each in found if sizes.get(each.dump) == each.bytes]
    cut = [each for each in found if each not in whole]
    dumps = [file[: -len(DUMP)] for file in sizes if file.endswith(DUMP)]
    return Inventory(whole, cut, sorted(set(filter(NAME.fullmatch, dumps)) - set(names)))


def check_whole(file: BinaryIO, manifest: Manifest) -> None:
    read, digest = digest_of(file)
    if read != manifest.bytes:
        raise Damaged(f"{manifest.dump} has {read} bytes instead of {manifest.bytes}")
    if digest != manifest.sha256:
        raise Damaged(f"{manifest.dump} has the digest {digest} instead of {manifest.sha256}")


def digest_of(file: BinaryIO) -> tuple[int, str]:
    read, digest = 0, hashlib.sha256()
    while chunk := file.read(CHUNK):
        read += len(chunk)
        digest.update(chunk)
    return read, digest.hexdigest()


def in_words(manifest: Manifest) -> str:
    revision = f"schema revision {manifest.revision}" if manifest.revision else "without MLflow's schema"
    made = f"made {manifest.created:%Y-%m-%d %H:%M:%S} UTC"
    return f"{manifest.dump} ({made} of {manifest.database}, PostgreSQL {manifest.server}, {revision})"


def size_in_words(amount: float) -> str:
    for unit in ("B", "kB", "MB", "GB"):
        if amount < 1000:
            return f"{amount:.0f} B" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= 1000
    return f"{amount:.1f} TB"
