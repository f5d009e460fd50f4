"""The library from Python: the wheel that jsii makes, installed in an environment of its own."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
APP = Path(__file__).with_name("python_app.py")
EXAMPLES = Path(__file__).with_name("python_examples.py")


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Python that has the library and nothing else of this repository."""
    folder = tmp_path_factory.mktemp("python")
    environment = {**os.environ, "JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION": "20"}
    pacmak = ["npx", "jsii-pacmak", "--targets", "python", "--outdir", str(folder / "packages")]
    run(["npm", "run", "--silent", "build"], cwd=ROOT, env=environment)
    run(pacmak, cwd=ROOT, env=environment)
    [wheel] = (folder / "packages" / "python").glob("*.whl")
    run([sys.executable, "-m", "venv", str(folder / "venv")])
    interpreter = folder / "venv" / "bin" / "python"
    run([str(interpreter), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", str(wheel)])
    return interpreter


def test_backends_and_profiles_written_in_python(python: Path, tmp_path: Path) -> None:
    result = json.loads(run([str(python), str(APP)], cwd=tmp_path))
    deployments = {m["metadata"]["name"]: m for m in result["manifests"] if m["kind"] == "Deployment"}
    assert variable(deployments["mlflow"], "MLFLOW_SQLALCHEMYSTORE_POOL_SIZE") == "12"
    assert variable(deployments["other"], "PGHOST") == "own-db"
    assert variable(deployments["other"], "MLFLOW_SQLALCHEMYSTORE_ECHO") == "true"
    assert '  Deployment_mlflow -->|"5432"| db\n' in result["diagram"]
    assert result["error"].startswith("[mlflow/bad] `host` must be given, got an empty string.")


def test_the_first_server_in_readme(python: Path, tmp_path: Path) -> None:
    """It makes the YAML of the same server in TypeScript."""
    [code] = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    made = {}
    for language, command in {
        "python": [str(python), "-c", code],
        "typescript": ["npx", "tsx", "examples/first-server.ts"],
    }.items():
        run(command, cwd=ROOT, env={**os.environ, "CDK8S_OUTDIR": str(tmp_path / language)})
        made[language] = (tmp_path / language / "mlflow.k8s.yaml").read_text()
    assert "kind: Deployment" in made["python"]
    assert made["python"] == made["typescript"]


def test_an_app_of_the_init_command(python: Path, tmp_path: Path) -> None:
    program = ["node", "build/lib/cli/main.js", "init", "--language", "python", "--name", "tracking"]
    run([*program, str(tmp_path)], cwd=ROOT)
    # Its own test, without pytest.
    test = "test_a_deployment_and_a_service_of_the_same_name"
    run([str(python), "-c", f"import test_mlflow; test_mlflow.{test}()"], cwd=tmp_path)
    run([str(python), "main.py"], cwd=tmp_path)
    made = yaml.safe_load_all((tmp_path / "dist" / "tracking.k8s.yaml").read_text())
    [server] = [each for each in made if each["kind"] == "Deployment"]
    assert (server["metadata"]["name"], server["metadata"]["namespace"]) == ("tracking", "tracking")


def test_python_in_docs_and_doc_comments_can_be_read() -> None:
    pages = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
    text = "\n".join(page.read_text() for page in pages)
    blocks = re.findall(r"^```python\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    assert len(blocks) > 5
    for block in blocks:
        ast.parse(block)


def test_the_examples(python: Path, tmp_path: Path) -> None:
    """Those that docs show make the manifests and the runbooks of the same in TypeScript."""
    commands = {
        "python": [str(python), str(EXAMPLES), str(ROOT / "examples")],
        "typescript": ["npx", "tsx", "examples/main.ts"],
    }
    for language, command in commands.items():
        run(command, cwd=ROOT, env={**os.environ, "CDK8S_OUTDIR": str(tmp_path / language)})
    made = sorted(path.name for path in (tmp_path / "python").iterdir())
    assert len(made) > 30
    for name in made:
        # The keys of what is added by a patch keep their order.
        read = (lambda text: list(yaml.safe_load_all(text))) if name.endswith(".yaml") else str
        in_python, in_typescript = (read((tmp_path / language / name).read_text()) for language in commands)
        assert in_python == in_typescript, name


def test_the_apps_of_from_helm(python: Path, tmp_path: Path) -> None:
    """Printed in Python, each makes the manifests of the same in TypeScript."""
    run(["npx", "tsx", "test/python/from_helm_apps.ts", str(tmp_path)], cwd=ROOT)
    run([str(python), str(EXAMPLES.with_name("from_helm_apps.py")), str(tmp_path)], cwd=tmp_path)
    apps = sorted(tmp_path.iterdir())
    assert len(apps) > 45
    for app in apps:
        in_python, in_typescript = (
            list(yaml.safe_load_all((app / language / "mlflow.k8s.yaml").read_text()))
            for language in ("python", "typescript")
        )
        assert in_python == in_typescript, app.name


def variable(deployment: dict, name: str) -> str:
    [container] = deployment["spec"]["template"]["spec"]["containers"]
    return next(each["value"] for each in container["env"] if each["name"] == name)


def run(command: list[str], **options: object) -> str:
    done = subprocess.run(command, check=False, capture_output=True, text=True, **options)
    assert done.returncode == 0, f"{command}: {done.stdout}\n{done.stderr}"
    return done.stdout
