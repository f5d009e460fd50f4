import type { Release } from './release';

/** The command that counts what the server has, by the client in its own image, into a file. */
export function countCommand(file: string, { login: kind }: Release): string[] {
  // An administrator sees everything.
  const login =
    kind === undefined ? '' : 'env MLFLOW_TRACKING_USERNAME="$ADMIN" MLFLOW_TRACKING_PASSWORD="$ADMIN_PASSWORD" ';
  return [
    `kubectl exec --stdin --namespace "$NAMESPACE" deployment/"$SERVER" --container mlflow -- ${login}python - > ${file} <<'PYTHON'`,
    'import os',
    'os.environ.setdefault("MLFLOW_TRACKING_URI", "http://localhost:5000")',
    'from mlflow import MlflowClient',
    'from mlflow.entities import ViewType',
    'client = MlflowClient()',
    'def pages(search, **arguments):',
    '    found, token = [], None',
    '    while token != "":',
    '        page = search(page_token=token, **arguments)',
    '        found, token = found + list(page), page.token or ""',
    '    return found',
    'experiments = pages(client.search_experiments, view_type=ViewType.ALL)',
    'print("experiments", len(experiments))',
    'runs = [len(pages(client.search_runs, experiment_ids=[each.experiment_id], run_view_type=ViewType.ALL)) for each in experiments]',
    'print("runs", sum(runs))',
    'print("models", len(pages(client.search_registered_models)))',
    'print("model versions", len(pages(client.search_model_versions)))',
    'PYTHON',
  ];
}
