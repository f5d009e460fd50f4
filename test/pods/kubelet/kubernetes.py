"""The objects of a namespace, and pods made from its workloads."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from .container import Running
from .environment import container_command, container_environment, service_links
from .fields import Fields, Unsupported
from .pod import Pod
from .sandbox import Image, MountedVolume, Sandbox
from .template import Container, Template, Variable, read_template
from .volumes import Volume, claim, empty_dir, files, object_data, projected

Document = dict[str, Any]
_NETWORKS = Path("/run/netns")
# Otherwise Linux looks for another owner of an IPv6 address for a second before it can be used.
_WITHOUT_DELAY: dict[bool, list[str]] = {True: ["nodad"], False: []}
_ROLL_OUT = dict.fromkeys(
    ("strategy", "minReadySeconds", "progressDeadlineSeconds", "revisionHistoryLimit"),
    "how pods are replaced; a test does that itself",
)
_SCHEDULE = dict.fromkeys(
    (
        *("schedule", "timeZone", "concurrencyPolicy", "startingDeadlineSeconds", "suspend"),
        *("successfulJobsHistoryLimit", "failedJobsHistoryLimit"),
    ),
    "when Jobs start; a test does that itself",
)
_TRIES = dict.fromkeys(
    ("backoffLimit", "podFailurePolicy", "activeDeadlineSeconds"), "the first failure is a failure here"
)


class Namespace:
    """One namespace on one node. Pods and databases are on a bridge that only this run can reach."""

    def __init__(
        self, folder: Path, images: dict[str, Path], addresses: Iterator[str], name: str = "mlflow"
    ) -> None:
        self.name, self._folder, self.images = name, folder, images
        self._addresses = addresses
        # Programs that images start by themselves.
        self.entry_points: dict[str, str] = {}
        self.hosts: dict[str, str] = {}
        self.objects: dict[tuple[str, str], Document] = {}
        self.pods: list[Pod] = []
        # Where KUBERNETES_SERVICE_HOST points, and what each ServiceAccount logs in with there.
        self.api_server, self.account_token = "10.88.0.1", "a token"

    def new_address(self) -> str:
        """An address of the pods' network that nobody has yet."""
        return next(self._addresses)

    def new_server_address(self, *names: str) -> str:
        """One for a server of the test itself, which the pods know by these names."""
        address = self.new_address()
        add = ["ip", "address", "add", f"{address}/{128 if ':' in address else 32}", "dev", "pods"]
        subprocess.run([*add, *_WITHOUT_DELAY[":" in address]], check=True)
        self.hosts.update(dict.fromkeys(names, address))
        return address

    def apply(self, documents: list[Document]) -> None:
        for document in documents:
            metadata = document["metadata"]
            if metadata.get("namespace", self.name) != self.name:
                raise Unsupported(f"{document['kind']} {metadata['name']} is for another namespace")
            key = (document["kind"], metadata["name"])
            _check_immutable(self.objects.get(key), document)
            self.objects[key] = document

    def claim_folder(self, name: str) -> Path:
        """The files of a claim, for a test to put there or to look at."""
        folder = self._folder / "claims" / name
        folder.mkdir(mode=0o755, parents=True, exist_ok=True)
        return folder

    def deployment(self, name: str = "mlflow", only_init: bool = False) -> list[Pod]:
        """Starts the pods of a Deployment, all its replicas; `only_init` leaves the containers out."""
        fields = Fields(self.objects[("Deployment", name)]["spec"], f"Deployment {name}: spec")
        replicas = fields.take("replicas", int, 1)
        template, path = fields.require("template", dict), f"{fields.path}.template"
        selector = fields.require("selector", dict)
        if not selector["matchLabels"].items() <= template["metadata"]["labels"].items():
            raise Unsupported(f"{fields.path}.selector: does not match the labels of the pods")
        fields.ignore(_ROLL_OUT)
        fields.done()
        templates = [read_template(template, path) for _ in range(replicas)]
        if only_init:
            templates = [replace(each, containers=[]) for each in templates]
        return [self.start(f"{name}-{len(self.pods)}", each) for each in templates]

    def job(self, name: str) -> Pod:
        return self._job(name, Fields(self.objects[("Job", name)]["spec"], f"Job {name}: spec"))

    def cron_job(self, name: str) -> Pod:
        """What `kubectl create job --from=cronjob/NAME` starts."""
        fields = Fields(self.objects[("CronJob", name)]["spec"], f"CronJob {name}: spec")
        job = fields.child("jobTemplate")
        fields.ignore(_SCHEDULE)
        fields.done()
        job.ignore({"metadata": "labels of the Job"})
        spec = job.child("spec")
        job.done()
        return self._job(name, spec)

    def _job(self, name: str, fields: Fields) -> Pod:
        template = read_template(fields.require("template", dict), f"{fields.path}.template")
        fields.ignore(_TRIES)
        fields.done()
        return self.start(f"{name}-{len(self.pods)}", template)

    def folder_of_claim(self, name: str) -> Path:
        """Where the volume of a claim is, once a pod has mounted it."""
        return self._folder / "claims" / name

    def start(self, name: str, template: Template) -> Pod:
        address, folder = self.new_address(), self._folder / name
        network = _make_network(address)
        folder.mkdir(parents=True)
        self._write_etc(folder / "etc", name, address)
        volumes = {key: self._volume(value, folder, template) for key, value in template.volumes.items()}

        def run(container: Container) -> Running:
            environment = self._environment(container, template, address, name)
            sandbox = self._sandbox(container, template, volumes, network, folder, name)
            command = container_command(container, environment, self.entry_points.get(container.image))
            return Running(container.name, sandbox, command, environment, folder / f"{container.name}.log")

        pod = Pod(name, template, address, run)
        self.pods.append(pod)
        return pod

    def stop(self) -> None:
        for pod in self.pods:
            pod.kill()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _data(self, kind: str, name: str, path: str) -> dict[str, bytes]:
        if (kind, name) not in self.objects:
            raise Unsupported(f"{path}: there is no {kind} {name}")
        return object_data(self.objects[(kind, name)])

    def _environment(
        self, container: Container, template: Template, address: str, pod: str
    ) -> dict[str, str]:
        services = {name: each["spec"] for (kind, name), each in self.objects.items() if kind == "Service"}
        given = {
            **self._image(container).environment(),
            "HOSTNAME": pod,
            # Kubernetes' own Service is there whatever the pod says.
            **service_links({"kubernetes": {"ports": [{"port": 443}]}}, self.api_server),
            **(service_links(services, "10.88.0.1") if template.service_links else {}),
        }
        fields = {"metadata.namespace": self.name, "metadata.name": pod, "status.podIP": address}

        def lookup(variable: Variable) -> str:
            if variable.kind == "fieldRef":
                if variable.value not in fields:
                    raise Unsupported(f"fieldRef {variable.value}")
                return fields[variable.value]
            kind = "Secret" if variable.kind == "secretKeyRef" else "ConfigMap"
            data = self._data(kind, variable.value, f"container {container.name}: {variable.name}")
            if variable.key not in data:
                raise Unsupported(f"{container.name}: {kind} {variable.value} has no key {variable.key}")
            return data[variable.key].decode()

        return container_environment(container, given, lookup)

    def _image(self, container: Container) -> Image:
        if container.image not in self.images:
            raise Unsupported(f"container {container.name}: no stand-in for the image {container.image}")
        return Image(self.images[container.image])

    def _sandbox(
        self,
        container: Container,
        template: Template,
        volumes: dict[str, Volume],
        network: Path,
        folder: Path,
        pod: str,
    ) -> Sandbox:
        mounted = [
            MountedVolume(
                volumes[m.volume].path(m.sub_path), m.path, m.read_only or volumes[m.volume].read_only
            )
            for m in container.mounts
        ]
        return Sandbox(
            image=self._image(container),
            network=network,
            host_name=pod,
            etc=folder / "etc",
            termination_log=folder / f"{container.name}.termination-log",
            volumes=mounted,
            security=container.security,
            groups=[] if template.fs_group is None else [template.fs_group],
            working_directory=container.working_directory,
        )

    def _volume(self, fields: Fields, pod: Path, template: Template) -> Volume:
        [kind] = fields.names()
        source, folder = fields.child(kind), pod / "volumes" / fields.path.rpartition("[")[2].rstrip("]")
        if kind == "emptyDir":
            return empty_dir(source, folder, template.fs_group)
        if kind == "persistentVolumeClaim":
            names = [name for each, name in self.objects if each == "PersistentVolumeClaim"]
            claims = {name: self.folder_of_claim(name) for name in names}
            return claim(source, claims, template.fs_group)
        if kind == "projected":
            return projected(self._sources(source), folder, template.fs_group)
        if kind == "configMap":
            data = self._data("ConfigMap", source.require("name", str), source.path)
        elif kind == "secret":
            data = self._data("Secret", source.require("secretName", str), source.path)
        else:
            raise Unsupported(f"{source.path}: this kind of volume is not supported")
        return files(source, data, folder, template.fs_group)

    def _sources(self, fields: Fields) -> dict[str, bytes]:
        """What a pod needs for the API server: a token, the CA, the namespace."""
        data: dict[str, bytes] = {}
        for source in fields.children("sources"):
            [kind] = source.names()
            each = source.child(kind)
            if kind == "serviceAccountToken":
                each.require("expirationSeconds", int)
                data[each.require("path", str)] = self.account_token.encode()
            elif kind == "configMap":
                texts = self._data("ConfigMap", each.require("name", str), each.path)
                for item in each.children("items"):
                    data[item.require("path", str)] = texts[item.require("key", str)]
                    item.done()
            elif kind == "downwardAPI":
                [item] = each.children("items")
                item.must_be("fieldRef", {"fieldPath": "metadata.namespace"})
                data[item.require("path", str)] = self.name.encode()
                item.done()
            else:
                raise Unsupported(f"{each.path}: this source is not supported")
            each.done()
            source.done()
        fields.done()
        return data

    def _write_etc(self, folder: Path, pod: str, address: str) -> None:
        names = {"localhost": "127.0.0.1", pod: address, **self.hosts}
        texts = {
            "hosts": "".join(f"{address} {name}\n" for name, address in names.items()),
            "nsswitch.conf": "passwd: files\ngroup: files\nhosts: files\n",
            "passwd": "root:x:0:0:root:/root:/bin/sh\n",
            "group": "root:x:0:\n",
        }
        folder.mkdir()
        for name, text in texts.items():
            (folder / name).write_text(text)


