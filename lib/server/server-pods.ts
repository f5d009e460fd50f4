import * as kplus from 'cdk8s-plus-28';
import type { Construct } from 'constructs';

import { artifactsPart } from '../artifacts/artifact-store';
import { traceArchivalPart } from '../artifacts/trace-archival';
import { labelsOf } from '../kube/pod/labels';
import { OVER_NODES_AND_ZONES, spreadOf } from '../kube/pod/placement';
import { container, type ContainerOptions, type Pod, type PodContainer, podOf } from '../kube/pod/pod';
import type { PodPart } from '../kube/pod/pod-part';
import { text, texts } from '../kube/values/env-values';
import { poolingPart } from '../postgres/capacity/pooling-profile';
import { libpqPart, passwordPart, replicaPart } from '../postgres/connection/connection-part';
import { SCRIPT_FOLDER, scriptCommand, ScriptFiles } from '../scripts/scripts';
import { DUMP_SCRIPTS } from '../startup/database-dump';
import type { Problems } from '../validation/problems';

import { allowedHosts, corsAllowedOrigins } from './access/hosts';
import { serverArguments } from './server-arguments';
import type { ServerSpec } from './server-spec';
import { aiGatewayPart } from './settings/ai-gateway';
import { DIRECT_API_SCRIPT } from './settings/direct-api';
import { NO_JOBS } from './settings/job-execution';
import { encryptionPart } from './settings/encryption';
import { LOG_CONFIG } from './settings/log-level';
import { METRICS_COMMAND, METRICS_SCRIPT, metricsPart } from './settings/metrics';
import { CERTIFICATE_FILE, certificatePart, KEY_FILE, SERVER_PORT } from './settings/port';
import { PROBE_SCRIPT, probesOf } from './settings/probes';

/** Runs `mlflow`, which then logs as LOG_FORMAT says. */
const RUN_SCRIPT = 'run_mlflow.py';

/** Requests still arrive until every node has updated its network rules. */
const DRAIN_SECONDS = 5;

/** The allowed hosts refer to it where the chart has no namespace. */
const NAMESPACE_OF_POD: PodPart = {
  envVariables: { POD_NAMESPACE: kplus.EnvValue.fromFieldRef(kplus.EnvFieldPaths.POD_NAMESPACE) },
};

/** The pods of a server. */
export interface ServerPods {
  readonly server: Pod;
  /** The pod of the Job that migrates the schema, where there is one. */
  readonly migration?: Pod;
}

/** The pods of a server. Makes their volumes below `scope`. */
export function serverPods(problems: Problems, scope: Construct, spec: ServerSpec): ServerPods {
  const { databaseConnectionCheck: check, databaseMigration: migration, authParts: auth } = spec;
  const { imagePullSecrets, priorityClassName, serviceAccount } = spec;
  const { connection } = spec.backend;
  const files = filesPart(scope, spec);
  const database = libpqPart(scope, connection, spec);
  const unpooled = connection.bypass && libpqPart(scope, connection.bypass, spec, 'postgres-direct');
  const environment = environmentParts(spec);
  const extra: PodPart = { of: 'extraInitEnvVars', isExtra: true, envVariables: spec.extraInitEnvVars };
  const init: ContainerOptions = {
    image: spec.image,
    imagePullPolicy: spec.imagePullPolicy,
    resources: spec.initResources,
  };
  const checked = [files, database, ...environment, extra];
  // The migration creates the first administrator, and refuses an empty passphrase.
  const secrets = [encryptionPart({ passphrase: spec.encryption?.passphrase }), auth.migration];
  const migrated = [files, unpooled ?? database, ...environment, extra];
  // One container does both, unless the migration connects in another way than the server.
  const isCheckApart = unpooled !== undefined || migration._kind === 'off';
  const certificate = certificatePart(scope, spec.certificate);
  const pod = { imagePullSecrets, priorityClassName, serviceAccount };
  const job =
    migration._kind === 'job'
      ? migration._jobContainers(
          scope,
          { connected: migrated, unconnected: [files, ...environment, extra], secrets },
          init,
        )
      : undefined;
  return {
    server: podOf(problems, spec.labels, {
      ...pod,
      parts: identitiesOf(job?.initContainers ?? []),
      topologySpreadConstraints: spreadOf(
        spec.topologySpreadConstraints ?? (spec.maxReplicas > 1 ? OVER_NODES_AND_ZONES : undefined),
        spec.labels,
      ),
      initContainers: [
        ...(isCheckApart ? check._initContainers(checked, init) : []),
        ...migration._initContainers([...migrated, isCheckApart ? undefined : check._part, ...secrets], init),
        ...(auth.proxy === undefined ? [] : [auth.proxy(certificate)]),
      ],
      containers: [serverContainer(scope, spec, [files, database, ...environment], certificate)],
    }),
    migration:
      job &&
      podOf(problems, labelsOf('mlflow', spec.id, 'migration'), {
        ...pod,
        // A database that is created at the same time may take longer to start than all retries of the Job.
        initContainers: [...check._initContainers(migrated, init), ...job.initContainers],
        containers: job.containers,
      }),
  };
}

