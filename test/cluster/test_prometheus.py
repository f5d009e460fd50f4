"""With the Prometheus operator: targets are up, panels have data, alerts fire and end with their cause."""

from __future__ import annotations

import json
import re
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import pytest
from cluster import Failed, new_namespace
from prometheus import alerts, query, require_prometheus, targets
from release import CLIENT, Release
from settings import MLFLOW_IMAGE
from stand_in import certificates, secret
from waiting import eventually
from watch import FIGURES, Watch

from examples import ADMINISTRATOR, ADMINISTRATOR_PASSWORD, Example

EXAMPLE = Example("watched", auth_secret="mlflow-auth", namespace="mlflow-watched")
URL = "https://mlflow:5000"
CA = "/tmp/ca.crt"
LOGIN = [f"MLFLOW_TRACKING_USERNAME={ADMINISTRATOR}", f"MLFLOW_TRACKING_PASSWORD={ADMINISTRATOR_PASSWORD}"]
FIRING, QUIET = "firing", "inactive"


@pytest.fixture(scope="module", autouse=True)
def installed() -> None:
    require_prometheus()


@pytest.fixture(scope="module")
def release(installed: None, synthesized) -> Iterator[Release]:
    with new_namespace("prometheus") as namespace:
        namespace.create_pod(CLIENT, MLFLOW_IMAGE, 1001)
        files = certificates("mlflow", f"mlflow.{namespace.name}.svc")
        namespace.create(secret("mlflow-tls", files))
        trust = ["exec", "-i", CLIENT, "--", "sh", "-c", f"cat > {CA}"]
        namespace.kubectl(*trust, stdin=files["ca.crt"].decode())
        keys = [
            f"--from-literal={name}=of-32-characters-or-more-{name}" for name in ("flask-key", "passphrase")
        ]
        password = f"--from-literal=admin-password={ADMINISTRATOR_PASSWORD}"
        namespace.kubectl("create", "secret", "generic", "mlflow-auth", password, *keys)
        login = [
            f"--from-literal=username={ADMINISTRATOR}",
            f"--from-literal=password={ADMINISTRATOR_PASSWORD}",
        ]
        namespace.kubectl("create", "secret", "generic", "mlflow-scraper", *login)
        release = Release(EXAMPLE, namespace, synthesized)
        # What is waited for is the cause, not the patience of the alerts.
        release.manifest = re.sub(r"^(\s+for: )\d+[smhd]$", r"\g<1>10s", release.manifest, flags=re.MULTILINE)
        release.manifest = release.manifest.replace("[5m]", "[1m]").replace("[15m]", "[2m]")
        release.start()
        yield release


def load(release: Release, title: str, **clients: int) -> Watch:
    return Watch(release.namespace, title, url=URL, ca=CA, login=LOGIN, **clients)


def test_every_target_is_up(release: Release) -> None:
    name = release.namespace.name

    def all_up() -> bool:
        found = targets(name)
        return {each.partition("/")[0] for each in found} == {"mlflow", "postgres-exporter"} and set(
            found.values()
        ) == {"up"}

    eventually(all_up, lambda: targets(name), 180, pause=2)


def test_every_panel_has_data(release: Release) -> None:
    [dashboard] = [
        json.loads(text)
        for each in release.namespace.get("configmaps", "-l", "grafana_dashboard=1")["items"]
        for text in each["data"].values()
    ]
    panels = [panel for panel in dashboard["panels"] if panel.get("targets")]
    assert len(panels) > 5
    with load(release, "watched", log_metric=2, search=1):
        time.sleep(30)
        empty = {
            f"{panel['title']}: {target['expr']}"
            for panel in panels
            for target in panel["targets"]
            if not query(target["expr"].replace("$__rate_interval", "1m"))
        }
    assert empty == set()


def test_no_alert_without_a_cause(release: Release) -> None:
    eventually(lambda: not alerts_of(release), lambda: alerts_of(release), 240, pause=3)


def alerts_of(release: Release) -> dict[str, str]:
    """Without the one on volumes where these are folders on the disk of a node."""
    found = alerts(release.namespace.name)
    if not volumes_have_sizes(release):
        found.pop("MlflowVolumeNearlyFull", None)
    return {name: state for name, state in found.items() if state != QUIET}


