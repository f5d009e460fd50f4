"""What OpenShift asks of pods: its `restricted-v2` as an admission policy, and a user that no image knows.

It is no OpenShift: openshift/restricted-v2.yaml says the same rules in Kubernetes' own words.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from cluster import Failed, Namespace, new_namespace, restricted_pod, run
from release import CLIENT, Release, is_ready
from settings import MLFLOW_IMAGE
from test_operations import finished
from waiting import eventually

from examples import Example

POLICY = (Path(__file__).parent / "openshift" / "restricted-v2.yaml").read_text()
LABEL = "cdk8s-mlflow-test-openshift=true"
USER = 1000680000
WORKLOADS = re.compile(r"^kind: (Pod|Deployment|StatefulSet|DaemonSet|ReplicaSet|Job|CronJob)$", re.MULTILINE)
NAMESPACE = re.compile(r"^  namespace: .*\n", re.MULTILINE)
PRIVILEGED: dict[str, Any] = {"privileged": True, "allowPrivilegeEscalation": True}
# What is changed in a pod that is let in, and what the policy says of it.
REFUSED: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "a user of its own": ({"securityContext": {"runAsUser": 1001}}, {}, "runAsUser has to be"),
    "a user of a container": ({}, {"runAsUser": 1001}, "runAsUser has to be"),
    "root": ({}, {"runAsUser": 0, "runAsNonRoot": False}, "runAsUser has to be"),
    "a group for files": ({"securityContext": {"fsGroup": 1001}}, {}, "fsGroup has to be"),
    "a group": ({"securityContext": {"runAsGroup": 1001}}, {}, "runAsGroup has to be"),
    "maybe root": ({"securityContext": {"runAsNonRoot": None}}, {}, "runAsNonRoot has to be"),
    "escalation": ({}, {"allowPrivilegeEscalation": None}, "allowPrivilegeEscalation has to be"),
    "privileged": ({}, PRIVILEGED, "allowPrivilegeEscalation has"),
    "capabilities": ({}, {"capabilities": {}}, "capabilities have to"),
    "a capability": ({}, {"capabilities": {"drop": ["ALL"], "add": ["CHOWN"]}}, "capabilities have to"),
    "no seccomp": ({"securityContext": {"seccompProfile": None}}, {}, "seccompProfile has to be"),
    "SELinux": ({"securityContext": {"seLinuxOptions": {"level": "s0"}}}, {}, "seLinuxOptions are"),
    "sysctls": (
        {"securityContext": {"sysctls": [{"name": "kernel.shm_rmid_forced", "value": "0"}]}},
        {},
        "sysctls",
    ),
    "the host's network": ({"hostNetwork": True}, {}, "ports of the host"),
    "a folder of the host": (
        {"volumes": [{"name": "host", "hostPath": {"path": "/tmp"}}]},
        {},
        "volumes of these",
    ),
}


@contextmanager
def policy(namespace: Namespace) -> Iterator[None]:
    """The policy in a namespace, which gets the range of users that OpenShift gives it."""
    run("kubectl", "annotate", "namespace", namespace.name, f"openshift.io/sa.scc.uid-range={USER}/10000")
    run("kubectl", "label", "namespace", namespace.name, LABEL)
    run("kubectl", "apply", "-f", "-", stdin=POLICY)
    try:
        eventually(lambda: not admitted(namespace, pod({"hostNetwork": True}, {})), "the policy is in force")
        yield
    finally:
        run("kubectl", "delete", "-f", "-", stdin=POLICY)


@pytest.fixture(scope="module")
def namespace() -> Iterator[Namespace]:
    # The restricted Pod Security Standard would refuse much of it first.
    with new_namespace("openshift", standard="privileged") as namespace, policy(namespace):
        yield namespace


def pod(of_pod: dict[str, Any], of_container: dict[str, Any]) -> str:
    made = restricted_pod("any", {"name": "main", "image": MLFLOW_IMAGE}, USER)
    spec = made["spec"]
    del spec["securityContext"]["runAsGroup"]
    spec["containers"][0]["securityContext"].update(of_container)
    security = {**spec["securityContext"], **of_pod.get("securityContext", {})}
    spec.update({**of_pod, "securityContext": security})
    return json.dumps(made)


def admitted(namespace: Namespace, manifest: str) -> bool:
    try:
        namespace.kubectl("create", "--dry-run=server", "-f", "-", stdin=manifest)
    except Failed as error:
        if "restricted-v2" not in str(error):
            raise
        return False
    return True


def workloads(directory: Path) -> dict[str, str]:
    """The workloads of each example that has any, without a namespace of their own."""
    found = {}
    for path in sorted(directory.glob("*.k8s.yaml")):
        documents = [each for each in path.read_text().split("---\n") if WORKLOADS.search(each)]
        if documents:
            found[path.name.removesuffix(".k8s.yaml")] = NAMESPACE.sub("", "---\n".join(documents))
    return found


def test_lets_a_pod_in(namespace: Namespace) -> None:
    assert admitted(namespace, pod({}, {}))
    ids = {"securityContext": {"runAsUser": None, "fsGroup": None}}
    assert admitted(namespace, pod(ids, {}))


@pytest.mark.parametrize("case", REFUSED)
def test_refuses_what_openshift_refuses(namespace: Namespace, case: str) -> None:
    of_pod, of_container, message = REFUSED[case]
    with pytest.raises(Failed, match=message):
        namespace.kubectl("create", "--dry-run=server", "-f", "-", stdin=pod(of_pod, of_container))


def test_each_example(namespace: Namespace, synthesized: Path) -> None:
    """Refused as long as its users are fixed, and let in under `ClusterSettings.openShift()`."""
    fixed, found = workloads(synthesized), workloads(synthesized / "openshift")
    assert len(found) > 20
    for name, manifest in found.items():
        # The example for OpenShift has the settings by itself, and the chart `openshift` is of this test.
        if name not in ("open-shift", "openshift"):
            assert not admitted(namespace, fixed[name]), name
        assert admitted(namespace, manifest), name
    print(f"{len(found)} manifests, {sum(len(WORKLOADS.findall(each)) for each in found.values())} workloads")


@pytest.fixture(scope="module")
def release(synthesized: Path, namespace: Namespace) -> Iterator[Release]:
    """Server, PgBouncer, PostgreSQL and backup, as the user that OpenShift would give them."""
    client = json.loads(pod({}, {}))
    client["metadata"]["name"] = CLIENT
    client["spec"]["containers"][0].update(
        command=["sleep", "86400"], env=[{"name": "HOME", "value": "/tmp"}]
    )
    namespace.create(client)
    namespace.kubectl("wait", "--for=condition=Ready", f"pod/{CLIENT}", "--timeout=600s", seconds=610)
    release = Release(Example("openshift"), namespace, synthesized / "openshift")
    release.manifest = as_openshift(release.manifest)
    release.start()
    yield release


def as_openshift(manifest: str) -> str:
    """What its admission makes of pods: user and fsGroup of the range. The group of such a user is 0."""
    of_pod = r"^( +)(fsGroupChangePolicy: .+)$"
    assert len(re.findall(of_pod, manifest, re.MULTILINE)) == len(WORKLOADS.findall(manifest))
    return re.sub(of_pod, rf"\1\2\n\1fsGroup: {USER}\n\1runAsUser: {USER}", manifest, flags=re.MULTILINE)


def test_runs(release: Release) -> None:
    pods = release.namespace.get("pods")["items"]
    assert all(map(is_ready, pods))
    for each in ("deployment/mlflow", "deployment/pgbouncer", "postgres-0"):
        ids = release.namespace.kubectl(
            "exec", each, "--", "sh", "-c", "id -u; id -g; cat /etc/passwd"
        ).splitlines()
        assert ids[:2] == [str(USER), "0"]
        assert not [line for line in ids if f":{USER}:" in line]
    release.client("read", release.log_run("http://mlflow:5000"), "http://mlflow:5000")


def test_backs_up(release: Release) -> None:
    release.namespace.kubectl("create", "job", "--from=cronjob/backup", "backup-now")
    log = finished(release.namespace, "job/backup-now")
    print(log)
    assert "stored" in log


def test_keeps_data_when_its_pods_are_deleted(release: Release) -> None:
    run_id = release.log_run("http://mlflow:5000")
    release.namespace.kubectl("delete", "pods", "-l", "app.kubernetes.io/name")
    release.wait_for_rollout()
    release.wait_until_settled()
    release.client("read", run_id, "http://mlflow:5000")
