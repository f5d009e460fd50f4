import { libraryPackage, type NewApp, pipeline, readme } from './new-app';

/** A new app in Python. */
export function pythonApp(name: string): NewApp {
  const { version } = libraryPackage();
  return {
    files: {
      'requirements.txt': `cdk8s-mlflow==${version}\npytest\n`,
      'cdk8s.yaml': 'language: python\napp: python main.py\n',
      'main.py': `from cdk8s import App

from mlflow_chart import Mlflow

app = App()
Mlflow(app, "${name}")
app.synth()
`,
      'mlflow_chart.py': `from cdk8s import Chart
from cdk8s_mlflow import ExistingSecretPostgres, MlflowServer
from constructs import Construct


class Mlflow(Chart):
    """An MLflow server, in a namespace of the chart's name."""

    def __init__(self, scope: Construct, id: str) -> None:
        super().__init__(scope, id, namespace=id)

        postgres = ExistingSecretPostgres(
            self, "postgres", host="your-postgres-host", secret_name=f"{id}-database"
        )
        MlflowServer(self, id, backend=postgres)
`,
      'test_mlflow.py': `from cdk8s import Testing

from mlflow_chart import Mlflow


def test_a_deployment_and_a_service_of_the_same_name() -> None:
    manifests = Testing.synth(Mlflow(Testing.app(), "${name}"))
    names = {each["kind"]: each["metadata"]["name"] for each in manifests}
    assert (names["Deployment"], names["Service"]) == ("${name}", "${name}")
`,
      '.gitignore': '.venv/\n__pycache__/\n.pytest_cache/\ndist/\n',
      '.github/workflows/synth.yml': pipeline([
        'uses: actions/setup-node@v4\n        with:\n          node-version: 22',
        'uses: actions/setup-python@v5\n        with:\n          python-version: "3.12"\n          cache: pip',
        'run: pip install -r requirements.txt',
        'run: pytest',
        'run: python main.py',
      ]),
      'README.md': readme(name, { test: 'pip install -r requirements.txt && pytest', synth: 'python main.py' }),
    },
    next: [
      'python3 -m venv .venv && . .venv/bin/activate',
      'pip install -r requirements.txt',
      'pytest',
      'python main.py',
    ],
  };
}
