"""A request does not wait: for the network to send the rest of an answer, or for each update of a batch."""

from __future__ import annotations

import statistics
import time
from typing import Any

import pytest
import synthesis
from kubelet.kubernetes import Namespace
from kubelet.pod import Pod
from postgres import Postgres
from tracking import url_of
from tracking_api import Caller

pytestmark = pytest.mark.migrated

# How long Linux waits at least before it acknowledges what it has no answer to.
DELAYED_ACKNOWLEDGEMENT = 0.04

METRICS = [{"key": f"m{each}", "value": 1.0, "timestamp": 1} for each in range(100)]
WATCH = """
CREATE TABLE watched (updates int);
CREATE FUNCTION watch() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
  INSERT INTO public.watched
    SELECT count(*) FROM regexp_matches(current_query(), 'UPDATE latest_metrics', 'g');
  RETURN NULL;
END $$;
CREATE TRIGGER watch AFTER UPDATE ON latest_metrics FOR EACH STATEMENT EXECUTE FUNCTION watch();
"""


@pytest.fixture
def pod(namespace: Namespace, postgres: Postgres) -> Pod:
    namespace.apply(synthesis.server(workers=2))
    [pod] = namespace.deployment()
    return pod.wait_ready()


def seconds(caller: Caller, times: int) -> float:
    """The median of a small search."""

    def search(step: int) -> float:
        begin = time.monotonic()
        answer = caller.post(
            "runs/search", {"experiment_ids": ["0"], "max_results": 1, "filter": "tags.a = 'b'"}
        )
        assert answer.status == 200, (step, answer)
        return time.monotonic() - begin

    return statistics.median(search(each) for each in range(times))


def test_a_connection_that_is_used_again_is_as_fast_as_a_new_one(pod: Pod) -> None:
    new, again = Caller(url_of(pod), fresh=True), Caller(url_of(pod))
    seconds(new, 20)  # each worker's first ones load much
    rounds = [(seconds(new, 25), seconds(again, 25)) for _ in range(3)]
    assert min(used - fresh for fresh, used in rounds) < DELAYED_ACKNOWLEDGEMENT / 2, rounds


def test_the_updates_of_a_batch_are_sent_together(pod: Pod, postgres: Postgres) -> None:
    caller = Caller(url_of(pod))

    def log(step: int) -> Any:
        metrics = [{**each, "step": step, "timestamp": step} for each in METRICS]
        return caller.post("runs/log-batch", {"run_id": caller.run_id, "metrics": metrics})

    assert log(1).status == 200
    with postgres.connect("mlflow") as connection, connection.cursor() as cursor:
        cursor.execute(WATCH)
        assert log(2).status == 200
        cursor.execute("SELECT DISTINCT updates FROM watched")
        assert cursor.fetchall() == [(100,)]
        cursor.execute(
            "SELECT count(*), min(step), max(step) FROM latest_metrics WHERE run_uuid = %s", [caller.run_id]
        )
        assert cursor.fetchone() == (100, 2, 2)
