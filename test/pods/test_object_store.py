"""Artifacts in a bucket: through the server, and straight from the clients."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import synthesis
from kubelet.kubernetes import Namespace
from object_store import CREDENTIALS, PORT, ObjectStore
from postgres import Postgres
from tracking import client_of, log_everything, request

BUCKET = "models"


def test_through_the_server(
    namespace: Namespace,
    postgres: Postgres,
    store: ObjectStore,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Otherwise the client asks the server for a signed URL, and downloads from the bucket itself.
    monkeypatch.setenv("MLFLOW_ENABLE_PROXY_MULTIPART_DOWNLOAD", "false")
    namespace.apply(synthesis.server(replicas=2, s3={"endpoint": f"http://minio:{PORT}"}))
    pods = namespace.deployment()
    writer, reader = (client_of(pod.wait_ready(300)) for pod in pods)
    logged = log_everything(writer, "proxied", tmp_path)
    assert reader.get_experiment("0").artifact_location == "mlflow-artifacts:/0"
    # The other pod has nothing of its own.
    path = reader.download_artifacts(logged.run_id, "notes/proxied.txt", str(tmp_path / "read"))
    assert Path(path).read_text(encoding="utf-8") == "Grüße, 世界\n"
    assert [key for key in store.keys(BUCKET) if key.endswith("proxied.txt")] == [
        f"team/{logged.experiment_id}/{logged.run_id}/artifacts/notes/proxied.txt"
    ]


def test_large_files_go_around_the_server(
    namespace: Namespace,
    postgres: Postgres,
    store: ObjectStore,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """In parts, by URLs that the server signs: the bytes never pass it."""
    mebibyte = 1024**2
    for name, value in {
        "MLFLOW_ENABLE_PROXY_MULTIPART_UPLOAD": "true",
        "MLFLOW_MULTIPART_UPLOAD_MINIMUM_FILE_SIZE": str(6 * mebibyte),
        "MLFLOW_MULTIPART_UPLOAD_CHUNK_SIZE": str(5 * mebibyte),
        "MLFLOW_MULTIPART_DOWNLOAD_MINIMUM_FILE_SIZE": str(6 * mebibyte),
        "MLFLOW_MULTIPART_DOWNLOAD_CHUNK_SIZE": str(5 * mebibyte),
    }.items():
        monkeypatch.setenv(name, value)
    # The URLs name the store as the server does.
    endpoint = f"http://{store.address}:{PORT}"
    namespace.apply(synthesis.server(s3={"endpoint": endpoint, "signedUrlLifetime": 77}))
    [pod] = namespace.deployment()
    client = client_of(pod.wait_ready())
    run = client.create_run("0").info.run_id
    large = tmp_path / "model.bin"
    large.write_bytes(os.urandom(12 * mebibyte))
    client.log_artifact(run, str(large))
    assert store.parts(BUCKET, f"team/0/{run}/artifacts/model.bin") == 3
    read = client.download_artifacts(run, "model.bin", str(tmp_path))
    assert Path(read).read_bytes() == large.read_bytes()
    log = pod.current_log()
    assert "mlflow-artifacts/mpu/complete" in log
    assert f"PUT /api/2.0/mlflow-artifacts/artifacts/0/{run}" not in log
    assert f"GET /api/2.0/mlflow-artifacts/artifacts/0/{run}" not in log
    answer = request(pod, f"/api/2.0/mlflow-artifacts/presigned/0/{run}/artifacts/model.bin")
    assert "X-Amz-Expires=77&" in answer.body


def test_straight_from_the_clients(
    namespace: Namespace,
    postgres: Postgres,
    store: ObjectStore,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in {**CREDENTIALS, "MLFLOW_S3_ENDPOINT_URL": f"http://{store.address}:{PORT}"}.items():
        monkeypatch.setenv(name, value)
    options = {"endpoint": f"http://minio:{PORT}", "direct": True}
    namespace.apply(synthesis.server(s3=options))
    [pod] = namespace.deployment()
    client = client_of(pod.wait_ready())
    logged = log_everything(client, "direct", tmp_path)
    assert client.get_experiment("0").artifact_location == f"s3://{BUCKET}/team/0"
    assert client.get_run(logged.run_id).info.artifact_uri.startswith(f"s3://{BUCKET}/team/")
    [key] = [key for key in store.keys(BUCKET) if key.endswith("direct.txt")]
    # Not an upload through the server, which would have been logged there.
    assert "mlflow-artifacts" not in pod.current_log()
    assert key == f"team/{logged.experiment_id}/{logged.run_id}/artifacts/notes/direct.txt"
