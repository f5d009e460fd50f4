"""A SQLite database such as a server without PostgreSQL leaves behind, made by MLflow's own client.

usage: python sqlite_server.py FILE SMALL_FILE RUNS METRICS_OF_A_RUN

The small file is the same database before the most of its runs were logged.
"""

from __future__ import annotations

import json
import math
import random
import shutil
import sys

import mlflow
import sqlalchemy
from mlflow import MlflowClient
from mlflow.entities import (
    AssessmentSource,
    Dataset,
    DatasetInput,
    Expectation,
    Feedback,
    InputTag,
    LoggedModelOutput,
    Metric,
    Param,
    RunTag,
)

# What a careless copy would lose: escapes of COPY, quotes, other scripts, controls, and the look of NULL.
ODD = [
    "Grüße, 世界 🚀",
    "tab\tnewline\nreturn\r\\N \\. \\t",
    "'; DROP TABLE runs; --",
    '{"json": "\\u0000", "x": [1, 2]}',
    "\x01\x1f\x7f\x85\u2028\ufeff",
    "  spaces  ",
    "NULL",
    "%s %(x)s {} $1 ${HOME}",
    "é e\u0301 \U0010ffff",
]
NUMBERS = [
    math.nan,
    math.inf,
    -math.inf,
    0.1,
    -0.0,
    5e-324,
    1.7976931348623157e308,
    2**53 + 1.0,
    1e-7,
    -1 / 3,
]
LARGE = 2**62 + 1
ROOT = "/mlruns"
STATUSES = ["FINISHED", "FAILED", "KILLED", "RUNNING", "SCHEDULED"]


def log_runs(client: MlflowClient, experiments: list[str], runs: range, points: int) -> list[str]:
    """By batches, as training scripts log."""
    dice, ids = random.Random(17), []
    for number in runs:
        experiment = experiments[number % len(experiments)]
        run = client.create_run(
            experiment, run_name=ODD[number % 9] if number < 18 else f"run {number}", start_time=number
        )
        ids.append(run.info.run_id)
        values = [NUMBERS[i] if i < 10 and number < 50 else dice.gauss(0, 1) for i in range(points)]
        metrics = [
            Metric(
                f"metric {i % 5}", value, 1_700_000_000_000 + i, LARGE if i == 3 and number < 50 else i // 5
            )
            for i, value in enumerate(values)
        ]
        params = [Param("number", str(number)), Param("odd", ODD[number % 9]), Param("empty", "")]
        tags = [
            RunTag("odd/" + "k" * 100, ODD[-1 - number % 9]),
            RunTag("long", "ü" * 5000 if number % 100 == 0 else ""),
        ]
        client.log_batch(ids[-1], metrics, params, tags)
        if number % 10 == 0:
            dataset = Dataset(
                f"data {number % 30}", f"{number % 30:08}", "local", json.dumps({"uri": ODD[0]}), "{}", "{}"
            )
            client.log_inputs(
                ids[-1], [DatasetInput(dataset, [InputTag("mlflow.data.context", ODD[number % 9])])]
            )
        client.set_terminated(ids[-1], STATUSES[number % 5], end_time=2**40 + number)
    return ids


def log_traces(count: int) -> None:
    ids = []
    for number in range(count):
        with mlflow.start_span(f"root {ODD[number % 9]}") as root:
            root.set_inputs({"question": ODD[number % 9], "n": number})
            root.set_attributes(
                {
                    "mlflow.chat.tokenUsage": {
                        "input_tokens": number,
                        "output_tokens": 2,
                        "total_tokens": number + 2,
                    }
                }
            )
            for i in range(3):
                with mlflow.start_span(f"child {i}", span_type="LLM") as child:
                    child.set_outputs({"answer": ODD[i], "score": NUMBERS[3 + i]})
            root.set_outputs(ODD[-1 - number % 9])
        ids.append(root.trace_id)
    mlflow.flush_trace_async_logging()
    for number, trace in enumerate(ids):
        mlflow.set_trace_tag(trace, "odd", ODD[number % 9])
        source = AssessmentSource("HUMAN", ODD[0])
        mlflow.log_assessment(
            trace, Feedback(name="good", value=number % 2 == 0, source=source, rationale=ODD[1])
        )
        mlflow.log_assessment(trace, Expectation(name="answer", value={"x": [1, ODD[2]]}, source=source))


def log_models(client: MlflowClient, experiment: str, runs: list[str]) -> None:
    for number, run in enumerate(runs):
        model = client.create_logged_model(
            experiment,
            f"model-{number}",
            run,
            tags={"odd": ODD[number % 9]},
            params={"depth": ODD[-1 - number % 9]},
            model_type="agent",
        )
        client.log_outputs(run, [LoggedModelOutput(model.model_id, number)])
        client.log_batch(run, [Metric("accuracy", NUMBERS[3 + number % 7], 1, 2, model_id=model.model_id)])
        client.finalize_logged_model(model.model_id, "READY" if number % 2 else "FAILED")


def register(client: MlflowClient, runs: list[str]) -> None:
    for number in range(10):
        name = f"model {number} {ODD[0]}"
        client.create_registered_model(name, {"odd": ODD[number % 9]}, description=ODD[1])
        for i in range(3):
            location = client.get_run(runs[number]).info.artifact_uri
            version = client.create_model_version(
                name, f"{location}/model", runs[number], {"odd": ODD[i]}, description=ODD[-1 - i]
            )
        client.set_registered_model_alias(name, "champion", version.version)
        client.set_registered_model_alias(name, "früher", "1")


def main(path: str, small: str, runs: int, points: int) -> None:
    uri = f"sqlite:///{path}"
    # As fast as the disk's cache: what is made here is not to outlive a crash.
    sqlalchemy.event.listen(
        sqlalchemy.Engine, "connect", lambda connection, _: connection.execute("PRAGMA synchronous = OFF")
    )
    mlflow.set_tracking_uri(uri)
    mlflow.set_registry_uri(uri)
    client = MlflowClient(uri, uri)
    experiments = ["0"] + [
        client.create_experiment(f"{number} {odd}".strip(), f"{ROOT}/{number}", {"odd": odd, "team": "ml"})
        for number, odd in enumerate(ODD, 1)
    ]
    mlflow.set_experiment(experiment_id=experiments[1])
    ids = log_runs(client, experiments, range(20), points)
    log_traces(50)
    log_models(client, experiments[2], ids)
    register(client, ids)
    client.delete_run(ids[5])
    shutil.copyfile(path, small)
    ids += log_runs(client, experiments, range(20, runs), points)
    for run in ids[100::97]:
        client.delete_run(run)
    client.delete_experiment(experiments[-1])


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
