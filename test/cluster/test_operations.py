"""The Jobs and CronJobs around a server, as pods under the restricted Pod Security Standard."""

from __future__ import annotations

import re

import stand_in
from cluster import Namespace
from release import Release

from examples import BY_NAME

LOGGED = "/mlflow/artifacts"


def finished(namespace: Namespace, job: str) -> str:
    """The log of a Job that has ended well."""
    namespace.kubectl("wait", "--for=condition=Complete", job, "--timeout=300s", seconds=310)
    return namespace.kubectl("logs", job)


def test_role_database_and_server_come_up_together(deploy) -> None:
    with deploy(BY_NAME["bootstrap"]) as release:
        namespace: Namespace = release.namespace
        [job] = namespace.kubectl("get", "jobs", "-o", "name").split()
        log = finished(namespace, job)
        print(log)
        assert 'created role "mlflow_user"\n' in log
        assert 'created database "mlflow", owned by "mlflow_user"\n' in log
        # Nothing had to be started again for it.
        for server in release.servers():
            for pod in release.pods_of(server):
                assert [each["restartCount"] for each in pod["status"]["initContainerStatuses"]] == [0]
        release.client("read", release.log_run("http://mlflow:5000"), "http://mlflow:5000")
        # A second apply runs nothing.
        release.apply()
        assert namespace.kubectl("get", "jobs", "-o", "name").split() == [job]


def test_garbage_collection(deploy) -> None:
    with deploy(BY_NAME["garbage-collection"]) as release:
        kept, young, old = (release.log_run("http://mlflow:5000") for _ in range(3))
        delete(release, young, old)
        age = "deleted_time - 31 * 86400000::bigint"
        stand_in.sql(
            release.namespace,
            f"UPDATE runs SET deleted_time = {age} WHERE run_uuid = :'run' AND deleted_time IS NOT NULL;",
            run=old,
        )
        assert with_artifacts(release) == {kept, young, old}
        release.namespace.kubectl("create", "job", "--from=cronjob/mlflow-gc", "gc-now")
        log = finished(release.namespace, "job/gc-now")
        print(log)
        assert re.search(r"collect-garbage: collected: 1 run, 0 logged models, 0 experiments, ", log)
        assert with_artifacts(release) == {kept, young}
        release.client("read", kept, "http://mlflow:5000")


def delete(release: Release, *run_ids: str) -> None:
    program = "import sys, mlflow; client = mlflow.MlflowClient('http://mlflow:5000');"
    program += " [client.delete_run(each) for each in sys.argv[1:]]"
    release.namespace.kubectl("exec", "client", "--", "python", "-c", program, *run_ids)


def with_artifacts(release: Release) -> set[str]:
    find = ["find", LOGGED, "-name", "note.txt"]
    found = release.namespace.kubectl("exec", "deployment/mlflow", "-c", "mlflow", "--", *find)
    return {path.split("/")[-4] for path in found.split()}