/** The identities of the migration Job, which runs under the ServiceAccount of the server. */
function identitiesOf(containers: PodContainer[]): PodPart[] {
  return containers
    .flatMap(({ parts }) => parts)
    .filter(({ serviceAccountAnnotations }) => serviceAccountAnnotations !== undefined)
    .map(({ of, serviceAccountAnnotations }) => ({ of, serviceAccountAnnotations }));
}

function filesPart(scope: Construct, spec: ServerSpec): PodPart {
  const scripts = ScriptFiles.named(
    'wait_for_database.py',
    'migrate_database.py',
    'bounded_loop.py',
    RUN_SCRIPT,
    LOG_CONFIG,
    'inspect_database.py',
    // Whether or not this server runs them: so servers with and without share a ConfigMap.
    METRICS_SCRIPT,
    PROBE_SCRIPT,
    DIRECT_API_SCRIPT,
    ...(spec.databaseMigration._backupTo === undefined ? [] : DUMP_SCRIPTS),
  );
  return {
    volumeMounts: [{ path: '/tmp', volume: kplus.Volume.fromEmptyDir(scope, 'tmp', 'tmp') }, scripts.mount(scope)],
  };
}

/** The environment of every container that runs MLflow. */
function environmentParts({ artifacts, telemetry }: ServerSpec): PodPart[] {
  return [
    {
      envVariables: {
        // The user of the pod has no entry in /etc/passwd, from which Python would take it.
        HOME: text('/tmp'),
      },
    },
    // The rest is in the PG* variables: see PostgresConnection.
    setting('backend', { MLFLOW_BACKEND_STORE_URI: 'postgresql+psycopg2://' }),
    setting('artifactRoot', { MLFLOW_DEFAULT_ARTIFACT_ROOT: artifacts.defaultArtifactRoot ?? 'mlflow-artifacts:/' }),
    setting('telemetry', telemetry ? {} : { MLFLOW_DISABLE_TELEMETRY: true, DO_NOT_TRACK: true }),
  ];
}

function serverContainer(
  scope: Construct,
  spec: ServerSpec,
  shared: readonly PodPart[],
  certificate: PodPart,
): PodContainer {
  const { authParts: auth, logLevel } = spec;
  const isProxied = auth.proxy !== undefined;
  const origins = corsAllowedOrigins(spec);
  const parts = [
    ...shared,
    poolingPart(spec.pooling),
    spec.namespace === undefined ? NAMESPACE_OF_POD : undefined,
    setting('allowedHosts', { MLFLOW_SERVER_ALLOWED_HOSTS: allowedHosts(spec).join(',') }),
    setting(
      'corsAllowedOrigins',
      origins.length === 0 ? {} : { MLFLOW_SERVER_CORS_ALLOWED_ORIGINS: origins.join(',') },
    ),
    spec.jobExecution?._part() ?? NO_JOBS,
    // MLflow keeps the webhooks of an event for a minute, and then sends the events of all workspaces to those of the first.
    setting('workspaces', spec.workspaces ? { MLFLOW_WEBHOOK_CACHE_TTL: 0 } : {}),
    setting('logLevel', { MLFLOW_LOGGING_LEVEL: logLevel.toUpperCase() }),
    setting('threads', { SERVER_THREADS: spec.threads }),
    setting('', { PYTHONPATH: [SCRIPT_FOLDER, auth.pythonFolder ?? []].flat().join(':'), PGAPPNAME: 'mlflow' }),
    passwordPart(scope, spec.backend.connection),
    spec.readFromReplica ? replicaPart(scope, spec.backend.connection) : undefined,
    artifactsPart(spec.artifacts),
    spec.artifacts.transfers?._part(),
    spec.traceArchival && traceArchivalPart(scope, spec.labels, spec.traceArchival, spec.artifacts),
    spec.aiGateway && aiGatewayPart(spec.aiGateway),
    encryptionPart(spec.encryption),
    auth.server,
    ...(auth.custom ?? []),
    // A proxy presents the certificate itself.
    ...(isProxied || !spec.isHttps
      ? []
      : [
          certificate,
          setting('certificate', { SERVER_CERTIFICATE_FILE: CERTIFICATE_FILE, SERVER_KEY_FILE: KEY_FILE }),
        ]),
    spec.metrics ? metricsPart(scope) : undefined,
    { of: 'extraEnvVars', isExtra: true, envVariables: spec.extraEnvVars },
  ];
  return container('mlflow', parts, {
    image: spec.image,
    imagePullPolicy: spec.imagePullPolicy,
    command: [...(spec.metrics ? METRICS_COMMAND : []), ...scriptCommand(RUN_SCRIPT)],
    args: serverArguments(spec),
    ports: isProxied ? [] : [{ name: spec.isHttps ? 'https' : 'http', number: SERVER_PORT }],
    resources: spec.resources,
    lifecycle: { preStop: kplus.Handler.fromCommand(['sleep', String(DRAIN_SECONDS)]) },
    ...probesOf({ ...spec, isProxied }),
  });
}

function setting(of: string, values: Record<string, string | number | boolean>): PodPart {
  return { of, envVariables: texts(values) };
}
