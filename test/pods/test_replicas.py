"""Several pods of one server, started at the same moment on an empty database."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import synthesis
from kubelet.kubernetes import Namespace
from postgres import Postgres
from test_migration import outcome
from tracking import check_everything, client_of, log_everything

REPLICAS = 3


def test_three_replicas(namespace: Namespace, postgres: Postgres, tmp_path: Path) -> None:
    namespace.apply(synthesis.server(replicas=REPLICAS))
    pods = namespace.deployment()
    clients = [client_of(pod.wait_ready(300)) for pod in pods]
    assert Counter(map(outcome, pods)) == {"initialised": 1, "up-to-date": REPLICAS - 1}

    logged = [log_everything(client, f"from-{i}", tmp_path) for i, client in enumerate(clients)]
    for i, client in enumerate(clients):
        for j, each in enumerate(logged):
            check_everything(client, each, tmp_path / f"read-{i}-{j}")
    names = postgres.execute("SELECT name FROM experiments ORDER BY experiment_id", "mlflow")
    assert [name for (name,) in names] == ["Default", "from-0", "from-1", "from-2"]
