import { ApiObject, Chart, Duration, Lazy, Size } from 'cdk8s';
import * as kplus from 'cdk8s-plus-28';
import type { Construct } from 'constructs';

import { labelsOf, type ObjectLabels } from '../../kube/pod/labels';
import type { ClusterOptions } from '../../cluster/cluster-options';
import { completeBy } from '../../cluster/completion';
import type { Manifest } from '../../cluster/manifest';
import { pullSecretsOf } from '../../kube/pod/pod-options';
import { OVER_NODES_AND_ZONES, spreadOf } from '../../kube/pod/placement';
import { disruptionBudget } from '../../kube/pod/workload';
import type { PoolBudget } from '../capacity/pool-budget';
import { POOLER_TIMEOUTS } from '../capacity/pooler-options';
import { poolerKeepalive, type TcpKeepaliveOptions } from '../connection/tcp-keepalive';
import { quotedName } from '../connection/schema';

import type {
  CloudNativePodMonitorOptions,
  CloudNativePoolerOptions,
  CloudNativePostgresProps,
  CloudNativeStorageOptions,
  CloudNativeSynchronousOptions,
} from './cloud-native-postgres-props';

const API_VERSION = 'postgresql.cnpg.io/v1';

/** CPU and memory of a server. */
export const DEFAULT_RESOURCES: kplus.ContainerResources = {
  cpu: { request: kplus.Cpu.millis(250), limit: kplus.Cpu.units(2) },
  memory: { request: Size.mebibytes(512), limit: Size.gibibytes(1) },
};

/** Owner of the first database. */
export const DEFAULT_OWNER = 'mlflow';

/** Size of a volume. */
export const DEFAULT_STORAGE = Size.gibibytes(10);

const POOLER_RESOURCES: kplus.ContainerResources = {
  cpu: { request: kplus.Cpu.millis(100), limit: kplus.Cpu.units(1) },
  memory: { request: Size.mebibytes(64), limit: Size.mebibytes(256) },
};

/** Names of the objects that the operator makes for a cluster, and of its pooler. */
export type ClusterNames = Record<'cluster' | 'primary' | 'standbys' | 'pooler' | 'login' | 'superuser' | 'ca', string>;

/**
 * The names for a cluster of this name: Services of the primary, the standbys and the pooler, Secrets of the logins of owner and
 * superuser, and of the CA (key `ca.crt`).
 * @see https://cloudnative-pg.io/docs/1.30/applications
 */
export function namesOf(cluster: string): ClusterNames {
  return {
    cluster,
    primary: `${cluster}-rw`,
    standbys: `${cluster}-ro`,
    pooler: `${cluster}-pooler-rw`,
    login: `${cluster}-app`,
    superuser: `${cluster}-superuser`,
    ca: `${cluster}-ca`,
  };
}

/** Props of a cluster with the defaults that its connection needs, too. */
export type ResolvedCluster = CloudNativePostgresProps &
  Required<Pick<CloudNativePostgresProps, 'instances' | 'database' | 'maxConnections'>>;

/**
 * The custom resource `Cluster`: PostgreSQL servers.
 * @see https://cloudnative-pg.io/docs/1.30/cloudnative-pg.v1#clusterspec
 */