def volumes_have_sizes(release: Release) -> bool:
    sizes = query(f'kubelet_volume_stats_capacity_bytes{{namespace="{release.namespace.name}"}}')
    # No claim asks for more than 10 GiB.
    return sizes != [] and all(float(each["value"][1]) < 11 * 2**30 for each in sizes)


@contextmanager
def firing(release: Release, *names: str, seconds: float = 240) -> Iterator[None]:
    """The alerts fire while the cause lasts: the `with` removes it, and then all of them end."""
    begun = time.monotonic()
    for name in names:
        eventually(
            lambda name=name: alerts_of(release).get(name) == FIRING,
            lambda name=name: f"{name} fires: {alerts_of(release)}",
            seconds,
            pause=2,
        )
        FIGURES.append(f"{name} fires after {time.monotonic() - begun:.0f} s")
    yield
    begun = time.monotonic()
    eventually(lambda: not set(names) & set(alerts_of(release)), lambda: alerts_of(release), 420, pause=2)
    FIGURES.append(f"{', '.join(names)}: over after {time.monotonic() - begun:.0f} s")


def test_a_volume_is_nearly_full(release: Release) -> None:
    if not volumes_have_sizes(release):
        pytest.skip("the volumes of this cluster are folders, or their sizes are not known to Prometheus")
    name = ["exec", "deployment/mlflow", "-c", "mlflow", "--", "python", "-c"]
    fill = (
        "import os, shutil; size = shutil.disk_usage('/mlflow/artifacts');"
        "file = os.open('/mlflow/artifacts/filled', os.O_CREAT | os.O_WRONLY);"
        "os.posix_fallocate(file, 0, size.free - size.total // 20)"
    )
    release.namespace.kubectl(*name, fill)
    with firing(release, "MlflowVolumeNearlyFull", seconds=900):
        release.namespace.kubectl(*name, "import os; os.remove('/mlflow/artifacts/filled')")


def scale(release: Release, what: str, replicas: int) -> None:
    release.namespace.kubectl("scale", what, f"--replicas={replicas}")


def test_the_database_is_down(release: Release) -> None:
    # The database has the login of the scraper, too: the server does not answer it.
    names = ["MlflowDatabaseDown", "MlflowServerDown"]
    with load(release, "watched, no database", pause=0.5, log_metric=3):
        scale(release, "statefulset/postgres", 0)
        with firing(release, *names):
            scale(release, "statefulset/postgres", 1)


def test_nothing_exports_the_database(release: Release) -> None:
    scale(release, "deployment/postgres-exporter", 0)
    with firing(release, "MlflowDatabaseNotMonitored"):
        scale(release, "deployment/postgres-exporter", 1)


def test_the_connections_are_used_up(release: Release) -> None:
    many = holding(release, "held = [connect() for _ in range(82)]")
    with many as let_go, firing(release, "MlflowConnectionsNearlyUsedUp"):
        let_go()


def test_all_threads_wait_for_the_database(release: Release) -> None:
    lock = holding(release, "held = connect(); held.cursor().execute('LOCK TABLE experiments')")
    with ExitStack() as clients:
        clients.enter_context(load(release, "watched, a locked table", search=12))
        with lock as let_go, firing(release, "MlflowPoolNearlyFull"):
            let_go()
            # As many clients as there are threads fill the pool, too.
            clients.close()


def test_the_server_is_down(release: Release) -> None:
    names = ["MlflowServerDown"]
    if query("kube_deployment_status_replicas_unavailable"):
        names.append("MlflowPodsUnavailable")
    release.namespace.kubectl("set", "image", "deployment/mlflow", "mlflow=registry.example.com/none:1")
    with firing(release, *names):
        release.apply()
        release.wait_for_rollout()


def test_pods_restart(release: Release) -> None:
    if not query("kube_pod_container_status_restarts_total"):
        pytest.skip("no kube-state-metrics")
    name = release.namespace.name
    for restarts in (1, 2, 3):
        assert alerts(name)["MlflowPodsRestarting"] == QUIET
        # Python as the first process of a container ignores the signal until MLflow has begun.
        release.wait_until_settled()
        eventually(lambda: stopped(release), "the server is stopped", 120, pause=2)
        eventually(
            lambda restarts=restarts: restarted(release) >= restarts, f"{restarts} restarts", 120, pause=1
        )
    eventually(
        lambda: alerts(name)["MlflowPodsRestarting"] == FIRING, lambda: alerts_of(release), 120, pause=2
    )


