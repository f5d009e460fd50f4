"""kill -9 of a pod, of PgBouncer, of PostgreSQL under clients that log: what they see, and what is kept."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from killer import Killer, new_killer
from release import Release, is_ready
from waiting import eventually
from watch import Watch

from examples import Example

CLIENTS = 8
LONG = 60  # seconds, for a cluster that is short of CPU; 1 to 10 else


@pytest.fixture(scope="module")
def killer() -> Iterator[Killer]:
    with new_killer() as killer:
        yield killer


@pytest.fixture(scope="module", params=["two-pods", "two-pods-pooled"])
def release(request: pytest.FixtureRequest, deploy) -> Iterator[Release]:
    with deploy(Example(request.param)) as release:
        yield release


def pods(release: Release, name: str) -> list[dict[str, Any]]:
    return release.namespace.pods({"app.kubernetes.io/name": name})


def watch(release: Release, what: str, kill: Callable[[], None]) -> dict[str, Any]:
    """Kills, waits until all is as before, and finds every acknowledged point again."""
    names = {name: len(pods(release, name)) for name in ("mlflow", "pgbouncer", "postgresql")}

    def restored() -> bool:
        found = {name: pods(release, name) for name in names}
        return all(len(found[name]) == names[name] and all(map(is_ready, found[name])) for name in names)

    eventually(restored, "all pods are ready")
    restarts = starts(release)
    with Watch(release.namespace, f"{release.example.name}, {what}", log_metric=CLIENTS) as watching:
        kill()
        eventually(lambda: starts(release) != restarts, "something was killed", 60)
        eventually(restored, "all pods are ready again", 300)
    assert watching.seen["acknowledged"] > CLIENTS
    assert watching.seen["missing"] == 0
    return watching.seen["log-metric"]


def starts(release: Release) -> set[tuple[str, int]]:
    """Each pod with how often its containers were started."""
    found = release.namespace.get("pods")["items"]
    statuses = {each["metadata"]["uid"]: each["status"].get("containerStatuses", []) for each in found}
    return {(uid, sum(each["restartCount"] for each in status)) for uid, status in statuses.items()}


def test_kill_of_one_server(release: Release, killer: Killer) -> None:
    victim = pods(release, "mlflow")[0]
    killer.prepare(victim)
    seen = watch(release, "kill -9 of one of two servers", lambda: killer.kill(victim, "mlflow"))
    assert seen["gap"] < LONG  # the other one serves on


def test_forced_deletion_of_one_server(release: Release) -> None:
    name = pods(release, "mlflow")[0]["metadata"]["name"]
    force = ["delete", "pod", name, "--force", "--grace-period=0"]
    seen = watch(release, "forced deletion of one of two servers", lambda: release.namespace.kubectl(*force))
    assert seen["gap"] < LONG


def test_kill_of_one_pgbouncer(release: Release, killer: Killer) -> None:
    if not pods(release, "pgbouncer"):
        pytest.skip("has none")
    victim = pods(release, "pgbouncer")[0]
    seen = watch(release, "kill -9 of one of two PgBouncers", lambda: killer.kill(victim, "pgbouncer"))
    assert seen["gap"] < LONG


def test_rolling_restart_of_pgbouncer(release: Release) -> None:
    if not pods(release, "pgbouncer"):
        pytest.skip("has none")
    restart = ["rollout", "restart", "deployment/pgbouncer"]
    seen = watch(release, "rolling restart of PgBouncer", lambda: release.namespace.kubectl(*restart))
    assert seen["gap"] < LONG


def test_kill_of_postgres(release: Release, killer: Killer) -> None:
    [victim] = pods(release, "postgresql")
    seen = watch(release, "kill -9 of PostgreSQL", lambda: killer.kill(victim, "postgresql"))
    assert seen["gap"] < 2 * LONG
    # MLflow's client tries these again.
    assert all(failure.startswith(("503 ", "TimeoutError: ")) for failure, _ in seen["failures"])


def test_forced_deletion_of_postgres(release: Release) -> None:
    force = ["delete", "pod", "postgres-0", "--force", "--grace-period=0"]
    watch(release, "forced deletion of PostgreSQL", lambda: release.namespace.kubectl(*force))
