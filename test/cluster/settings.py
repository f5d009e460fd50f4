"""What a cluster may have to be told, as environment variables. README.md says when."""

from __future__ import annotations

import os

from repository import image

MLFLOW_IN_EXAMPLES = image("mlflow")
BITNAMI_IN_EXAMPLES = image("bitnamiPostgres")

MLFLOW_IMAGE = os.environ.get("TEST_MLFLOW_IMAGE") or MLFLOW_IN_EXAMPLES
OLD_MLFLOW_IMAGE = os.environ.get("TEST_OLD_MLFLOW_IMAGE") or "ghcr.io/mlflow/mlflow:v3.15.1-full"
BITNAMI_IMAGE = os.environ.get("TEST_BITNAMI_IMAGE") or BITNAMI_IN_EXAMPLES
POSTGRES_IMAGE = os.environ.get("TEST_POSTGRES_IMAGE") or "docker.io/library/postgres:16"
CLUSTER_DOMAIN = os.environ.get("TEST_CLUSTER_DOMAIN") or "cluster.local"
SHARED_ACCESS_MODE = os.environ.get("TEST_SHARED_ACCESS_MODE") or "ReadWriteMany"
MOST_CPU = int((os.environ.get("TEST_SERVER_CPU") or "500m").removesuffix("m"))
NETWORK_POLICIES_WORK = os.environ.get("TEST_NETWORK_POLICIES") != "off"
KEEP_NAMESPACES = os.environ.get("TEST_KEEP") == "true"
READY_SECONDS = float(os.environ.get("TEST_READY_SECONDS") or 600)
MAY_RESTART_CONTROLLERS = os.environ.get("TEST_RESTART_CONTROLLERS") == "true"
HAS_BOTH_MAJORS = os.environ.get("TEST_MAJOR_UPGRADE") == "true"
ARGO_CD_NAMESPACE = os.environ.get("TEST_ARGO_CD_NAMESPACE") or "argocd"
GIT_REPOSITORY = os.environ.get("TEST_GIT_REPOSITORY") or ""
FLUX_NAMESPACE = os.environ.get("TEST_FLUX_NAMESPACE") or "flux-system"
