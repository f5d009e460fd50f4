"""CloudNativePG's backups to a bucket: a base backup, the archived log, and the way back to a moment."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from cluster import Failed, new_namespace
from controllers import require
from memory_store_pod import memory_store
from release import CLIENT, Release
from settings import MLFLOW_IMAGE
from test_cloud_native import on_one_node, server_of, sql, uids
from waiting import eventually
from watch import FIGURES

from examples import Example

BUCKET = "destinationPath: s3://your-bucket/postgres\n"
CLUSTERS = "clusters.postgresql.cnpg.io"


@pytest.fixture(scope="module")
def release(synthesized: Path) -> Iterator[Release]:
    require("CloudNativePG", f"crd/{CLUSTERS}")
    require("CloudNativePG's plugin barman-cloud", "crd/objectstores.barmancloud.cnpg.io")
    with new_namespace("backups") as namespace:
        namespace.create_pod(CLIENT, MLFLOW_IMAGE, 1001)
        namespace.create(*memory_store("s3", 9000))
        keys = ["--from-literal=ACCESS_KEY_ID=your_id", "--from-literal=ACCESS_SECRET_KEY=your_key"]
        namespace.kubectl("create", "secret", "generic", "backup-bucket", *keys)
        release = Release(Example("cloud-native-backups"), namespace, synthesized)
        release.manifest = for_this_store(release.manifest)
        release.start()
        yield release


def for_this_store(manifest: str) -> str:
    """On one node, and with a store that is not Amazon's."""
    return on_one_node(manifest).replace(BUCKET, f"{BUCKET}    endpointURL: http://s3:9000\n")


def test_a_backup_is_made_at_once(release: Release) -> None:
    namespace, started = release.namespace, time.monotonic()
    phases: list[str] = []

    def done() -> bool:
        phases[:] = [
            each.get("status", {}).get("phase", "")
            for each in namespace.get("backups.postgresql.cnpg.io")["items"]
        ]
        assert "failed" not in phases, namespace.kubectl("describe", "backups.postgresql.cnpg.io")
        return phases == ["completed"]

    eventually(done, lambda: f"one backup: {phases}", 600, pause=2)
    FIGURES.append(f"CloudNativePG, a base backup: {time.monotonic() - started:.0f} s after the server")
    [cluster] = namespace.get(CLUSTERS)["items"]
    conditions = {each["type"]: each["status"] for each in cluster["status"]["conditions"]}
    assert conditions["ContinuousArchiving"] == "True", conditions
    assert sql(release, "SELECT failed_count FROM pg_stat_archiver") == "0"


def test_the_way_back_to_a_moment(release: Release, synthesized: Path) -> None:
    namespace, url = release.namespace, "http://mlflow:5000"
    kept = release.log_run(url)
    moment = sql(release, "SELECT clock_timestamp()")
    time.sleep(2)
    lost = release.log_run(url)
    before = sql(release, "SELECT pg_walfile_name(pg_switch_wal())")
    archived = f"SELECT last_archived_wal >= '{before}' FROM pg_stat_archiver"
    eventually(lambda: sql(release, archived) == "t", "the log is in the bucket", 120)

    manifest = Release(Example("cloud-native-recovery"), namespace, synthesized).manifest
    target = rf"recovery:\n      recoveryTarget:\n        targetTime: '{moment}'\n"
    restored, changed = re.subn(r"recovery:\n", target, for_this_store(manifest))
    assert changed == 1
    old, started = uids(release), time.monotonic()
    namespace.kubectl("apply", "-f", "-", stdin=restored)

    def switched() -> bool:
        return old.isdisjoint(uids(release)) and release.settled(server_of(release))

    eventually(switched, lambda: namespace.kubectl("get", "pods,clusters.postgresql.cnpg.io"), 600, pause=2)
    FIGURES.append(f"CloudNativePG, from the bucket to a server: {time.monotonic() - started:.0f} s")
    release.client("read", kept, url)
    with pytest.raises(Failed, match="RESOURCE_DOES_NOT_EXIST"):
        release.client("read", lost, url)
    clusters = [each["metadata"]["name"] for each in namespace.get(CLUSTERS)["items"]]
    assert clusters == ["postgres", "postgres-restored"]
