from __future__ import annotations

import re
from pathlib import Path

import backup_location as script
import database_lock
import pytest
from init_container import BadSetting

SCRIPTS = Path(script.__file__).parent


class ClientError(Exception):
    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.response = {"Error": {"Code": code}}


class EndpointConnectionError(Exception):
    pass


class S3UploadFailedError(Exception):
    pass


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (
            ClientError("AccessDenied", "no\n way."),
            "access-denied: no way. Let these credentials list, read, write and delete in the bucket",
        ),
        (
            S3UploadFailedError("An error occurred (NoSuchBucket) when calling PutObject"),
            "no-bucket: An error occurred (NoSuchBucket) when calling PutObject."
            " Create the bucket, or correct its name, region or endpoint",
        ),
        (
            EndpointConnectionError("Could not connect"),
            "unreachable: Could not connect. Check the endpoint, network policies and DNS",
        ),
        (BadSetting("X must be set"), "bad-settings: X must be set"),
        (
            ModuleNotFoundError("No module named 'boto3'"),
            "bad-image: No module named 'boto3'. Use an image with boto3: ghcr.io/mlflow/mlflow:vX.Y.Z-full",
        ),
        (ClientError("SlowDown", "later"), "failed: ClientError: later"),
        (RuntimeError(""), "failed: RuntimeError: RuntimeError"),
    ],
)
def test_explains(error: Exception, line: str) -> None:
    assert script.explain_location(error) == line


def test_a_folder(tmp_path: Path) -> None:
    (tmp_path / "volume").mkdir()
    location = script.location_at(str(tmp_path / "volume"))
    (tmp_path / "volume" / "draft").write_bytes(b"dump")
    location.take(tmp_path / "volume" / "draft", "a.dump")
    location.write("a.json", "text")
    (tmp_path / "volume" / ".partial-x").mkdir()
    assert location.sizes() == {"a.dump": 4, "a.json": 4}
    with location.open("a.dump") as file:
        assert file.read() == b"dump"
    for _ in range(2):  # another pod may have been faster
        location.delete("a.dump")
    assert location.sizes() == {"a.json": 4}


def test_a_dump_and_a_migration_know_one_lock() -> None:
    for name in ("dump_database.sql", "restore_begin.sql"):
        [key] = re.findall(r"pg_advisory_xact_lock(?:_shared)?\((\d+)\)", (SCRIPTS / name).read_text())
        assert int(key) == database_lock.SCHEMA_LOCK
