import type { ApiObject } from 'cdk8s';
import { Construct } from 'constructs';

import { addMadeOf } from '../../kube/unique-name';
import { text } from '../../kube/values/env-values';
import { FileSource } from '../../kube/values/file-source';
import { NetworkPeer } from '../../kube/network/network-peer';
import { problemsOf } from '../../kube/construct';
import { checkConstruct } from '../../validation/arguments';
import { addPoolerDemand } from '../capacity/connection-demand';
import { PoolBudget } from '../capacity/pool-budget';
import type { IPostgresBackend } from '../connection/postgres-backend';
import { serviceHost } from '../connection/other-namespace';
import { PostgresConnection, type PostgresConnectionProps } from '../connection/postgres-connection';
import { PostgresCredentials } from '../connection/postgres-credentials';
import { DEFAULT_DATABASE, DEFAULT_MAX_CONNECTIONS, POSTGRES_PORT } from '../connection/postgres-settings';
import { PostgresTls } from '../connection/postgres-tls';

import { checkCloudNative } from './check-cloud-native';
import { CloudNativeDatabase } from './cloud-native-database';
import type { CloudNativeDatabaseOptions, CloudNativePostgresProps } from './cloud-native-postgres-props';
import {
  clusterResource,
  DEFAULT_OWNER,
  type ManagedRole,
  namesOf,
  podMonitor,
  poolerResource,
} from './cloud-native-resources';

/**
 * PostgreSQL in the cluster, run by the CloudNativePG operator, which must be installed. Choose it for production without a managed
 * database: it has automatic failover, verified encryption, generated passwords and current images. The superuser has no
 * password by default.
 *
 * @see https://cloudnative-pg.io/docs/1.30/quickstart
 */
export class CloudNativePostgres extends Construct implements IPostgresBackend {
  public readonly connection: PostgresConnection;

  /** The custom resource `Cluster`. Use its `addJsonPatch` for fields without a prop here. */
  public readonly cluster: ApiObject;

  /** The custom resource `Pooler`, if there is one. */
  public readonly pooler?: ApiObject;

  private readonly primary: PostgresConnectionProps;
  private readonly databases: { readonly name: string; readonly owner: string }[];
  private readonly roles: ManagedRole[] = [];

  public constructor(scope: Construct, id: string, props: CloudNativePostgresProps = {}) {
    super(...checkConstruct('CloudNativePostgres', scope, id, props));
    const { database = DEFAULT_DATABASE, maxConnections = DEFAULT_MAX_CONNECTIONS, instances = 3, pooler } = props;
    const budget = pooler && new PoolBudget(pooler.instances ?? 2, pooler, { maxConnections });
    const problems = problemsOf(this);
    checkCloudNative(problems, id, props, budget);
    problems.throwIfAny();

    const names = namesOf(id);
    this.cluster = clusterResource(this, names, { ...props, instances, database, maxConnections }, this.roles);
    addMadeOf(
      this.cluster,
      ...[names.primary, names.standbys].map((name) => ({ kind: 'Service', name })),
      ...[names.login, names.ca, ...(props.enableSuperuserAccess === true ? [names.superuser] : [])].map((name) => ({
        kind: 'Secret',
        name,
      })),
    );
    // Labels that the operator gives its pods.
    const servers = { peers: [NetworkPeer.pods({ 'cnpg.io/cluster': id, 'cnpg.io/podRole': 'instance' })] };
    const primary: PostgresConnectionProps = {
      host: serviceHost(this, names.primary),
      port: text(POSTGRES_PORT),
      database: text(database),
      schema: props.schema,
      credentials: PostgresCredentials.fromSecretName(names.login),
      tls: props.tls ?? PostgresTls.verifyFull({ ca: FileSource.fromSecret(names.ca, 'ca.crt') }),
      readHost: instances > 1 ? text(names.standbys) : undefined,
      tcpKeepalive: props.tcpKeepalive,
      parameters: props.parameters,
      maxConnections,
      server: this.node.path,
      route: servers,
      readRoute: servers,
    };
    this.connection = new PostgresConnection(primary);
    this.primary = primary;
    this.databases = [{ name: database, owner: props.owner ?? DEFAULT_OWNER }];
    if (props.podMonitor !== undefined) {
      podMonitor(this, id, props.podMonitor);
    }
    if (pooler !== undefined && budget !== undefined) {
      const bypass = this.connection;
      this.pooler = poolerResource(this, names, pooler, { budget, tcpKeepalive: props.tcpKeepalive });
      addPoolerDemand(bypass, this, budget);
      this.connection = new PostgresConnection({
        ...primary,
        host: serviceHost(this, names.pooler),
        // A pooler may not serve what the database does, such as channel binding.
        parameters: undefined,
        server: `${this.node.path}/pooler`,
        route: { peers: [NetworkPeer.pods({ 'cnpg.io/poolerName': names.pooler })] },
        bypass,
        poolsAnyDatabase: true,
      });
      this.connection._limits = budget.offer;
    }
  }

  /**
   * Adds a database with an owner of its own, for a further MLflow server. The connections of all databases count towards
   * `maxConnections`.
   *
   * They go around the `pooler`, which is for the first database: put a `PgBouncer` in front of the result where you need one.
   *
   * @param id the id of the construct: the custom resource `Database` is `<id of the cluster>-<id>`
   */
  public addDatabase(id: string, options: CloudNativeDatabaseOptions): IPostgresBackend {
    const backend = new CloudNativeDatabase(this, id, options, this.primary, this.databases);
    const { database, owner } = backend;
    this.databases.push({ name: database, owner });
    this.roles.push({ name: owner, secretName: options.secretName });
    return backend;
  }
}