def _check_immutable(old: Document | None, new: Document) -> None:
    """What the API server would refuse."""
    if old is None or old == new:
        return
    name = f"{new['kind']} {new['metadata']['name']}"
    if old.get("immutable"):
        raise Unsupported(f"{name} is immutable")
    if new["kind"] == "Job" and old["spec"]["template"] != new["spec"]["template"]:
        raise Unsupported(f"{name}: the template of a Job is immutable")
    if new["kind"] == "Deployment" and old["spec"]["selector"] != new["spec"]["selector"]:
        raise Unsupported(f"{name}: the selector of a Deployment is immutable")


def _make_network(address: str) -> Path:
    def ip(*words: str) -> None:
        subprocess.run(["ip", *words], check=True, env={"PATH": os.environ["PATH"]})

    is_ipv6 = ":" in address
    # 15 characters at most
    outside = f"v{address.rpartition('::')[2] + '-6' if is_ipv6 else address.removeprefix('10.88.')}"
    ip("netns", "add", address)
    ip("link", "add", outside, "type", "veth", "peer", "name", "eth0", "netns", address)
    ip("link", "set", outside, "master", "pods", "up")
    length = 64 if is_ipv6 else 16
    ip("-n", address, "address", "add", f"{address}/{length}", "dev", "eth0", *_WITHOUT_DELAY[is_ipv6])
    ip("-n", address, "link", "set", "eth0", "up")
    ip("-n", address, "link", "set", "lo", "up")
    return _NETWORKS / address
