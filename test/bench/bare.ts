import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';

import { ApiObject, Chart, Duration, JsonPatch, Size } from 'cdk8s';
import * as kplus from 'cdk8s-plus-28';
import type { Construct } from 'constructs';

const SCRIPT_FOLDER = join(__dirname, '..', '..', 'lib', 'scripts');
const SCRIPTS = Object.fromEntries(
  [
    'server/bounded_loop.py',
    'server/certificate_files.py',
    'server/direct_api.py',
    'shared/database_check.py',
    'shared/database_errors.py',
    'shared/database_lock.py',
    'shared/exit_codes.py',
    'shared/init_container.py',
    'server/inspect_database.py',
    'startup/migrate_database.py',
    'shared/log_format.py',
    'shared/mlflow_schema.py',
    'server/password_file.py',
    'server/probe_server.py',
    'server/run_mlflow.py',
    'server/serve_with_metrics.py',
    'startup/user_schema.py',
    'server/uvicorn_log.json',
    'server/flask_bodies.py',
    'startup/database_wait.py',
    'startup/wait_for_database.py',
  ].map((file) => [basename(file), readFileSync(join(SCRIPT_FOLDER, file), 'utf8')]),
);

const ALLOWED_HOSTS =
  'localhost,localhost:*,127.0.0.1,127.0.0.1:*,0.0.0.0,0.0.0.0:*,[::1],[[]::1]:*,10.*.[0-9],10.*.[0-9]:*,10.*.[0-9][0-9],10.*.[0-9][0-9]:*,10.*.[0-9][0-9][0-9],10.*.[0-9][0-9][0-9]:*,192.168.*.[0-9],192.168.*.[0-9]:*,192.168.*.[0-9][0-9],192.168.*.[0-9][0-9]:*,192.168.*.[0-9][0-9][0-9],192.168.*.[0-9][0-9][0-9]:*,172.1[6-9].*.[0-9],172.1[6-9].*.[0-9]:*,172.1[6-9].*.[0-9][0-9],172.1[6-9].*.[0-9][0-9]:*,172.1[6-9].*.[0-9][0-9][0-9],172.1[6-9].*.[0-9][0-9][0-9]:*,172.2[0-9].*.[0-9],172.2[0-9].*.[0-9]:*,172.2[0-9].*.[0-9][0-9],172.2[0-9].*.[0-9][0-9]:*,172.2[0-9].*.[0-9][0-9][0-9],172.2[0-9].*.[0-9][0-9][0-9]:*,172.3[01].*.[0-9],172.3[01].*.[0-9]:*,172.3[01].*.[0-9][0-9],172.3[01].*.[0-9][0-9]:*,172.3[01].*.[0-9][0-9][0-9],172.3[01].*.[0-9][0-9][0-9]:*,100.6[4-9].*.[0-9],100.6[4-9].*.[0-9]:*,100.6[4-9].*.[0-9][0-9],100.6[4-9].*.[0-9][0-9]:*,100.6[4-9].*.[0-9][0-9][0-9],100.6[4-9].*.[0-9][0-9][0-9]:*,100.[7-9][0-9].*.[0-9],100.[7-9][0-9].*.[0-9]:*,100.[7-9][0-9].*.[0-9][0-9],100.[7-9][0-9].*.[0-9][0-9]:*,100.[7-9][0-9].*.[0-9][0-9][0-9],100.[7-9][0-9].*.[0-9][0-9][0-9]:*,100.1[01][0-9].*.[0-9],100.1[01][0-9].*.[0-9]:*,100.1[01][0-9].*.[0-9][0-9],100.1[01][0-9].*.[0-9][0-9]:*,100.1[01][0-9].*.[0-9][0-9][0-9],100.1[01][0-9].*.[0-9][0-9][0-9]:*,100.12[0-7].*.[0-9],100.12[0-7].*.[0-9]:*,100.12[0-7].*.[0-9][0-9],100.12[0-7].*.[0-9][0-9]:*,100.12[0-7].*.[0-9][0-9][0-9],100.12[0-7].*.[0-9][0-9][0-9]:*,[[]f[cd][0-9a-f][0-9a-f]:*],[[]f[cd][0-9a-f][0-9a-f]:*]:*,[[][23][0-9a-f][0-9a-f][0-9a-f]:*],[[][23][0-9a-f][0-9a-f][0-9a-f]:*]:*';

