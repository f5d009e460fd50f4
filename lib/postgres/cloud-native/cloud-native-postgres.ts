import type { ApiObject } from 'cdk8s';
import { Construct } from 'constructs';

import { text } from '../../kube/values/env-values';
import { FileSource } from '../../kube/values/file-source';
import { NetworkPeer } from '../../kube/network/network-peer';
import { Problems } from '../../validation/problems';
import { addConnectionDemand } from '../capacity/connection-demand';
import { offerOf, poolerDemand, poolSizeOf } from '../capacity/pool-budget';
import type { IPostgresBackend } from '../connection/postgres-backend';
import { PostgresConnection, type PostgresConnectionProps } from '../connection/postgres-connection';
import { PostgresCredentials } from '../connection/postgres-credentials';
import { PostgresTls } from '../connection/postgres-tls';

import { checkCloudNative } from './check-cloud-native';
import type { CloudNativePostgresProps } from './cloud-native-postgres-props';
import { namesOf } from './cluster-names';
import { clusterResource, poolerResource } from './custom-resources';

const PORT = 5432;

/**
 * PostgreSQL in the cluster, run by the CloudNativePG operator, which has to be installed. What we recommend in production
 * where there is no managed database: it fails over by itself, encrypts and verifies, makes up the passwords, and its images
 * are current. The superuser has no password.
 *
 * @see https://cloudnative-pg.io/docs/1.30/quickstart
 */
export class CloudNativePostgres extends Construct implements IPostgresBackend {
  public readonly connection: PostgresConnection;

  /** The custom resource `Cluster`; `addJsonPatch` reaches what has no prop here. */
  public readonly cluster: ApiObject;

  /** The custom resource `Pooler`, where there is one. */
  public readonly pooler?: ApiObject;

  public constructor(scope: Construct, id: string, props: CloudNativePostgresProps = {}) {
    super(scope, id);
    const { database = 'mlflow', maxConnections = 100, instances = 3, pooler } = props;
    const poolBudget = {
      replicas: pooler?.instances ?? 2,
      defaultPoolSize: pooler?.defaultPoolSize,
      reservePoolSize: pooler?.reservePoolSize ?? 0,
      maxConnections,
    };
    const problems = new Problems(this);
    checkCloudNative(problems, id, props, poolBudget);
    problems.throwIfAny();

    const names = namesOf(id);
    this.cluster = clusterResource(this, names, { ...props, database, maxConnections });
    // The operator labels the pods so.
    const servers = { peers: [NetworkPeer.pods({ 'cnpg.io/cluster': id, 'cnpg.io/podRole': 'instance' })] };
    const primary: PostgresConnectionProps = {
      host: text(names.primary),
      port: text(PORT),
      database: text(database),
      credentials: PostgresCredentials.fromSecretName(names.login),
      tls: props.tls ?? PostgresTls.verifyFull({ ca: FileSource.fromSecret(names.ca, 'ca.crt') }),
      readHost: instances > 1 ? text(names.standbys) : undefined,
      maxConnections,
      route: servers,
      readRoute: servers,
    };
    if (pooler === undefined) {
      this.connection = new PostgresConnection(primary);
      return;
    }
    const sizes = {
      instances: poolBudget.replicas,
      defaultPoolSize: poolSizeOf(poolBudget),
      reservePoolSize: poolBudget.reservePoolSize,
      maxClientConnections: pooler.maxClientConnections ?? 1000,
    };
    this.pooler = poolerResource(this, names, pooler, sizes);
    const bypass = new PostgresConnection(primary);
    addConnectionDemand(bypass, { by: this, ...poolerDemand(poolBudget) });
    this.connection = new PostgresConnection({
      ...primary,
      host: text(names.pooler),
      route: { peers: [NetworkPeer.pods({ 'cnpg.io/poolerName': names.pooler })] },
      ...offerOf(poolBudget, pooler.poolMode, sizes.maxClientConnections),
      bypass,
    });
  }
}
