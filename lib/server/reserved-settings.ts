import type { Problems } from '../validation/problems';

// What the library sets, by the prop that it sets it from. A second value would win silently, on one container only.
const RESERVED_VARIABLES: [RegExp, string][] = [
  [
    /^PG(HOST|HOSTADDR|PORT|DATABASE|USER|PASSWORD|PASSFILE|SERVICE|SSL\w+|TARGETSESSIONATTRS|CONNECT_TIMEOUT|APPNAME)$/,
    'backend',
  ],
  [/^MLFLOW_(BACKEND_STORE_URI|TRACKING_URI|REGISTRY_STORE_URI)$/, 'backend'],
  [/^(MLFLOW_READ_REPLICA_BACKEND_STORE_URI|READ_REPLICA_HOST)$/, 'readFromReplica'],
  [/^MLFLOW_SQLALCHEMYSTORE_/, 'pooling'],
  [/^MLFLOW_(SERVE_ARTIFACTS|ARTIFACTS_DESTINATION|DEFAULT_ARTIFACT_ROOT)$/, 'artifactRoot'],
  [/^MLFLOW_SERVER_ALLOWED_HOSTS$/, 'allowedHosts'],
  [/^MLFLOW_SERVER_CORS_ALLOWED_ORIGINS$/, 'corsAllowedOrigins'],
  [/^MLFLOW_SERVER_ENABLE_JOB_EXECUTION$/, 'jobExecution'],
  [/^(MLFLOW_DISABLE_TELEMETRY|DO_NOT_TRACK)$/, 'telemetry'],
  [/^(MLFLOW_EXPOSE_PROMETHEUS|PROMETHEUS_MULTIPROC_DIR|prometheus_multiproc_dir)$/, 'metrics'],
  [/^MLFLOW_(AUTH_CONFIG_PATH|AUTH_ADMIN_USERNAME|AUTH_ADMIN_PASSWORD|FLASK_SERVER_SECRET_KEY)$/, 'auth'],
  [/^MLFLOW_(CRYPTO_KEK_PASSPHRASE|WEBHOOK_SECRET_ENCRYPTION_KEY)$/, 'encryption'],
  [/^MLFLOW_LOGGING_LEVEL$/, 'logLevel'],
  [/^MLFLOW_WORKERS$/, 'workers'],
  [/^SERVER_THREADS$/, 'threads'],
  [/^MLFLOW_STATIC_PREFIX$/, 'staticPrefix'],
  [/^MLFLOW_(HOST|PORT)$/, 'service.port'],
  [/^(HOME|POD_NAMESPACE|PYTHONPATH|PYTHONDONTWRITEBYTECODE)$/, ''],
];

const RESERVED_ARGUMENTS: Record<string, string> = {
  '--backend-store-uri': 'backend',
  '--registry-store-uri': 'backend',
  '--workers': 'workers',
  '--host': '',
  '--port': 'service.port',
  '--static-prefix': 'staticPrefix',
  '--serve-artifacts': 'artifactRoot',
  '--no-serve-artifacts': 'artifactRoot',
  '--artifacts-destination': 'artifactRoot',
  '--default-artifact-root': 'artifactRoot',
  '--allowed-hosts': 'allowedHosts',
  '--cors-allowed-origins': 'corsAllowedOrigins',
  '--app-name': 'auth',
  '--uvicorn-opts': 'logLevel',
  '--expose-prometheus': 'metrics',
};

/** Refuses environment variables that the library sets itself. */
export function checkExtraVariables(problems: Problems, prop: string, names: string[]): void {
  for (const name of names) {
    const reserved = RESERVED_VARIABLES.find(([pattern]) => pattern.test(name));
    if (reserved !== undefined) {
      problems.reserved(`${prop}.${name}`, reserved[1]);
    } else if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) {
      problems.add(prop, 'must have names of letters, digits and underscores', name);
    }
  }
}

/** Refuses arguments that the library passes itself. */
export function checkExtraArguments(problems: Problems, args: string[]): void {
  for (const arg of args) {
    const owner = RESERVED_ARGUMENTS[arg.split('=')[0] ?? ''];
    if (owner !== undefined) {
      problems.reserved(`extraArgs ${arg}`, owner);
    }
  }
}