const SECURITY: kplus.ContainerSecurityContextProps = {
  ensureNonRoot: true,
  user: 1001,
  group: 1001,
  privileged: false,
  allowPrivilegeEscalation: false,
  readOnlyRootFilesystem: true,
  capabilities: { drop: [kplus.Capability.ALL] },
  seccompProfile: { type: kplus.SeccompProfileType.RUNTIME_DEFAULT },
};

/** ConfigMaps that all servers of a chart mount. */
export interface SharedConfigMaps {
  readonly scripts: kplus.ConfigMap;
  readonly connection: kplus.ConfigMap;
}

function sharedConfigMaps(scope: Construct, scriptsName: string): SharedConfigMaps {
  const chart = scope.node.id;
  const make = (name: string, component: string, data: Record<string, string>): kplus.ConfigMap => {
    const labels = {
      'app.kubernetes.io/name': 'mlflow',
      'app.kubernetes.io/instance': chart,
      'app.kubernetes.io/component': component,
      'app.kubernetes.io/managed-by': 'cdk8s',
    };
    return new kplus.ConfigMap(scope, component, { metadata: { name, labels }, immutable: true, data });
  };
  return {
    scripts: make(scriptsName, 'scripts', SCRIPTS),
    connection: make(`${chart}-postgres-service-7aadc6f1`, 'postgres-service', {
      'pg_service.conf':
        '[mlflow]\nkeepalives_idle=30\nkeepalives_interval=10\nkeepalives_count=3\ntcp_user_timeout=20000\n',
    }),
  };
}

