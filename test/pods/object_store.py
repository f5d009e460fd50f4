"""A real S3-compatible server, on an address of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError
from waiting import eventually

PORT = 9000
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "minio-user", "AWS_SECRET_ACCESS_KEY": "minio/p@ss word"}


class ObjectStore:
    def __init__(self, address: str, log: Path, certificate: Path | None = None) -> None:
        """`certificate`: for HTTPS; its key lies beside it."""
        self.address = address
        command = [sys.executable, "-m", "moto.server", "--host", address, "--port", str(PORT)]
        if certificate:
            command += [
                "--ssl",
                "--ssl-cert",
                str(certificate),
                "--ssl-key",
                str(certificate.with_suffix(".key")),
            ]
        # The bucket is in the path, whatever name the store has.
        environment = {**os.environ, "S3_IGNORE_SUBDOMAIN_BUCKETNAME": "true"}
        self._process = subprocess.Popen(
            command, stdout=log.open("w"), stderr=subprocess.STDOUT, env=environment
        )
        self.client = boto3.client(
            "s3",
            endpoint_url=f"{'https' if certificate else 'http'}://{address}:{PORT}",
            verify=False if certificate else None,
            region_name="us-east-1",
            aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
        )

    def with_buckets(self, *names: str) -> ObjectStore:
        eventually(lambda: self._make(names[0]), "the store makes a bucket")
        for name in names[1:]:
            assert self._make(name)
        return self

    def _make(self, bucket: str) -> bool:
        with suppress(BotoCoreError):
            self.client.create_bucket(Bucket=bucket)
            return True
        return False

    def keys(self, bucket: str) -> list[str]:
        listed: dict[str, Any] = self.client.list_objects_v2(Bucket=bucket)
        return [each["Key"] for each in listed.get("Contents", [])]

    def contents(self, bucket: str) -> dict[str, bytes]:
        keys = self.keys(bucket)
        return {key: self.client.get_object(Bucket=bucket, Key=key)["Body"].read() for key in keys}

    def parts(self, bucket: str, key: str) -> int:
        """In how many parts an object was uploaded: its tag tells."""
        tag = self.client.head_object(Bucket=bucket, Key=key)["ETag"].strip('"')
        return int(tag.split("-")[1]) if "-" in tag else 1

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()
