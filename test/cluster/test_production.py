"""The example `production` as a whole, with the operators and controllers that it names."""

from __future__ import annotations

import base64
import json
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from cluster import Namespace, new_namespace, restricted_pod, run
from controllers import require
from memory_store_pod import memory_store
from prometheus import query, require_prometheus, targets
from release import CLIENT, Release, is_ready
from settings import MLFLOW_IMAGE
from test_cert_manager import issuers, renew
from test_traefik import traefik
from waiting import eventually
from watch import FIGURES, Watch

from examples import ADMINISTRATOR, ADMINISTRATOR_PASSWORD, Example

EXAMPLE = Example("production", auth_secret="mlflow-auth", namespace="mlflow-production")
HOST = "mlflow.example.com"
URL = f"https://{HOST}"
CA = "/tmp/ca.crt"
LOGIN = [f"MLFLOW_TRACKING_USERNAME={ADMINISTRATOR}", f"MLFLOW_TRACKING_PASSWORD={ADMINISTRATOR_PASSWORD}"]


@pytest.fixture(scope="module", autouse=True)
def installed() -> None:
    require("CloudNativePG", "crd/clusters.postgresql.cnpg.io")
    require("cert-manager", "crd/certificates.cert-manager.io")
    require("metrics-server", "apiservice/v1beta1.metrics.k8s.io")
    require("Traefik", "crd/serverstransports.traefik.io", "ingressclass/traefik")
    require_prometheus()


@pytest.fixture(scope="module")
def release(installed: None, synthesized: Path) -> Iterator[Release]:
    with new_namespace("production") as namespace:
        provide(namespace)
        release = Release(EXAMPLE, namespace, synthesized)
        release.manifest = for_this_cluster(release.manifest)
        release.start()
        FIGURES.append(f"production, from apply to ready: {release.seconds_to_ready:.0f} s")
        trust(namespace)
        yield release


def for_this_cluster(manifest: str) -> str:
    """Names that stand for what a user has: issuers, and a store of objects."""
    manifest = manifest.replace("kind: ClusterIssuer\n    name: your-own-ca", "kind: Issuer\n    name: ca")
    manifest = manifest.replace(
        "cert-manager.io/cluster-issuer: your-public-issuer", "cert-manager.io/issuer: ca"
    )
    manifest = manifest.replace("https://s3.example.com", "http://s3:443")
    # Three servers of PostgreSQL on one node.
    return re.sub(r"cpu: 250m\n", "cpu: 50m\n", manifest)


def provide(namespace: Namespace) -> None:
    """What docs/production.md asks for, and a client as outside of the cluster."""
    namespace.create(*issuers(), *memory_store("s3", 443))
    keys = [f"--from-literal={name}=of-32-characters-or-more-{name}" for name in ("flask-key", "passphrase")]
    secrets = {
        "mlflow-auth": [f"--from-literal=admin-password={ADMINISTRATOR_PASSWORD}", *keys],
        "mlflow-bucket": ["--from-literal=AWS_ACCESS_KEY_ID=id", "--from-literal=AWS_SECRET_ACCESS_KEY=key"],
        "mlflow-scraper": [
            f"--from-literal=username={ADMINISTRATOR}",
            f"--from-literal=password={ADMINISTRATOR_PASSWORD}",
        ],
    }
    for name, data in secrets.items():
        namespace.kubectl("create", "secret", "generic", name, *data)
    container = {
        "name": "main",
        "image": MLFLOW_IMAGE,
        "command": ["sleep", "86400"],
        "env": [
            {"name": "HOME", "value": "/tmp"},
            {"name": "MLFLOW_TRACKING_SERVER_CERT_PATH", "value": CA},
        ],
        "resources": {"requests": {"cpu": "10m", "memory": "64Mi"}},
    }
    pod = restricted_pod(CLIENT, container, 1001)
    pod["spec"]["hostAliases"] = [{"ip": traefik()["spec"]["clusterIP"], "hostnames": [HOST]}]
    namespace.create(pod)
    namespace.kubectl("wait", "--for=condition=Ready", f"pod/{CLIENT}", "--timeout=600s", seconds=610)


def trust(namespace: Namespace) -> None:
    """The CA that signed the certificate for the host, for the client."""
    eventually(
        lambda: "mlflow-public-tls" in namespace.kubectl("get", "secrets"), "the certificate of the host"
    )
    ca = base64.b64decode(namespace.get("secret", "mlflow-public-tls")["data"]["ca.crt"]).decode()
    namespace.kubectl("exec", "-i", CLIENT, "--", "sh", "-c", f"cat > {CA}", stdin=ca)