/** What somebody would write with cdk8s-plus-28 alone to get the objects of an ExternalPostgres and an MlflowServer. */
export function bareServer(scope: Construct, n: number, shared: SharedConfigMaps, revision: string): void {
  const id = `mlflow-${String(n)}`;
  const selector = {
    'app.kubernetes.io/name': 'mlflow',
    'app.kubernetes.io/instance': id,
    'app.kubernetes.io/component': 'server',
  };
  const labels = { ...selector, 'app.kubernetes.io/managed-by': 'cdk8s' };
  const secret = new kplus.Secret(scope, `postgres-${String(n)}`, {
    metadata: { name: `postgres-${String(n)}`, labels: { 'app.kubernetes.io/managed-by': 'cdk8s' } },
    stringData: { username: 'mlflow', password: 'secret' },
  });
  const claim = new kplus.PersistentVolumeClaim(scope, `${id}-claim`, {
    metadata: { name: `${id}-artifacts`, labels: { ...labels, 'app.kubernetes.io/component': 'artifacts' } },
    accessModes: [kplus.PersistentVolumeAccessMode.READ_WRITE_ONCE],
    storage: Size.gibibytes(10),
  });
  const serviceAccount = new kplus.ServiceAccount(scope, `${id}-account`, {
    metadata: { name: id, labels },
    automountToken: false,
  });
  const tmp = kplus.Volume.fromEmptyDir(scope, `${id}-tmp`, 'tmp');
  const scriptVolume = kplus.Volume.fromConfigMap(scope, `${id}-scripts-volume`, shared.scripts, { name: 'scripts' });
  const connectionVolume = kplus.Volume.fromConfigMap(scope, `${id}-connection-volume`, shared.connection, {
    name: 'postgres-service',
  });
  const passwordVolume = kplus.Volume.fromSecret(scope, `${id}-password-volume`, secret, {
    name: 'postgres-password',
    items: { password: { path: 'password', mode: 0o440 } },
  });
  const artifacts = kplus.Volume.fromPersistentVolumeClaim(scope, `${id}-artifacts`, claim, { name: 'artifacts' });
  const text = (value: string): kplus.EnvValue => kplus.EnvValue.fromValue(value);
  const base = {
    image: 'ghcr.io/mlflow/mlflow:v3.18.0-full',
    imagePullPolicy: kplus.ImagePullPolicy.IF_NOT_PRESENT,
    securityContext: SECURITY,
  };
  const env = {
    PGHOST: text('db'),
    PGPORT: text('5432'),
    PGDATABASE: text('mlflow'),
    PGUSER: kplus.EnvValue.fromSecretValue({ secret, key: 'username' }),
    PGPASSWORD: kplus.EnvValue.fromSecretValue({ secret, key: 'password' }),
    PGSSLMODE: text('require'),
    PGCONNECT_TIMEOUT: text('5'),
    PGSERVICE: text('mlflow'),
    PGSERVICEFILE: text('/etc/postgres-service/pg_service.conf'),
    MLFLOW_BACKEND_STORE_URI: text('postgresql+psycopg2://'),
    MLFLOW_DEFAULT_ARTIFACT_ROOT: text('mlflow-artifacts:/'),
    MLFLOW_DISABLE_TELEMETRY: text('true'),
    DO_NOT_TRACK: text('true'),
    HOME: text('/tmp'),
  };
  const mounts = [
    { path: '/tmp', volume: tmp },
    { path: '/opt/mlflow/scripts', volume: scriptVolume, readOnly: true },
    { path: '/etc/postgres-service', volume: connectionVolume, readOnly: true },
  ];
  const init = (name: string, script: string, more: Record<string, kplus.EnvValue>): kplus.ContainerProps => ({
    ...base,
    name,
    command: ['python', `/opt/mlflow/scripts/${script}`],
    envVariables: { ...env, PGAPPNAME: text(name), ...more },
    volumeMounts: mounts,
    resources: {
      cpu: { request: kplus.Cpu.millis(250), limit: kplus.Cpu.units(1) },
      memory: { request: Size.mebibytes(256), limit: Size.mebibytes(512) },
      ephemeralStorage: { request: Size.gibibytes(1), limit: Size.gibibytes(1) },
    },
  });
  const probe = (periodSeconds: number, failureThreshold: number): kplus.Probe =>
    kplus.Probe.fromHttpGet('/health', {
      port: 5000,
      periodSeconds: Duration.seconds(periodSeconds),
      timeoutSeconds: Duration.seconds(5),
      failureThreshold,
    });
  const service = [
    id,
    `${id}.$(POD_NAMESPACE)`,
    `${id}.$(POD_NAMESPACE).svc`,
    `${id}.$(POD_NAMESPACE).svc.cluster.local`,
  ];
  const deployment = new kplus.Deployment(scope, `${id}-deployment`, {
    metadata: { name: id, labels },
    podMetadata: { labels, annotations: { 'cdk8s-mlflow/credentials-revision': revision } },
    select: false,
    replicas: 1,
    strategy: kplus.DeploymentStrategy.recreate(),
    serviceAccount,
    automountServiceAccountToken: false,
    securityContext: {
      ensureNonRoot: true,
      user: 1001,
      group: 1001,
      fsGroup: 1001,
      fsGroupChangePolicy: kplus.FsGroupChangePolicy.ON_ROOT_MISMATCH,
    },
    terminationGracePeriod: Duration.minutes(1),
    initContainers: [
      init('init-mlflow', 'migrate_database.py', {
        DATABASE_WAIT_SECONDS: text('120'),
        MIGRATION_DEADLINE_SECONDS: text('600'),
      }),
    ],
    containers: [
      {
        ...base,
        name: 'mlflow',
        command: ['python', '/opt/mlflow/scripts/run_mlflow.py'],
        args: [
          'server',
          '--host=0.0.0.0',
          '--port=5000',
          '--workers=2',
          '--serve-artifacts',
          '--artifacts-destination=/mlflow/artifacts',
          '--uvicorn-opts=--log-level=info --timeout-worker-healthcheck=30 --timeout-keep-alive=105 --loop=bounded_loop:new_loop --http=direct_api:Protocol --log-config=/opt/mlflow/scripts/uvicorn_log.json',
        ],
        ports: [{ name: 'http', number: 5000 }],
        envVariables: {
          ...env,
          MLFLOW_SQLALCHEMYSTORE_POOL_SIZE: text('10'),
          MLFLOW_SQLALCHEMYSTORE_MAX_OVERFLOW: text('1'),
          MLFLOW_SQLALCHEMYSTORE_POOL_RECYCLE: text('3600'),
          PGAPPNAME: text('mlflow'),
          POD_NAMESPACE: kplus.EnvValue.fromFieldRef(kplus.EnvFieldPaths.POD_NAMESPACE),
          MLFLOW_SERVER_ALLOWED_HOSTS: text(`${service.map((name) => `${name},${name}:*`).join(',')},${ALLOWED_HOSTS}`),
          MLFLOW_SERVER_ENABLE_JOB_EXECUTION: text('false'),
          MLFLOW_LOGGING_LEVEL: text('INFO'),
          SERVER_THREADS: text('10'),
          DATABASE_PASSWORD_FILE: text('/etc/postgres-password/password'),
          PYTHONPATH: text('/opt/mlflow/scripts'),
        },
        volumeMounts: [
          ...mounts,
          { path: '/etc/postgres-password', volume: passwordVolume, readOnly: true },
          { path: '/mlflow/artifacts', volume: artifacts },
        ],
        resources: {
          cpu: { request: kplus.Cpu.millis(500), limit: kplus.Cpu.units(2) },
          memory: { request: Size.gibibytes(1), limit: Size.gibibytes(2) },
          ephemeralStorage: { request: Size.gibibytes(1), limit: Size.gibibytes(20) },
        },
        lifecycle: { preStop: kplus.Handler.fromCommand(['sleep', '5']) },
        startup: probe(1, 300),
        liveness: probe(10, 6),
        readiness: probe(5, 2),
      },
    ],
  });
  deployment.select(kplus.LabelSelector.of({ labels: selector }));
  ApiObject.of(deployment).addJsonPatch(JsonPatch.add('/spec/template/spec/enableServiceLinks', false));
  const front = new kplus.Service(scope, `${id}-service`, {
    metadata: { name: id, labels },
    ports: [{ name: 'http', port: 5000, targetPort: 5000 }],
  });
  for (const [key, value] of Object.entries(selector)) {
    front.selectLabel(key, value);
  }
}

/** A chart of `count` servers, written out. */
export function bareChart(app: Construct, count: number, scriptsName: string, revision: (n: number) => string): Chart {
  const chart = new Chart(app, 'chart');
  const shared = sharedConfigMaps(chart, scriptsName);
  for (let n = 0; n < count; n += 1) {
    bareServer(chart, n, shared, revision(n));
  }
  return chart;
}

/** A chart for each of `count` servers, and a namespace, where asked for; written out. */
export function bareCharts(
  app: Construct,
  count: number,
  scriptsDigest: string,
  revision: (n: number) => string,
  inNamespaces: boolean,
): void {
  for (let n = 0; n < count; n += 1) {
    const id = `chart-${String(n)}`;
    const chart = new Chart(app, id, inNamespaces ? { namespace: id } : {});
    bareServer(chart, n, sharedConfigMaps(chart, `${chart.node.id}-scripts-${scriptsDigest}`), revision(n));
  }
}
