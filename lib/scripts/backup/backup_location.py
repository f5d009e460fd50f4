"""Where dumps are kept: a folder of a volume, or a bucket that speaks S3.

Environment of a bucket, besides the SDK's own: what MLflow itself reads:
  MLFLOW_S3_ENDPOINT_URL, MLFLOW_BOTO_CLIENT_ADDRESSING_STYLE, MLFLOW_S3_IGNORE_TLS,
  MLFLOW_S3_UPLOAD_EXTRA_ARGS
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, BinaryIO, Protocol
from urllib.parse import urlsplit

from init_container import BadSetting, one_line


class Location(Protocol):
    def sizes(self) -> dict[str, int]:
        """Names and bytes of the files."""

    def take(self, source: Path, name: str) -> None:
        """Makes a file of this name out of one that is finished. A name is new: nothing is ever replaced."""

    def write(self, name: str, text: str) -> None:
        """A small file, which is whole as soon as it is seen."""

    def open(self, name: str) -> BinaryIO: ...

    def delete(self, name: str) -> None: ...


def location_at(place: str) -> Location:
    if place.startswith("s3://"):
        url = urlsplit(place)
        return BucketLocation(url.netloc, url.path.strip("/"))
    if place.startswith("/"):
        return FolderLocation(Path(place))
    raise BadSetting(f"BACKUP_LOCATION must be a folder or s3://bucket/prefix, got {place!r}")


class FolderLocation:
    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def sizes(self) -> dict[str, int]:
        return {path.name: path.stat().st_size for path in self._folder.iterdir() if path.is_file()}

    def take(self, source: Path, name: str) -> None:
        """On the volume already, so that renaming is all: at once, and without room for a second copy."""
        with source.open("rb") as file:
            os.fsync(file.fileno())
        source.rename(self._folder / name)
        self._sync()

    def write(self, name: str, text: str) -> None:
        draft = self._folder / f".{name}"
        with draft.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        draft.rename(self._folder / name)
        self._sync()

    def open(self, name: str) -> BinaryIO:
        return (self._folder / name).open("rb")

    def delete(self, name: str) -> None:
        (self._folder / name).unlink(missing_ok=True)

    def path_of(self, name: str) -> Path:
        return self._folder / name

    def _sync(self) -> None:
        """A name, too, has to outlive a crash of the node."""
        descriptor = os.open(self._folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


class BucketLocation:
    """An object appears when its upload is complete, so that no object is half a file."""

    def __init__(self, bucket: str, prefix: str) -> None:
        import boto3
        from botocore.config import Config

        style = os.environ.get("MLFLOW_BOTO_CLIENT_ADDRESSING_STYLE", "auto")
        ignore_tls = os.environ.get("MLFLOW_S3_IGNORE_TLS", "").lower() == "true"
        self._bucket, self._prefix = bucket, f"{prefix}/" if prefix else ""
        self._extra = json.loads(os.environ.get("MLFLOW_S3_UPLOAD_EXTRA_ARGS") or "{}")
        self._client: Any = boto3.client(
            "s3",
            endpoint_url=os.environ.get("MLFLOW_S3_ENDPOINT_URL") or None,
            verify=False if ignore_tls else None,
            config=Config(
                s3={"addressing_style": style},
                connect_timeout=10,
                retries={"mode": "standard", "max_attempts": 5},
            ),
        )

    def sizes(self) -> dict[str, int]:
        pages = self._client.get_paginator("list_objects_v2").paginate(
            Bucket=self._bucket, Prefix=self._prefix, Delimiter="/"
        )
        found = [each for page in pages for each in page.get("Contents", [])]
        return {each["Key"][len(self._prefix) :]: each["Size"] for each in found}

    def take(self, source: Path, name: str) -> None:
        self._client.upload_file(str(source), self._bucket, self._prefix + name, ExtraArgs=self._extra)

    def write(self, name: str, text: str) -> None:
        self._client.put_object(
            Bucket=self._bucket, Key=self._prefix + name, Body=text.encode(), **self._extra
        )

    def open(self, name: str) -> BinaryIO:
        return self._client.get_object(Bucket=self._bucket, Key=self._prefix + name)["Body"]

    def delete(self, name: str) -> None:
        self._client.delete_object(Bucket=self._bucket, Key=self._prefix + name)


_BY_CODE = {
    "AccessDenied": "access-denied: {saw}. Let these credentials list, read, write and delete in the bucket",
    "InvalidAccessKeyId": "wrong-credentials: {saw}. Check the secret that the access key comes from",
    "SignatureDoesNotMatch": "wrong-credentials: {saw}. Check the secret that the access key comes from",
    "ExpiredToken": "wrong-credentials: {saw}. The session is over",
    "NoSuchBucket": "no-bucket: {saw}. Create the bucket, or correct its name, region or endpoint",
}
_BY_NAME = {
    "NoCredentialsError": "no-credentials: {saw}. Give the pod a secret, or its ServiceAccount a role",
    "NoRegionError": "bad-settings: {saw}. Name the region of the bucket",
    "EndpointConnectionError": "unreachable: {saw}. Check the endpoint, network policies and DNS",
    "ConnectTimeoutError": "unreachable: {saw}. Check the endpoint, network policies and DNS",
    "SSLError": "tls-untrusted: {saw}. Give the CA that signed the endpoint's certificate",
}


def explain_location(error: Exception) -> str:
    """One line about what went wrong with a location or around it."""
    saw = one_line(str(error)).rstrip(".") or type(error).__name__
    if isinstance(error, BadSetting):
        return f"bad-settings: {saw}"
    if isinstance(error, ModuleNotFoundError):
        return f"bad-image: {saw}. Use an image with boto3: ghcr.io/mlflow/mlflow:vX.Y.Z-full"
    code = getattr(error, "response", {}).get("Error", {}).get("Code")
    # boto3's transfers wrap the error of the client, with its code in the text alone.
    code = code or next((each for each in _BY_CODE if f"({each})" in saw), "")
    text = _BY_CODE.get(code) or _BY_NAME.get(type(error).__name__)
    if text:
        return text.format(saw=saw)
    if isinstance(error, OSError) and error.errno is not None:
        if os.strerror(error.errno) in ("No space left on device", "Disk quota exceeded", "File too large"):
            return f"disk-full: {saw}. Enlarge the volume, or keep fewer dumps"
        return f"volume: {saw}. Check the volume, and that its files belong to the group of this pod"
    return f"failed: {type(error).__name__}: {saw}"