export function clusterResource(
  scope: Construct,
  names: ClusterNames,
  props: ResolvedCluster,
  roles: readonly ManagedRole[],
): ApiObject {
  const { owner = DEFAULT_OWNER } = props;
  const cluster = new ApiObject(scope, 'cluster', {
    apiVersion: API_VERSION,
    kind: 'Cluster',
    metadata: { name: names.cluster, labels: labelsOf('postgresql', names.cluster, 'cluster').all },
    spec: {
      instances: props.instances,
      imageName: props.imageName,
      imagePullSecrets: pullSecretsOf(props.imagePullSecrets),
      enableSuperuserAccess: props.enableSuperuserAccess ?? false,
      bootstrap: {
        initdb: { database: props.database, owner, postInitApplicationSQL: schemaStatements(props, owner) },
      },
      managed: Lazy.any({ produce: () => (roles.length === 0 ? undefined : { roles: roles.map(roleOf) }) }) as object,
      postgresql: {
        parameters: { max_connections: String(props.maxConnections), ...props.settings },
        synchronous: props.synchronousReplication && synchronousOf(props.synchronousReplication),
      },
      storage: storageOf(props.storage ?? {}),
      walStorage: props.walStorage && storageOf(props.walStorage),
      resources: resourcesOf(props.resources ?? DEFAULT_RESOURCES),
      // The pooler presents the certificate of the servers, which does not contain the pooler's name by default.
      certificates: props.pooler && { serverAltDNSNames: namesFor(scope, names.pooler) },
      // While PostgreSQL waits for its clients, it takes no new ones, and the pools of MLflow never end: its default is 180 s.
      smartShutdownTimeout: 1,
      plugins: props.plugins?.map(({ name, isWalArchiver, parameters }) => ({
        name,
        // Defaults in lists are written out: Argo CD shows them as a difference otherwise.
        enabled: true,
        isWALArchiver: isWalArchiver ?? false,
        parameters,
      })),
    },
  });
  completeBy(cluster, completeCluster);
  return cluster;
}

/** A role that the operator makes besides the owner of the first database. */
export interface ManagedRole {
  readonly name: string;
  readonly secretName: string;
}

// Defaults in lists are written out: Argo CD shows them as a difference otherwise.
function roleOf({ name, secretName }: ManagedRole): object {
  return {
    name,
    ensure: 'present',
    login: true,
    inherit: true,
    connectionLimit: -1,
    passwordSecret: { name: secretName },
  };
}

/** Without the quorum, the operator could promote a standby that has not acknowledged. */
function synchronousOf({ standbys = 1, durability }: CloudNativeSynchronousOptions): object {
  return { method: 'any', number: standbys, dataDurability: durability ?? 'required', failoverQuorum: true };
}

/**
 * The custom resource `Database`.
 * @see https://cloudnative-pg.io/docs/1.30/declarative_database_management
 */
export function databaseResource(
  scope: Construct,
  cluster: string,
  { database, owner, schema }: Record<'database' | 'owner', string> & { readonly schema?: string },
): ApiObject {
  const name = `${cluster}-${scope.node.id}`;
  return new ApiObject(scope, 'database', {
    apiVersion: API_VERSION,
    kind: 'Database',
    metadata: { name, labels: labelsOf('postgresql', cluster, 'database').all },
    spec: {
      cluster: { name: cluster },
      name: database,
      owner,
      schemas: schema === undefined ? undefined : [{ name: schema, owner, ensure: 'present' }],
    },
  });
}

/** The PodMonitor of the servers and of the pooler, which have the label of the cluster and a port of this name. */
export function podMonitor(
  scope: Construct,
  cluster: string,
  { labels, interval = Duration.seconds(30) }: CloudNativePodMonitorOptions,
): ApiObject {
  return new ApiObject(scope, 'pod-monitor', {
    apiVersion: 'monitoring.coreos.com/v1',
    kind: 'PodMonitor',
    metadata: { name: cluster, labels: { ...labelsOf('postgresql', cluster, 'metrics').all, ...labels } },
    spec: {
      selector: { matchLabels: { 'cnpg.io/cluster': cluster } },
      podMetricsEndpoints: [{ port: 'metrics', interval: `${String(interval.toSeconds())}s` }],
    },
  });
}

/** The names of a Service that clients of its own namespace and of others use. */
function namesFor(scope: Construct, service: string): string[] {
  const { namespace } = Chart.of(scope);
  return namespace === undefined ? [service] : [service, `${service}.${namespace}`];
}

/** Creates the schema of a new cluster. The role's own search_path is what a `Pooler` goes by: it ignores PGOPTIONS. */
function schemaStatements({ schema, database }: ResolvedCluster, owner: string): string[] | undefined {
  if (schema === undefined) {
    return undefined;
  }
  const [name, role] = [quotedName(schema), `"${owner.replaceAll('"', '""')}"`];
  return [
    `CREATE SCHEMA IF NOT EXISTS ${name} AUTHORIZATION ${role}`,
    `ALTER ROLE ${role} IN DATABASE "${database.replaceAll('"', '""')}" SET search_path = ${name}`,
  ];
}

