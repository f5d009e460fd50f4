import { ApiObject, Size } from 'cdk8s';
import * as kplus from 'cdk8s-plus-28';
import type { Construct } from 'constructs';

import { disruptionBudget } from '../../kube/pod/disruption-budget';
import { labelsOf, type ObjectLabels } from '../../kube/pod/labels';
import { OVER_NODES_AND_ZONES, spreadOf } from '../../kube/pod/placement';
import { PoolMode } from '../capacity/pool-mode';

import type {
  CloudNativePoolerOptions,
  CloudNativePostgresProps,
  CloudNativeStorageOptions,
} from './cloud-native-postgres-props';
import type { ClusterNames } from './cluster-names';

const API_VERSION = 'postgresql.cnpg.io/v1';

const DEFAULT_RESOURCES: kplus.ContainerResources = {
  cpu: { request: kplus.Cpu.millis(250), limit: kplus.Cpu.units(2) },
  memory: { request: Size.mebibytes(512), limit: Size.gibibytes(1) },
};

const POOLER_RESOURCES: kplus.ContainerResources = {
  cpu: { request: kplus.Cpu.millis(100), limit: kplus.Cpu.units(1) },
  memory: { request: Size.mebibytes(64), limit: Size.mebibytes(256) },
};

/**
 * The PostgreSQL servers.
 * @see https://cloudnative-pg.io/docs/1.30/cloudnative-pg.v1#clusterspec
 */
export function clusterResource(
  scope: Construct,
  names: ClusterNames,
  props: CloudNativePostgresProps & Required<Pick<CloudNativePostgresProps, 'database' | 'maxConnections'>>,
): ApiObject {
  return new ApiObject(scope, 'cluster', {
    apiVersion: API_VERSION,
    kind: 'Cluster',
    metadata: { name: names.cluster, labels: labelsOf('postgresql', names.cluster, 'cluster').all },
    spec: {
      instances: props.instances ?? 3,
      imageName: props.imageName,
      imagePullSecrets: props.imagePullSecrets?.map((name) => ({ name })),
      enableSuperuserAccess: false,
      bootstrap: { initdb: { database: props.database, owner: props.owner ?? 'mlflow' } },
      postgresql: { parameters: { max_connections: String(props.maxConnections), ...props.settings } },
      storage: storageOf(props.storage ?? {}),
      walStorage: props.walStorage && storageOf(props.walStorage),
      resources: resourcesOf(props.resources ?? DEFAULT_RESOURCES),
      // The pooler shows the certificate of the servers, in which its own name is not by itself.
      certificates: props.pooler && { serverAltDNSNames: [names.pooler] },
      plugins: props.plugins?.map(({ name, isWalArchiver, parameters }) => ({
        name,
        isWALArchiver: isWalArchiver ?? false,
        parameters,
      })),
    },
  });
}

/** The sizes of a pooler, defaults filled in. */
export interface PoolerSizes {
  readonly instances: number;
  readonly defaultPoolSize: number;
  readonly reservePoolSize: number;
  readonly maxClientConnections: number;
}

/**
 * PgBouncer in front of the primary.
 * @see https://cloudnative-pg.io/docs/1.30/cloudnative-pg.v1#poolerspec
 */
export function poolerResource(
  scope: Construct,
  names: ClusterNames,
  options: CloudNativePoolerOptions,
  sizes: PoolerSizes,
): ApiObject {
  // The operator labels the pods so.
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
      instances: sizes.instances,
      pgbouncer: {
        poolMode: options.poolMode ?? PoolMode.TRANSACTION,
        parameters: {
          default_pool_size: String(sizes.defaultPoolSize),
          reserve_pool_size: String(sizes.reservePoolSize),
          max_client_conn: String(sizes.maxClientConnections),
          query_wait_timeout: '30',
          server_login_retry: '0.5',
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
    size: `${String((options.size ?? Size.gibibytes(10)).toGibibytes())}Gi`,
    storageClass: options.storageClassName,
  };
}

function resourcesOf({ cpu, memory }: kplus.ContainerResources): Record<string, unknown> {
  const quantities = (cores?: kplus.Cpu, size?: Size): Record<string, string | undefined> => ({
    cpu: cores?.amount,
    memory: size && `${String(size.toMebibytes())}Mi`,
  });
  return { requests: quantities(cpu?.request, memory?.request), limits: quantities(cpu?.limit, memory?.limit) };
}
