"""Artifacts in a bucket: through the server, and straight from the clients."""

from __future__ import annotations

import os
from pathlib import Path

import mlflow.version
import pytest
import synthesis
from kubelet.kubernetes import Namespace
from object_store import CREDENTIALS, PORT, ObjectStore
from packaging.version import Version
from postgres import Postgres
from tracking import client_of, log_everything, request

BUCKET = "models"
# Servers of 3.15 to 3.17 offer signed URLs to every client.
HAS_CHOICE = Version(mlflow.version.VERSION) >= Version("3.18")


def test_through_the_server(
    namespace: Namespace,
    postgres: Postgres,
    store: ObjectStore,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    s3 = {"endpoint": f"http://minio:{PORT}"}
    if HAS_CHOICE:
        s3["transfers"] = "throughServer"
    else:
        monkeypatch.setenv("MLFLOW_ENABLE_PROXY_MULTIPART_DOWNLOAD", "false")
    namespace.apply(synthesis.server(replicas=2, s3=s3))
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
    """In parts, by URLs that the server signs, as it tells the client: the bytes never pass it."""
    mebibyte = 1024**2
    for name, value in {
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


@pytest.mark.skipif(not HAS_CHOICE, reason="needs MLflow 3.18 for --artifacts-presigned-only")
def test_no_file_passes_a_server_that_only_signs(
    namespace: Namespace, postgres: Postgres, store: ObjectStore, tmp_path: Path
) -> None:
    """Small files, too, and whoever asks for one without a signed URL is refused."""
    s3 = {"endpoint": f"http://{store.address}:{PORT}", "transfers": "signedUrlsOnly"}
    namespace.apply(synthesis.server(s3=s3))
    [pod] = namespace.deployment()
    client = client_of(pod.wait_ready())
    logged = log_everything(client, "signed", tmp_path)
    [key] = [key for key in store.keys(BUCKET) if key.endswith("signed.txt")]
    file = f"{logged.experiment_id}/{logged.run_id}/artifacts/notes/signed.txt"
    assert key == f"team/{file}"
    read = client.download_artifacts(logged.run_id, "notes/signed.txt", str(tmp_path / "read"))
    assert Path(read).read_text(encoding="utf-8") == "Grüße, 世界\n"
    log = pod.current_log()
    assert f"PUT /api/2.0/mlflow-artifacts/artifacts/{file}" not in log
    assert f"GET /api/2.0/mlflow-artifacts/artifacts/{file}" not in log
    assert request(pod, f"/api/2.0/mlflow-artifacts/artifacts/{file}").status == 403


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
