import { ApiObject, Chart } from 'cdk8s';
import type * as kplus from 'cdk8s-plus-28';
import type { Construct, IConstruct } from 'constructs';

import { diagramOf, objectsIn } from '../diagram/diagram';
import { failureCausesOf } from '../postgres/connection/connection-sidecar';
import type { PostgresConnection } from '../postgres/connection/postgres-connection';
import { scriptCommandIn } from '../scripts/scripts';
import { ERRORS_PAGE } from '../validation/app-language';

import type { ServerSpec } from './server-spec';

/** A server, and the objects that its runbook names. */
export interface RunbookServer extends Construct {
  readonly deployment: kplus.Deployment;
  readonly service: kplus.Service;
  readonly ingress?: kplus.Ingress;
  readonly podAutoscaler?: kplus.HorizontalPodAutoscaler;
  readonly migrationJob?: kplus.Job;
}

// Kinds of the objects of a database, by kubectl's name.
const WITH_LOGS: Record<string, string> = { StatefulSet: 'statefulset', Deployment: 'deployment' };
const WITHOUT_LOGS: Record<string, string> = {
  Service: 'service',
  Cluster: 'clusters.postgresql.cnpg.io',
  Pooler: 'poolers.postgresql.cnpg.io',
};

/** Advice by the failure causes of `wait-for-database` and `init-mlflow`. */
const CAUSES: [string[], string][] = [
  [
    ['refused', 'unknown-host', 'timeout', 'no-route'],
    'the server is not reachable: check host, port and network policies. The container retries',
  ],
  [['wrong-password', 'no-login', 'pg-hba'], 'the server rejects the login: check the Secret below and `pg_hba.conf`'],
  [['missing-database', 'no-create-privilege'], 'create the database, with the user as its owner'],
  [
    ['missing-schema', 'other-schema'],
    "create the schema, with the user as its owner; a pooler of your own needs it as the user's `search_path`",
  ],
  [
    ['tls-not-offered', 'tls-untrusted', 'tls-file', 'client-certificate'],
    'the `tls` of the backend does not match the server',
  ],
  [['too-many-connections'], 'list the connections, below'],
  [['newer-schema'], 'run the newer image again, or restore the backup from before the upgrade'],
];

/** The guide's "Verification" and "Troubleshooting", for one server. */
export function runbookOf(server: RunbookServer, spec: ServerSpec): string {
  const { deployment, service, migrationJob } = server;
  const { namespace, backend, staticPrefix, isHttps } = spec;
  const flag = namespace === undefined ? '' : ` -n ${namespace}`;
  const selector = Object.entries(spec.labels.selector)
    .map(([key, value]) => `${key}=${value}`)
    .join(',');
  const kubectl = (verb: string, rest: string): string => `kubectl${flag} ${verb} ${rest}`;
  const ask = (question: string): string =>
    kubectl(
      'exec',
      `deployment/${deployment.name} -c mlflow -- ${scriptCommandIn(server, 'inspect_database.py', question).join(' ')}`,
    );
  const logs = (of: string, containers: kplus.Container[]): string[] =>
    containers.map(({ name }) => kubectl('logs', `${of} -c ${name}`));

  return [
    `# Runbook of \`${deployment.name}\``,
    namespace === undefined
      ? 'The chart names no namespace: `kubectl config set-context --current --namespace=…` first.'
      : `Everything is in the namespace \`${namespace}\`.`,

    '## Diagram',
    'A thin arrow is a connection, a dotted one what a pod reads, and a thick one what a NetworkPolicy allows.',
    diagramFor(server, backend.connection),

    '## Verification',
    '### Are the pods ready?',
    sh(kubectl('rollout', `status deployment/${deployment.name} --timeout=5m`), kubectl('get', `pods -l ${selector}`)),
    ...section(
      '### What did the preparation say?',
      'The check of the connection ends with `wait-for-database: ready: user, database, schema`, and the migration with what it did to the schema, after `init-mlflow:`.',
      logs(`deployment/${deployment.name}`, deployment.initContainers.filter(ends)),
    ),
    ...section(
      '### What did the migration Job say?',
      'Pods wait for it in `init-mlflow`.',
      migrationJob === undefined
        ? []
        : logs(`job/${migrationJob.name}`, [...migrationJob.initContainers, ...migrationJob.containers].filter(ends)),
    ),
    '### Can the server reach its database, log in, and find its schema?',
    'This takes a pod that runs. Where there is none, what the preparation said is the answer.',
    sh(ask('reachable'), ask('login'), ask('revision')),
    '### The web UI',
    sh(kubectl('port-forward', `service/${service.name} 5000:${String(service.port)}`)),
    `Then open <${isHttps ? 'https' : 'http'}://localhost:5000${staticPrefix}${staticPrefix === '' ? '' : '/'}>.`,

    '## Troubleshooting',
    '### A pod does not start',
    'The cause is under `Last State … Message`, in one line with what to do.',
    sh(
      kubectl('describe', `pods -l ${selector}`),
      kubectl('get', 'events --sort-by=.lastTimestamp'),
      ...logs(`deployment/${deployment.name}`, proxiesTo(backend.connection, deployment)),
    ),
    causesOf(backend.connection),
    '### Requests fail',
    sh(kubectl('logs', `deployment/${deployment.name} -c mlflow --tail=200`), ...frontOf(server, kubectl)),
    '### Is it the database?',
    'Its tables, what they take, and who holds its connections.',
    sh(ask('tables'), ask('sizes'), ask('connections')),
    ...section(
      '### The database and what is in front of it',
      'As far as this app makes them.',
      databaseCommands(server, backend.connection, kubectl),
    ),
    ...section(
      '### The login',
      'Which keys there are, and how long their values; no value is shown.',
      secretsOf(backend.connection).map((name) => kubectl('describe', `secret ${name}`)),
    ),
    '### All pods anew',
    'For example after a change in a Secret. One after another, where there are several.',
    sh(
      kubectl('rollout', `restart deployment/${deployment.name}`),
      kubectl('rollout', `status deployment/${deployment.name} --timeout=5m`),
    ),
    '',
  ].join('\n\n');
}

