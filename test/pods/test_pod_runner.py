"""The runner itself: it honours what it reads, and refuses what it does not."""

from __future__ import annotations

import copy
import sys
from collections.abc import Callable
from typing import Any

import pytest
from conftest import images
from kubelet.container import Ended
from kubelet.fields import Unsupported
from kubelet.kubernetes import Document, Namespace
from kubelet.pod import PodFailed

SECURITY = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "runAsNonRoot": True,
    "readOnlyRootFilesystem": True,
}
MOUNTS = [
    {"name": "scratch", "mountPath": "/scratch"},
    {"name": "scratch", "mountPath": "/part", "subPath": "a/b"},
    {"name": "files", "mountPath": "/etc/files"},
]
POD = {
    "automountServiceAccountToken": False,
    "enableServiceLinks": False,
    "terminationGracePeriodSeconds": 3,
    "securityContext": {"runAsUser": 1001, "runAsGroup": 1002, "fsGroup": 1003},
    "initContainers": [],
    "containers": [{"name": "main", "env": [], "volumeMounts": MOUNTS, "securityContext": SECURITY}],
    "volumes": [
        {"name": "scratch", "emptyDir": {}},
        {
            "name": "files",
            "secret": {"secretName": "s", "items": [{"key": "k", "path": "key", "mode": 0o400}]},
        },
    ],
}
SECRET = {
    "kind": "Secret",
    "metadata": {"name": "s"},
    "data": {"k": "dmFsdWU="},
    "stringData": {"t": "text "},
}
SERVICE = {"kind": "Service", "metadata": {"name": "my-db"}, "spec": {"ports": [{"port": 5432}]}}


def job(
    script: str = "true", change: Callable[[dict[str, Any]], object] = lambda pod: None
) -> list[Document]:
    pod = copy.deepcopy(POD)
    pod["containers"][0].update(image=next(iter(images())), command=["sh", "-c", script])
    change(pod)
    spec = {"template": {"metadata": {"labels": {}}, "spec": pod}}
    return [SECRET, SERVICE, {"kind": "Job", "metadata": {"name": "job"}, "spec": spec}]


def run(
    namespace: Namespace, script: str, change: Callable[[dict[str, Any]], object] = lambda pod: None
) -> Ended:
    namespace.apply(job(script, change))
    [ended] = namespace.job("job").wait_completed(60)
    return ended