/** The operator assigns a user where the cluster does not, and its pods make no requests that need a CA or a proxy. */
function completeCluster(manifest: Manifest, options: ClusterOptions): void {
  const { imageRegistry, imagePullSecrets, nodeSelector, tolerations, podAnnotations, podLabels } = options;
  const { imageName, ...spec } = manifest.spec as { readonly imageName?: string };
  manifest.spec = given({
    affinity: given({ nodeSelector: given(nodeSelector), tolerations }),
    imageName: imageName && (imageRegistry?._imageOf(imageName) ?? imageName),
    imagePullSecrets: pullSecretsOf(imagePullSecrets),
    inheritedMetadata: given({ annotations: given(podAnnotations), labels: given(podLabels) }),
    priorityClassName: options.priorityClassName,
    ...spec,
  });
}

/** The fields that are given; undefined if there are none. */
function given(fields: object = {}): object | undefined {
  const entries = Object.entries(fields).filter(([, value]) => value !== undefined);
  return entries.length === 0 ? undefined : Object.fromEntries(entries);
}

/**
 * The custom resource `Pooler`: PgBouncer in front of the primary.
 * @see https://cloudnative-pg.io/docs/1.30/cloudnative-pg.v1#poolerspec
 */
export function poolerResource(
  scope: Construct,
  names: ClusterNames,
  options: CloudNativePoolerOptions,
  { budget, tcpKeepalive }: { readonly budget: PoolBudget; readonly tcpKeepalive?: TcpKeepaliveOptions },
): ApiObject {
  // Labels that the operator gives its pods.
  const labels: ObjectLabels = {
    selector: { 'cnpg.io/poolerName': names.pooler },
    all: labelsOf('pgbouncer', names.cluster, 'pooler').all,
  };
  disruptionBudget(scope, names.pooler, labels);
  return new ApiObject(scope, 'pooler', {
    apiVersion: API_VERSION,
    kind: 'Pooler',
    metadata: { name: names.pooler, labels: labels.all },
    spec: {
      cluster: { name: names.cluster },
      type: 'rw',
      instances: budget.replicas,
      pgbouncer: {
        poolMode: budget.poolMode,
        parameters: {
          default_pool_size: Lazy.any({ produce: () => String(budget.defaultPoolSize) }) as string,
          reserve_pool_size: String(budget.reservePoolSize),
          max_client_conn: String(budget.maxClientConnections),
          ...Object.fromEntries(
            Object.entries({ ...POOLER_TIMEOUTS, ...poolerKeepalive(tcpKeepalive) }).map(([name, value]) => [
              name,
              String(value),
            ]),
          ),
          ...options.settings,
        },
      },
      template: {
        spec: {
          containers: [{ name: 'pgbouncer', resources: resourcesOf(options.resources ?? POOLER_RESOURCES) }],
          topologySpreadConstraints: spreadOf(OVER_NODES_AND_ZONES, labels),
        },
      },
    },
  });
}

function storageOf(options: CloudNativeStorageOptions): Record<string, unknown> {
  return {
    size: `${String((options.size ?? DEFAULT_STORAGE).toGibibytes())}Gi`,
    storageClass: options.storageClassName,
  };
}

function resourcesOf({ cpu, memory, ephemeralStorage }: kplus.ContainerResources): Record<string, unknown> {
  const quantities = (end: 'request' | 'limit'): Record<string, string | undefined> => ({
    cpu: cpu?.[end]?.amount,
    memory: mebibytes(memory?.[end]),
    'ephemeral-storage': mebibytes(ephemeralStorage?.[end]),
  });
  return { requests: quantities('request'), limits: quantities('limit') };
}

function mebibytes(size: Size | undefined): string | undefined {
  return size && `${String(size.toMebibytes())}Mi`;
}
