"""A pod template as values. Whatever is not read here is refused."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .fields import Fields, Unsupported

_SCHEDULING = "there is one node"
_HARMLESS_OF_PODS = {
    "serviceAccountName": "no pod gets a token (automountServiceAccountToken is honoured)",
    "imagePullSecrets": "images are folders of this machine",
    "priorityClassName": _SCHEDULING,
    "affinity": _SCHEDULING,
    "nodeSelector": _SCHEDULING,
    "tolerations": _SCHEDULING,
    "topologySpreadConstraints": _SCHEDULING,
}
_HARMLESS_OF_CONTAINERS = {
    "imagePullPolicy": "images are folders of this machine",
    "resources": "nothing is limited; the test on a cluster holds the limits",
}


@dataclass(frozen=True)
class Variable:
    name: str
    kind: str  # value, secretKeyRef, configMapKeyRef or fieldRef
    value: str  # the text, the name of the object, or the path of the field
    key: str = ""


@dataclass(frozen=True)
class Mount:
    volume: str
    path: str
    sub_path: str
    read_only: bool


@dataclass(frozen=True)
class Probe:
    path: str | None
    port: int | str
    tls: bool
    command: list[str]
    initial_delay: int
    period: int
    timeout: int
    failure_threshold: int
    success_threshold: int


@dataclass(frozen=True)
class Security:
    user: int
    group: int
    read_only_root: bool


@dataclass(frozen=True)
class Container:
    name: str
    image: str
    command: list[str]
    args: list[str]
    working_directory: str
    env: list[Variable]
    mounts: list[Mount]
    ports: dict[str, int]
    security: Security
    startup: Probe | None
    liveness: Probe | None
    readiness: Probe | None
    pre_stop: list[str]
    is_sidecar: bool


@dataclass(frozen=True)
class Template:
    labels: dict[str, str]
    init_containers: list[Container]
    containers: list[Container]
    volumes: dict[str, Fields]
    fs_group: int | None
    service_links: bool
    grace: int


# As OpenShift assigns it to the pods of a namespace that name none, with the group 0.
ASSIGNED_USER = 1000680000


def read_template(value: Any, path: str) -> Template:
    fields = Fields(value, path)
    metadata = fields.child("metadata")
    labels = metadata.take("labels", dict, {})
    metadata.ignore({"annotations": "for people and for controllers"})
    metadata.done()
    spec = fields.child("spec")
    fields.done()
    return _read_spec(spec, labels)


def _read_spec(spec: Fields, labels: dict[str, str]) -> Template:
    spec.ignore(_HARMLESS_OF_PODS)
    spec.must_be("automountServiceAccountToken", False)
    spec.only("restartPolicy", "Always", "Never", "OnFailure")  # a container that ends is reported instead
    spec.only("dnsPolicy", "ClusterFirst")
    spec.only("hostNetwork", False)
    spec.only("setHostnameAsFQDN", False)
    security = spec.child("securityContext")
    user, group = security.take("runAsUser", int), security.take("runAsGroup", int)
    fs_group = security.take("fsGroup", int, ASSIGNED_USER if user is None else None)
    security.only("fsGroupChangePolicy", "OnRootMismatch", "Always")
    security.only("runAsNonRoot", True)
    security.done()
    template = Template(
        labels=labels,
        init_containers=[
            _read_container(each, user, group, True) for each in spec.children("initContainers")
        ],
        containers=[_read_container(each, user, group) for each in spec.children("containers")],
        volumes={each.require("name", str): each for each in spec.children("volumes")},
        fs_group=fs_group,
        service_links=spec.take("enableServiceLinks", bool, True),
        grace=spec.take("terminationGracePeriodSeconds", int, 30),
    )
    spec.done()
    init = [each for each in template.init_containers if not each.is_sidecar]
    if any(each.startup or each.liveness or each.readiness or each.pre_stop for each in init):
        raise Unsupported(f"{spec.path}.initContainers: probes and lifecycle are not for init containers")
    return template


def _read_container(
    fields: Fields, user: int | None, group: int | None, may_be_sidecar: bool = False
) -> Container:
    fields.ignore(_HARMLESS_OF_CONTAINERS)
    lifecycle = fields.child("lifecycle")
    pre_stop = lifecycle.child("preStop")
    container = Container(
        name=fields.require("name", str),
        image=fields.require("image", str),
        command=fields.strings("command"),
        args=fields.strings("args"),
        working_directory=fields.take("workingDir", str, "/"),
        env=[_read_variable(each) for each in fields.children("env")],
        mounts=[_read_mount(each) for each in fields.children("volumeMounts")],
        ports=dict(_read_port(each) for each in fields.children("ports")),
        security=_read_security(fields.child("securityContext"), user, group),
        startup=_read_probe(fields, "startupProbe"),
        liveness=_read_probe(fields, "livenessProbe"),
        readiness=_read_probe(fields, "readinessProbe"),
        pre_stop=_read_exec(pre_stop),
        is_sidecar=_read_sidecar(fields, may_be_sidecar),
    )
    for each in (pre_stop, lifecycle, fields):
        each.done()
    return container


def _read_sidecar(fields: Fields, may_be: bool) -> bool:
    policy = fields.take("restartPolicy", str)
    if policy is not None and not (may_be and policy == "Always"):
        raise Unsupported(f"{fields.path}.restartPolicy: {policy} is not supported here")
    return policy is not None


def _read_variable(fields: Fields) -> Variable:
    name, source = fields.require("name", str), fields.child("valueFrom")
    kinds = source.names()
    if not kinds:
        variable = Variable(name, "value", fields.take("value", str, ""))
    elif kinds in (["secretKeyRef"], ["configMapKeyRef"]):
        reference = source.child(kinds[0])
        variable = Variable(name, kinds[0], reference.require("name", str), reference.require("key", str))
        reference.only("optional", False)
        reference.done()
    elif kinds == ["fieldRef"]:
        reference = source.child("fieldRef")
        variable = Variable(name, "fieldRef", reference.require("fieldPath", str))
        reference.only("apiVersion", "v1")
        reference.done()
    else:
        raise Unsupported(f"{source.path}: {kinds} is not supported")
    source.done()
    fields.done()
    return variable


def _read_mount(fields: Fields) -> Mount:
    mount = Mount(
        fields.require("name", str),
        fields.require("mountPath", str),
        fields.take("subPath", str, ""),
        fields.take("readOnly", bool, False),
    )
    fields.done()
    return mount


def _read_port(fields: Fields) -> tuple[str, int]:
    port = (fields.require("name", str), fields.require("containerPort", int))
    fields.only("protocol", "TCP")
    fields.done()
    return port


def _read_security(fields: Fields, user: int | None, group: int | None) -> Security:
    """What the sandbox does to every container anyway is demanded here."""
    fields.must_be("allowPrivilegeEscalation", False)
    fields.must_be("capabilities", {"drop": ["ALL"]})
    fields.must_be("runAsNonRoot", True)
    fields.only("privileged", False)
    fields.only("seccompProfile", {"type": "RuntimeDefault"})  # not applied; the test on a cluster does
    user = fields.take("runAsUser", int, ASSIGNED_USER if user is None else user)
    group = fields.take("runAsGroup", int, 0 if user == ASSIGNED_USER else group)
    read_only_root = fields.take("readOnlyRootFilesystem", bool, False)
    fields.done()
    if not user or group is None:
        raise Unsupported(f"{fields.path}: a user other than root and a group are needed")
    return Security(user, group, read_only_root)


def _read_probe(container: Fields, name: str) -> Probe | None:
    fields = container.child(name)
    if not fields.names():
        return None
    http, tcp = fields.child("httpGet"), fields.child("tcpSocket")
    probe = Probe(
        path=http.take("path", str),
        port=tcp.take("port", object) or http.take("port", object, 0),
        tls=_read_scheme(http),
        command=_read_exec(fields),
        initial_delay=fields.take("initialDelaySeconds", int, 0),
        period=fields.take("periodSeconds", int, 10),
        timeout=fields.take("timeoutSeconds", int, 1),
        failure_threshold=fields.take("failureThreshold", int, 3),
        success_threshold=fields.take("successThreshold", int, 1),
    )
    http.done()
    tcp.done()
    fields.done()
    ways = [bool(each) for each in (probe.path, probe.command, probe.port and probe.path is None)]
    if sum(ways) != 1:
        raise Unsupported(f"{fields.path}: either httpGet, tcpSocket or exec")
    return probe


def _read_scheme(http: Fields) -> bool:
    scheme = http.take("scheme", str, "HTTP")
    if scheme not in ("HTTP", "HTTPS"):
        raise Unsupported(f"{http.path}: scheme {scheme}")
    return scheme == "HTTPS"


def _read_exec(fields: Fields) -> list[str]:
    action = fields.child("exec")
    command = action.strings("command")
    action.done()
    return command
