"""Every object of every example fits the schemas of Kubernetes, of 1.28 and of the newest version."""

from __future__ import annotations

from pathlib import Path

import kubernetes_validate
import pytest
import yaml
from repository import ROOT

EXAMPLES = sorted((ROOT / "test" / "golden").glob("*.yaml"))
NEWEST = kubernetes_validate.latest_version()


@pytest.mark.parametrize("version", ["1.28", NEWEST])
@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_every_object_fits_the_schema(example: Path, version: str) -> None:
    manifests = [each for each in yaml.safe_load_all(example.read_text()) if is_of_kubernetes(each)]
    assert manifests
    for manifest in manifests:
        kubernetes_validate.validate(manifest, version, strict=True)


def test_a_wrong_field_does_not_fit() -> None:
    spec = {"clusterip": "None"}
    service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "x"}, "spec": spec}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(service, "1.28", strict=True)


def is_of_kubernetes(manifest: dict[str, object]) -> bool:
    """Custom resources have schemas of their own, which their operators publish."""
    group = str(manifest["apiVersion"]).partition("/")[0]
    return "." not in group or (group.endswith(".k8s.io") and group != "gateway.networking.k8s.io")
