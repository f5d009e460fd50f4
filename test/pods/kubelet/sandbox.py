"""The command that runs a container: its own mounts, processes and user, in the network of its pod.

bubblewrap makes the mounts, setpriv drops every right. The image is a virtual environment together with this
machine's /usr: a file system without /root, /home, /run or /var, and without an entry for the pod's user.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from .template import Security

_SYSTEM = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_LINKS = {"/bin": "usr/bin", "/sbin": "usr/sbin", "/lib": "usr/lib", "/lib64": "usr/lib64"}
_FILES = ["/etc/ssl", "/etc/alternatives", "/etc/ld.so.cache", "/etc/mime.types"]


@dataclass(frozen=True)
class Image:
    """A virtual environment in the place of an image's file system."""

    virtualenv: Path

    def environment(self) -> dict[str, str]:
        return {"PATH": f"{self.virtualenv}/bin:{_SYSTEM}", "LANG": "C.UTF-8"}

    def mounts(self) -> list[str]:
        python = (self.virtualenv / "bin" / "python").resolve().parent.parent
        folders = ["/usr", str(self.virtualenv), str(python)]
        options = [option for path in folders if path != "/usr/local" for option in _bind(path, path)]
        for path in filter(os.path.exists, _FILES):
            options += _bind(path, path)
        links = [option for path, target in _LINKS.items() for option in ("--symlink", target, path)]
        return [*options, *links]


@dataclass(frozen=True)
class MountedVolume:
    source: Path
    target: str
    read_only: bool


@dataclass(frozen=True)
class Sandbox:
    image: Image
    network: Path
    host_name: str
    etc: Path  # hosts, nsswitch.conf, passwd, group
    termination_log: Path
    volumes: list[MountedVolume]
    security: Security
    groups: list[int]
    working_directory: str

    def command(self, words: list[str], status_fd: int) -> list[str]:
        return [
            "/usr/bin/nsenter",
            f"--net={self.network}",
            "--",
            "bwrap",
            *("--unshare-pid", "--unshare-ipc", "--unshare-uts", "--as-pid-1", "--hostname", self.host_name),
            *("--perms", "1777", "--dir", "/tmp", "--perms", "1777", "--dir", "/var/tmp"),
            *self.image.mounts(),
            *("--proc", "/proc", "--dev", "/dev", "--perms", "1777", "--tmpfs", "/dev/shm"),
            *(
                option
                for file in sorted(self.etc.iterdir())
                for option in _bind(str(file), f"/etc/{file.name}")
            ),
            *("--bind", str(self.termination_log), "/dev/termination-log"),
            *(option for volume in self.volumes for option in _volume(volume)),
            *(("--remount-ro", "/") if self.security.read_only_root else ()),
            *("--chdir", self.working_directory, "--json-status-fd", str(status_fd)),
            "--",
            *self.as_user(words),
        ]

    def as_user(self, words: list[str]) -> list[str]:
        groups = ",".join(str(group) for group in [self.security.group, *self.groups])
        return [
            "/usr/bin/setpriv",
            f"--reuid={self.security.user}",
            f"--regid={self.security.group}",
            f"--groups={groups}",
            *("--no-new-privs", "--inh-caps=-all", "--bounding-set=-all", "--"),
            *words,
        ]


def _volume(volume: MountedVolume) -> list[str]:
    how = "--ro-bind" if volume.read_only else "--bind"
    return [*_parents(volume.target), how, str(volume.source), volume.target]


def _bind(source: str, target: str) -> list[str]:
    return [*_parents(target), "--ro-bind", source, target]


def _parents(path: str) -> list[str]:
    """Left alone, bubblewrap makes these for root only."""
    exist = ("/", "/dev", "/usr")
    parents = [str(parent) for parent in reversed(Path(path).parents) if str(parent) not in exist]
    return [option for parent in parents for option in ("--perms", "0755", "--dir", parent)]