function sh(...commands: string[]): string {
  return ['```sh', ...commands, '```'].join('\n');
}

/** Whether the container terminates before the pod does, unlike a sidecar. */
function ends({ restartPolicy }: kplus.Container): boolean {
  return restartPolicy === undefined;
}

/** The table of causes. Those of the connection's sidecars come first and replace the general ones. */
function causesOf({ sidecar, bypass }: PostgresConnection): string {
  const sidecars = [...new Set([sidecar, bypass?.sidecar])].filter((each) => each !== undefined);
  const own = sidecars.flatMap(failureCausesOf);
  const known = own.map(({ name }) => name);
  const linked = (name: string): string => `[\`${name}\`](${ERRORS_PAGE}#${name})`;
  const rows = [
    // Those of a sidecar of your own are on no page.
    ...own.map(({ name, advice }) => `| \`${name}\` | ${advice} |`),
    ...CAUSES.map(([names, advice]) => {
      const others = names.filter((name) => !known.includes(name));
      return `| ${others.map(linked).join(', ')} | ${advice} |`;
    }),
  ];
  return ['| cause | what to do |', '| --- | --- |', ...rows].join('\n');
}

/** The proxies to the database, whose logs say why they cannot reach it. */
function proxiesTo({ sidecar, bypass }: PostgresConnection, { initContainers }: kplus.Deployment): kplus.Container[] {
  const names = [sidecar, bypass?.sidecar].map((each) => each?.container.name);
  return initContainers.filter(({ name }) => names.includes(name));
}

/** A section; none without commands. */
function section(title: string, text: string, commands: string[]): string[] {
  return commands.length === 0 ? [] : [title, text, sh(...commands)];
}

/** The objects in front of the pods. */
function frontOf({ service, ingress, podAutoscaler }: RunbookServer, kubectl: Kubectl): string[] {
  return [
    kubectl('get', `endpointslices -l kubernetes.io/service-name=${service.name}`),
    ...(ingress === undefined ? [] : [kubectl('describe', `ingress ${ingress.name}`)]),
    ...(podAutoscaler === undefined ? [] : [kubectl('describe', `hpa ${podAutoscaler.name}`)]),
  ];
}

type Kubectl = (verb: string, rest: string) => string;

/** The server, its database and the pooler, as far as this app makes them. */
function diagramFor(server: Construct, connection: PostgresConnection): string {
  const objects = [...backendsOf(server, connection), server].flatMap(objectsIn);
  return `\`\`\`mermaid\n${diagramOf([...new Set(objects)], Chart.of(server))}\`\`\``;
}

/** The database and the pooler of a server. */
function backendsOf(server: Construct, connection: PostgresConnection): IConstruct[] {
  const connections: unknown[] = [connection, connection.bypass].filter((each) => each !== undefined);
  return server.node.root.node
    .findAll()
    .filter((each) => 'connection' in each && connections.includes(each.connection));
}

/** Commands for the objects of the database and the pooler that this app makes. */
function databaseCommands(server: Construct, connection: PostgresConnection, kubectl: Kubectl): string[] {
  return backendsOf(server, connection)
    .flatMap((backend) => backend.node.findAll())
    .filter((each): each is ApiObject => ApiObject.isApiObject(each))
    .flatMap(({ kind, name }) => {
      const withLogs = WITH_LOGS[kind];
      const resource = withLogs ?? WITHOUT_LOGS[kind];
      const get = resource === undefined ? [] : [kubectl('get', `${resource} ${name}`)];
      return withLogs === undefined ? get : [...get, kubectl('logs', `${withLogs}/${name} --tail=100`)];
    });
}

function secretsOf({ credentials }: PostgresConnection): string[] {
  const names = [credentials.username, credentials.password].map((value) => {
    const source = value?.valueFrom as { readonly secretKeyRef?: { readonly name?: string } } | undefined;
    return source?.secretKeyRef?.name;
  });
  return [...new Set(names.filter((name) => name !== undefined))];
}