UNKNOWN: dict[str, Callable[[dict[str, Any]], object]] = {
    "pod": lambda pod: pod.update(hostPID=True),
    "pod-value": lambda pod: pod.update(dnsPolicy="Default"),
    "token": lambda pod: pod.pop("automountServiceAccountToken"),
    "pod-security": lambda pod: pod["securityContext"].update(supplementalGroups=[5]),
    "container": lambda pod: pod["containers"][0].update(stdin=True),
    "env-from": lambda pod: pod["containers"][0].update(envFrom=[]),
    "optional": lambda pod: pod["containers"][0]["env"].append(
        {"name": "A", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k", "optional": True}}}
    ),
    "resource-field": lambda pod: pod["containers"][0]["env"].append(
        {"name": "A", "valueFrom": {"resourceFieldRef": {"resource": "limits.cpu"}}}
    ),
    "number": lambda pod: pod["containers"][0]["env"].append({"name": "A", "value": 5432}),
    "mount": lambda pod: pod["containers"][0]["volumeMounts"][0].update(mountPropagation="None"),
    "volume": lambda pod: pod["volumes"].append({"name": "x", "hostPath": {"path": "/"}}),
    "volume-field": lambda pod: pod["volumes"][1]["secret"].update(optional=True),
    "secret-key": lambda pod: pod["volumes"][1]["secret"]["items"][0].update(key="missing"),
    "secret": lambda pod: pod["volumes"][1]["secret"].update(secretName="missing"),
    "claim": lambda pod: pod["volumes"].append({"name": "x", "persistentVolumeClaim": {"claimName": "x"}}),
    "probe": lambda pod: pod["containers"][0].update(readinessProbe={"grpc": {"port": 1}}),
    "lifecycle": lambda pod: pod["containers"][0].update(lifecycle={"postStart": {}}),
    "restart": lambda pod: pod["containers"][0].update(restartPolicy="Always"),
    "entry-point": lambda pod: pod["containers"][0].pop("command"),
    "root": lambda pod: pod["securityContext"].update(runAsUser=0),
    "privileges": lambda pod: pod["containers"][0]["securityContext"].pop("capabilities"),
}


@pytest.mark.parametrize("case", UNKNOWN)
def test_refuses(case: str, namespace: Namespace) -> None:
    namespace.apply(job("true", UNKNOWN[case]))
    with pytest.raises(
        (Unsupported, PodFailed),
        match=r"not honoured|not supported|must be|expected|is no |there is no|needed",
    ):
        namespace.job("job").wait_completed(10)


def test_missing_secret_of_a_variable(namespace: Namespace) -> None:
    reference = {"secretKeyRef": {"name": "s", "key": "missing"}}
    with pytest.raises(PodFailed, match="Secret s has no key missing"):
        run(
            namespace,
            "true",
            lambda pod: pod["containers"][0]["env"].append({"name": "A", "valueFrom": reference}),
        )


def test_user_groups_and_file_system(namespace: Namespace) -> None:
    script = """
    id -u; id -g; id -G; grep CapBnd /proc/self/status | cut -f2; getent passwd 1001 || echo nobody
    stat -c '%u:%g %a' /scratch /part /etc/files/key
    touch /scratch/x /part/x && ls /scratch/a/b
    touch /x /etc/x /usr/x /dev/x /etc/files/x 2>&1 | grep -c 'Read-only\\|denied'
    cat /etc/files/key; ls -d /home /run /var/lib 2>/dev/null | wc -l
    """
    ended = run(namespace, script)
    assert ended.log.split("\n")[:-1] == [
        *("1001", "1002", "1002 1003", "0" * 16, "nobody"),
        *("0:1003 2777", "0:1003 2777", "0:1003 440"),
        *("x", "5", "value0"),
    ], ended


def test_environment(namespace: Namespace) -> None:
    def change(pod: dict[str, Any]) -> None:
        pod["containers"][0]["env"] = [
            {"name": "A", "valueFrom": {"secretKeyRef": {"name": "s", "key": "t"}}},
            {"name": "B", "value": "<$(A)|$$(A)|$(C)|$(NS)>"},
            {"name": "NS", "valueFrom": {"fieldRef": {"fieldPath": "metadata.namespace"}}},
            {"name": "IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}},
        ]
        pod["containers"][0]["args"] = ["name", "$(B)$(NS)"]

    ended = run(
        namespace, 'echo "$B"; echo "$1"; echo "$NS"; hostname -I; echo "$IP"; env | grep -c MY_DB', change
    )
    assert ended.log.splitlines()[:3] == [
        "<text |$(A)|$(C)|$(NS)>",
        "<text |$(A)|$(C)|$(NS)>mlflow",
        "mlflow",
    ]
    assert ended.log.splitlines()[3].strip() == ended.log.splitlines()[4]
    assert ended.log.splitlines()[5] == "0"


def test_service_links(namespace: Namespace) -> None:
    ended = run(namespace, "echo $MY_DB_PORT", lambda pod: pod.pop("enableServiceLinks"))
    assert ended.log == "tcp://10.88.0.1:5432\n"


def test_failure_of_a_container(namespace: Namespace) -> None:
    ended = run(namespace, "echo to the log; echo why > /dev/termination-log; exit 7")
    assert (ended.code, ended.log, ended.message) == (7, "to the log\n", "why\n")


def test_failed_init_container_stops_the_pod(namespace: Namespace) -> None:
    def change(pod: dict[str, Any]) -> None:
        init = {**pod["containers"][0], "name": "init", "command": ["sh", "-c", "exit 3"]}
        pod["initContainers"] = [init, {**init, "name": "second"}]

    namespace.apply(job("true", change))
    pod = namespace.job("job")
    assert [(each.name, each.code) for each in pod.wait_init(60)] == [("init", 3)]
    with pytest.raises(PodFailed, match="init ended with 3"):
        pod.wait_ready(10)
    assert pod.running == []


def test_a_sidecar_starts_before_all_others_and_ends_after_them(namespace: Namespace) -> None:
    def change(pod: dict[str, Any]) -> None:
        end = "trap 'cat /scratch/log; exit 4' TERM"
        script = f"{end}; echo first >> /scratch/log; sleep 1; touch /scratch/up; while :; do sleep 0.1; done"
        init = {**pod["containers"][0], "name": "init", "command": ["sh", "-c", "cat /scratch/up"]}
        started = {"exec": {"command": ["test", "-e", "/scratch/up"]}, "periodSeconds": 1}
        sidecar = {**init, "name": "sidecar", "command": ["sh", "-c", script], "restartPolicy": "Always"}
        pod["initContainers"] = [{**sidecar, "startupProbe": started}, init]

    namespace.apply(job("echo main >> /scratch/log", change))
    pod = namespace.job("job")
    ended = pod.wait_completed(60)
    codes = [(each.name, each.code) for each in [*pod.init, *ended]]
    assert codes == [("init", 0), ("main", 0), ("sidecar", 4)]
    assert ended[-1].log == "first\nmain\n"


SERVE = f"cd /scratch && exec {sys.executable} -m http.server 8000"


def probed(**probes: Any) -> Callable[[dict[str, Any]], object]:
    return lambda pod: pod["containers"][0].update(probes)


def test_probes(namespace: Namespace) -> None:
    get = {"httpGet": {"path": "/ok", "port": 8000}, "periodSeconds": 1, "failureThreshold": 2}
    alive = {
        "exec": {"command": ["test", "!", "-e", "/scratch/dead"]},
        "periodSeconds": 1,
        "failureThreshold": 1,
    }
    listens = {"tcpSocket": {"port": 8000}, "periodSeconds": 1}
    namespace.apply(job(SERVE, probed(startupProbe=listens, readinessProbe=get, livenessProbe=alive)))
    pod = namespace.job("job")
    pod.wait_for_line('"GET /ok HTTP/1.1" 404')
    assert not pod.ready
    for command, wait in (("touch", pod.wait_ready), ("rm", pod.wait_unready)):
        assert pod.running[0].execute([command, "/scratch/ok"], 10) == 0
        wait(30)
    assert pod.running[0].execute(["touch", "/scratch/dead"], 10) == 0
    with pytest.raises(PodFailed, match="main: not alive"):
        pod.wait_ready(30)


@pytest.mark.parametrize(
    "never", [{"httpGet": {"path": "/never", "port": 8000}}, {"tcpSocket": {"port": 8001}}]
)
def test_startup_probe_gives_up(never: Document, namespace: Namespace) -> None:
    probe = {**never, "periodSeconds": 1, "failureThreshold": 2}
    namespace.apply(job(SERVE, probed(startupProbe=probe)))
    with pytest.raises(PodFailed, match="the startup probe gave up"):
        namespace.job("job").wait_ready(30)


def test_end_of_a_pod(namespace: Namespace) -> None:
    """preStop runs first and to its end; process 1 ignores a SIGTERM that it has no handler for."""
    script = "echo started; trap 'cat /scratch/stop; exit 5' TERM; while :; do sleep 0.1; done"
    stop = {"preStop": {"exec": {"command": ["sh", "-c", "sleep 1; echo stopping > /scratch/stop"]}}}
    namespace.apply(job(script, probed(lifecycle=stop)))
    pod = namespace.job("job")
    pod.wait_for_line("started")
    stopped = pod.delete()
    assert (stopped.killed, stopped.ended[0].code, stopped.ended[0].log) == (False, 5, "started\nstopping\n")
    assert stopped.seconds >= 1


def test_grace_period(namespace: Namespace) -> None:
    namespace.apply(job("echo started; while :; do sleep 0.1; done"))
    pod = namespace.job("job")
    pod.wait_for_line("started")
    stopped = pod.delete()
    assert (stopped.killed, stopped.ended[0].code) == (True, 137)
    assert stopped.seconds >= 3


def test_immutable_objects(namespace: Namespace) -> None:
    immutable = {**SECRET, "immutable": True}
    namespace.apply([immutable, copy.deepcopy(immutable)])
    with pytest.raises(Unsupported, match="Secret s is immutable"):
        namespace.apply([{**immutable, "data": {}}])
    namespace.apply(job("true")[-1:])
    with pytest.raises(Unsupported, match="Job job: the template of a Job is immutable"):
        namespace.apply(job("false")[-1:])