def on_each_metric(does: str) -> str:
    function = (
        f"CREATE FUNCTION happens() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN {does}; RETURN NEW; END$$"
    )
    return (
        f"{function}; CREATE TRIGGER happens BEFORE INSERT ON metrics FOR EACH ROW EXECUTE FUNCTION happens()"
    )


NOTHING = "DROP FUNCTION happens CASCADE"


def test_requests_fail(release: Release) -> None:
    with load(release, "watched, no room for a metric", log_metric=3, pause=0.5):
        execute(release, on_each_metric("RAISE EXCEPTION 'no room' USING ERRCODE = 'disk_full'"))
        with firing(release, "MlflowErrorRatio"):
            execute(release, NOTHING)


def test_an_operation_fails(release: Release) -> None:
    if not query("kube_cronjob_status_last_schedule_time"):
        pytest.skip("no kube-state-metrics")
    execute(release, "ALTER TABLE runs RENAME TO runs_away")
    with firing(release, "MlflowOperationFailed", seconds=600):
        execute(release, "ALTER TABLE runs_away RENAME TO runs")


def test_the_database_is_slow(release: Release) -> None:
    with load(release, "watched, a slow table", log_metric=3):
        execute(release, on_each_metric("PERFORM pg_sleep(3)"))
        with firing(release, "MlflowLatency"):
            execute(release, NOTHING)


def test_no_backup_is_made(release: Release) -> None:
    if not query("kube_cronjob_status_last_successful_time"):
        pytest.skip("no kube-state-metrics")
    suspend(release, "cronjob/mlflow-backup", True)
    with firing(release, "MlflowBackupTooOld", seconds=600):
        suspend(release, "cronjob/mlflow-backup", False)


def execute(release: Release, statements: str) -> str:
    login = ["env", "PGPASSWORD=mlflow_password", "psql", "-h", "127.0.0.1", "-U", "mlflow", "-d", "mlflow"]
    options = ["-v", "ON_ERROR_STOP=1", "-Atc", statements]
    return release.namespace.kubectl("exec", "postgres-0", "--", *login, *options).strip()


def suspend(release: Release, cron_job: str, value: bool) -> None:
    release.namespace.kubectl("patch", cron_job, "-p", json.dumps({"spec": {"suspend": value}}))


def test_the_schema_is_newer(release: Release) -> None:
    if not query("kube_pod_init_container_status_restarts_total"):
        pytest.skip("no kube-state-metrics")
    revision = execute(release, "SELECT version_num FROM alembic_version")
    execute(release, "UPDATE alembic_version SET version_num = 'unknown'")
    release.namespace.kubectl("rollout", "restart", "deployment/mlflow")
    with firing(release, "MlflowMigrationFailed"):
        execute(release, f"UPDATE alembic_version SET version_num = '{revision}'")
        release.namespace.kubectl("delete", "pods", "-l", "app.kubernetes.io/name=mlflow", "--wait=false")
        release.wait_for_rollout()


def stopped(release: Release) -> bool:
    try:
        release.namespace.kubectl("exec", "deployment/mlflow", "-c", "mlflow", "--", "sh", "-c", "kill 1")
    except Failed:
        return False
    return True


def restarted(release: Release) -> int:
    pods = release.pods_of(release.namespace.get("deployment", "mlflow"))
    statuses = [each for pod in pods for each in pod["status"].get("containerStatuses", [])]
    return max((int(each["restartCount"]) for each in statuses), default=0)


HOLD = """
import os, time, psycopg2
connect = lambda: psycopg2.connect("")
{statement}
print("holds", flush=True)
while not os.path.exists("/tmp/let-go"):
    time.sleep(0.2)
"""


@contextmanager
def holding(release: Release, statement: str) -> Iterator[Callable[[], None]]:
    """A program in the pod that may reach the database holds something of it until told to let go."""
    namespace = release.namespace
    place = ("deployment/mlflow", "-c", "mlflow")
    namespace.kubectl("exec", *place, "--", "rm", "-f", "/tmp/let-go")
    python = ["python", "-c", HOLD.format(statement=statement)]
    command = ["kubectl", "exec", "-n", namespace.name, *place, "--", *python]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "holds\n"

    def let_go() -> None:
        namespace.kubectl("exec", *place, "--", "touch", "/tmp/let-go")
        process.communicate(timeout=60)

    try:
        yield let_go
    finally:
        let_go()
