"""A real S3-compatible server, on an address of its own."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import boto3

PORT = 9000
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "minio-user", "AWS_SECRET_ACCESS_KEY": "minio/p@ss word"}


class ObjectStore:
    def __init__(self, address: str, log: Path) -> None:
        self.address = address
        subprocess.run(["ip", "address", "add", f"{address}/32", "dev", "pods"], check=True)
        command = [sys.executable, "-m", "moto.server", "--host", address, "--port", str(PORT)]
        self._process = subprocess.Popen(command, stdout=log.open("w"), stderr=subprocess.STDOUT)
        self.client = boto3.client(
            "s3",
            endpoint_url=f"http://{address}:{PORT}",
            region_name="us-east-1",
            aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
        )

    def with_bucket(self, name: str) -> ObjectStore:
        deadline = time.monotonic() + 60
        while True:
            try:
                self.client.create_bucket(Bucket=name)
                return self
            except Exception:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.5)

    def keys(self, bucket: str) -> list[str]:
        listed: dict[str, Any] = self.client.list_objects_v2(Bucket=bucket)
        return [each["Key"] for each in listed.get("Contents", [])]

    def parts(self, bucket: str, key: str) -> int:
        """In how many parts an object was uploaded: its tag tells."""
        tag = self.client.head_object(Bucket=bucket, Key=key)["ETag"].strip('"')
        return int(tag.split("-")[1]) if "-" in tag else 1

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()
