"""How many connections a server opens, and that its requests never wait for each other's."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import synthesis
from kubelet.kubernetes import Namespace
from kubelet.pod import Pod
from loading import Load, Operation, Sampler, create_model, log_batch, search
from postgres import Postgres
from tracking import url_of
from tracking_api import Caller

pytestmark = pytest.mark.migrated

CLIENTS = 64
COUNT = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'mlflow'"
# What the rule pool-fits-database computes for three pods of two workers on PoolingProfile.HIGH_AVAILABILITY.
BUDGET = 3 * (2 + 2 * (2 * 7 + 1))

# What PostgreSQL says to a client when all connections are taken, or all but those of its superuser.
REFUSED = ("too many clients already", "remaining connection slots are reserved")


def callers(*pods: Pod) -> list[Caller]:
    with ThreadPoolExecutor(16) as pool:
        return list(pool.map(Caller, (url_of(pods[i % len(pods)]) for i in range(CLIENTS))))


def test_three_pods_stay_below_the_budget_and_come_near_it(namespace: Namespace, postgres: Postgres) -> None:
    namespace.apply(synthesis.server(replicas=3, workers=2, pooling="highAvailability"))
    pods = namespace.deployment()
    clients = callers(*(pod.wait_ready(300) for pod in pods))
    with postgres.connect() as connection, connection.cursor() as cursor:

        def count() -> int:
            cursor.execute(COUNT)
            return cursor.fetchone()[0]

        with Sampler(count) as sampler:
            load = Load(clients, [log_batch, create_model, search], seconds=20)
    print(f"{sampler.most} connections of {BUDGET}, {load.codes.total()} requests")
    assert load.codes.keys() == {200}, load.texts
    assert BUDGET / 2 <= sampler.most <= BUDGET


def held_up(postgres: Postgres, table: str, clients: list[Caller], operation: Operation) -> Load:
    """One call of each client, all in flight at once: a table lock holds them up for some seconds."""
    with (
        postgres.connect("mlflow") as connection,
        connection.cursor() as cursor,
        ThreadPoolExecutor(1) as pool,
    ):
        cursor.execute("BEGIN")
        cursor.execute(f"LOCK TABLE {table}")
        load = pool.submit(Load, clients, [operation], 1)
        time.sleep(8)
        cursor.execute("ROLLBACK")
        return load.result()


def test_on_the_guides_numbers_four_workers_ask_for_more(namespace: Namespace, postgres: Postgres) -> None:
    """20 + 30 connections, with as many clients, on PostgreSQL's default of 100.

    A pod each, where the guide has them in one: there, the kernel may give one of them nearly all clients.
    """
    namespace.apply(synthesis.server(replicas=4, workers=1, pooling="guide"))
    clients = callers(*(pod.wait_ready(300) for pod in namespace.deployment()))
    # What the registry's pools have opened they keep, while those of the tracking store want as many.
    held_up(postgres, "registered_models", clients, create_model)
    load = held_up(postgres, "runs", clients, log_batch)
    refused = [line for line in postgres.log().splitlines() if any(each in line for each in REFUSED)]
    print(f"{len(refused)} connections refused, {load.codes.total()} requests: {dict(load.codes)}")
    assert refused
    assert load.codes[503] > 0


@pytest.mark.parametrize("direct_api", [False, True])
def test_requests_never_wait_for_each_other(
    direct_api: bool, namespace: Namespace, postgres: Postgres
) -> None:
    """On a pool of SQLAlchemy's own sizes, with as many threads as the library lets a worker have."""
    namespace.apply(synthesis.server(pooling="none", directApi=direct_api))
    [pod] = namespace.deployment()
    load = Load(callers(pod.wait_ready()), [log_batch], seconds=35)
    assert load.codes.keys() == {200}, load.texts


def test_with_all_threads_of_mlflow_they_do(namespace: Namespace, postgres: Postgres) -> None:
    """The same pool without the bound: why there is one."""
    namespace.apply(unbounded(synthesis.server(pooling="none")))
    [pod] = namespace.deployment()
    load = Load(callers(pod.wait_ready()), [log_batch], seconds=35)
    assert load.codes[400] > 0
    assert any("QueuePool limit of size 5 overflow 10 reached" in text for text in load.texts)


def unbounded(documents: list[dict[str, Any]]) -> list[dict[str, Any]]:
    [deployment] = [each for each in documents if each["kind"] == "Deployment"]
    [container] = deployment["spec"]["template"]["spec"]["containers"]
    container["args"] = [each.replace(" --loop=bounded_loop:new_loop", "") for each in container["args"]]
    return documents