def run_of(namespace: Namespace, cron_job: str) -> None:
    """A run of a CronJob now, as `kubectl create job --from` makes it."""
    name = f"{cron_job}-now"
    namespace.kubectl("create", "job", name, f"--from=cronjob/{cron_job}")
    namespace.kubectl("wait", "--for=condition=Complete", f"job/{name}", "--timeout=300s", seconds=310)


def test_a_client_outside(release: Release) -> None:
    eventually(lambda: "OK" in health(release), "Traefik leads to the server", 120, pause=2)
    run_id = release.log_run(URL)
    assert "read through" in release.client("read", run_id, URL)


def health(release: Release) -> str:
    program = (
        "import ssl, urllib.request as r; context = ssl.create_default_context(cafile='/tmp/ca.crt')\n"
        f"try: print(r.urlopen('{URL}/health', context=context, timeout=20).read())\n"
        "except OSError as error: print('error', error)"
    )
    return release.namespace.kubectl("exec", CLIENT, "--", "python", "-c", program)


def test_nobody_without_a_login(release: Release) -> None:
    program = (
        "import ssl, urllib.request as r; context = ssl.create_default_context(cafile='/tmp/ca.crt')\n"
        f"try: r.urlopen('{URL}/api/2.0/mlflow/experiments/get?experiment_id=0', context=context)\n"
        "except OSError as error: print(error)"
    )
    assert "401" in release.namespace.kubectl("exec", CLIENT, "--", "python", "-c", program)


def test_prometheus_sees_all_of_it(release: Release) -> None:
    name = release.namespace.name

    def all_up() -> bool:
        found = targets(name)
        return len(found) == 5 and set(found.values()) == {"up"}

    # Two servers of MLflow, three of PostgreSQL.
    eventually(all_up, lambda: targets(name), 180, pause=3)
    assert query(f'mlflow_http_request_total{{namespace="{name}"}}')


def test_the_autoscaler_has_its_metric(release: Release) -> None:
    def active() -> bool:
        [scaler] = release.namespace.get("hpa")["items"]
        conditions = {each["type"]: each["status"] for each in scaler["status"].get("conditions", [])}
        return conditions.get("ScalingActive") == "True"

    eventually(active, lambda: release.namespace.kubectl("describe", "hpa"), 180, pause=3)


def serving(release: Release) -> set[str]:
    """The pods of the server that are ready. The autoscaler may add some."""
    return {pod["metadata"]["uid"] for pod in release.pods_of(release.servers()[0]) if is_ready(pod)}


@pytest.mark.parametrize("cron_job", ["mlflow-backup", "mlflow-gc"])
def test_operations(release: Release, cron_job: str) -> None:
    run_of(release.namespace, cron_job)


def test_the_primary_is_deleted(release: Release) -> None:
    """As a drain of its node does."""
    namespace = release.namespace

    def primary() -> str:
        return str(namespace.get("clusters.postgresql.cnpg.io", "postgres")["status"]["currentPrimary"])

    old, servers = primary(), serving(release)
    with Watch(
        namespace, "production, primary deleted", url=URL, ca=CA, login=LOGIN, log_metric=4, search=1
    ) as watch:
        started = time.monotonic()
        namespace.kubectl("delete", "pod", old, "--wait=false")
        eventually(lambda: primary() != old, "another primary", 180)
        FIGURES.append(f"another primary after {time.monotonic() - started:.1f} s")
        time.sleep(15)
    assert watch.seen["missing"] == 0
    assert watch.seen["log-metric"]["gap"] < 60
    assert servers <= serving(release)


def test_the_inner_certificate_is_renewed(release: Release) -> None:
    namespace = release.namespace
    with Watch(
        namespace, "production, certificate renewed", url=URL, ca=CA, login=LOGIN, log_metric=2
    ) as watch:
        renew(namespace, "mlflow-tls")
        time.sleep(90)  # until the kubelet has written it into the pods
    assert watch.seen["log-metric"]["failed"] == 0
    assert watch.seen["missing"] == 0


def test_second_apply_changes_nothing(release: Release) -> None:
    before = {pod["metadata"]["uid"] for pod in release.namespace.get("pods")["items"]}
    release.apply("--server-side", "--force-conflicts")
    release.apply("--server-side")
    assert release.namespace.kubectl("diff", "--server-side", "-f", "-", stdin=release.manifest) == ""
    time.sleep(10)
    assert {pod["metadata"]["uid"] for pod in release.namespace.get("pods")["items"]} == before


def test_removal_leaves_the_data(release: Release) -> None:
    release.remove()
    left = json.loads(
        run("kubectl", "get", "-n", release.namespace.name, "clusters.postgresql.cnpg.io,pvc", "-o", "json")
    )
    kinds = [each["kind"] for each in left["items"]]
    assert kinds.count("Cluster") == 1
    assert kinds.count("PersistentVolumeClaim") == 6
