"""An upgrade that fails in the middle: the dump from before it brings the older MLflow back."""

from __future__ import annotations

import json

import pytest
import synthesis
from kubelet.kubernetes import Namespace
from kubelet.pod import Pod
from old_server import OLD_REVISION, check_old_mlflow_works, fill_old_database
from postgres import Postgres
from test_auth import secret

REVISION = "SELECT version_num FROM alembic_version"


def migration(namespace: Namespace) -> Pod:
    namespace.apply([secret(), *synthesis.server(basicAuth={}, migration="backup")])
    [name] = [name for kind, name in namespace.objects if kind == "Job"]
    return namespace.job(name)


def dumps(namespace: Namespace) -> list[str | None]:
    """The schema revisions of the dumps."""
    folder = namespace.folder_of_claim("mlflow-dumps")
    return [json.loads(path.read_text())["revision"] for path in folder.glob("mlflow-migration-*.json")]


@pytest.mark.slow
def test_the_way_back_from_an_upgrade_that_fails_in_the_middle(
    namespace: Namespace, postgres: Postgres
) -> None:
    fill_old_database(postgres)
    # The users' tables come last, when those of MLflow have changed for good.
    postgres.execute("SET ROLE mlflow; CREATE TABLE experiment_permissions (a int)", "mlflow")
    [failed] = migration(namespace).wait_completed(300)
    assert failed.code == 1 and 'relation "experiment_permissions" already exists' in failed.log, failed
    assert postgres.value(REVISION) != OLD_REVISION
    with pytest.raises(AssertionError, match=r"out-of-date database schema|Can't locate revision"):
        check_old_mlflow_works(postgres)
    assert dumps(namespace) == [OLD_REVISION]

    rollback = namespace.cron_job("rollback")  # kubectl create job --from=cronjob/rollback back
    [restored] = rollback.wait_completed(120)
    assert restored.code == 0, restored
    assert postgres.value(REVISION) == OLD_REVISION
    check_old_mlflow_works(postgres)

    # What was in the way is dropped: the upgrade ends well, and dumps again. The next Job changes nothing.
    postgres.execute("DROP TABLE experiment_permissions", "mlflow")
    for count in (2, 2):
        [upgraded] = migration(namespace).wait_completed(300)
        assert upgraded.code == 0, upgraded
        assert dumps(namespace) == [OLD_REVISION] * count
