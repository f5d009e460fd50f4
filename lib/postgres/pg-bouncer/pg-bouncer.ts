import { Duration } from 'cdk8s';
import * as kplus from 'cdk8s-plus-28';
import { Construct } from 'constructs';

import { disruptionBudget } from '../../kube/pod/disruption-budget';
import { text } from '../../kube/values/env-values';
import { egressOf } from '../../kube/network/isolation';
import { labelsOf, type ObjectLabels } from '../../kube/pod/labels';
import { NetworkPeer } from '../../kube/network/network-peer';
import { networkPolicy } from '../../kube/network/network-policy';
import { completePodSpec } from '../../kube/pod/pod-spec';
import { Problems } from '../../validation/problems';
import { RESTRICTED_POD } from '../../kube/pod/restricted';
import { serviceOf } from '../../kube/pod/service';
import { OVER_NODES_AND_ZONES, spreadOf } from '../../kube/pod/placement';
import { addConnectionDemand } from '../capacity/connection-demand';
import { PoolBudget } from '../capacity/pool-budget';
import { renderConnection } from '../connection/connection-part';
import { routesTo, sidecarsOf } from '../connection/connection-sidecar';
import type { IPostgresBackend } from '../connection/postgres-backend';
import { PostgresConnection, type PostgresConnectionProps } from '../connection/postgres-connection';
import { PostgresCredentials } from '../connection/postgres-credentials';
import { PostgresTls } from '../connection/postgres-tls';

import { checkPgBouncer } from './check-pg-bouncer';
import type { PgBouncerProps, PgBouncerTlsOptions } from './pg-bouncer-props';
import { POOLER_PORT, poolerConfig } from './pooler-config';
import { METRICS_PORT, metricsContainer, poolerContainer, writeContainer } from './pooler-containers';
import { CLIENT_TLS_FILES, clientTlsMounts, configMount, secretMount } from './pooler-files';

/**
 * PgBouncer in front of any backend: many pods of MLflow share few connections to the database.
 *
 * It logs in to the database as its clients log in to it, with the backend's own Secret. What needs a session of its own, a
 * schema migration, goes around it. Behind it, psycopg2 works in transaction mode; psycopg 3, with its prepared
 * statements, does not, and PGOPTIONS are ignored.
 *
 * Both MLflow and PgBouncer read a password when a pod starts: after a change in a Secret, restart both Deployments.
 */
export class PgBouncer extends Construct implements IPostgresBackend {
  public readonly connection: PostgresConnection;

  /** The pods. */
  public readonly deployment: kplus.Deployment;

  /** The Service in front of them. */
  public readonly service: kplus.Service;

  private readonly labels: ObjectLabels;

  public constructor(
    scope: Construct,
    id: string,
    private readonly props: PgBouncerProps,
  ) {
    super(scope, id);
    this.labels = labelsOf('pgbouncer', id, 'pooler');
    const { replicas = 2, servicePort = POOLER_PORT } = props;
    const budget = new PoolBudget(replicas, props, props.backend.connection);
    const problems = new Problems(this);
    checkPgBouncer(problems, id, props, budget);
    problems.throwIfAny();

    this.deployment = this.pods(budget);
    this.service = serviceOf(this, 'service', this.labels, {
      metadata: { name: id },
      ports: [
        { name: 'tcp-pgbouncer', port: servicePort, targetPort: POOLER_PORT },
        ...(props.metrics === undefined ? [] : [{ name: 'metrics', port: METRICS_PORT, targetPort: METRICS_PORT }]),
      ],
    });
    const clientLabels = { [`${id}-client`]: 'true' };
    disruptionBudget(this, id, this.labels);
    networkPolicy(this, 'network-policy', id, this.labels, {
      ingress: [
        { peers: [NetworkPeer.pods(clientLabels)], port: POOLER_PORT },
        ...(props.metrics === undefined
          ? []
          : [{ peers: props.metrics.scrapers ?? [NetworkPeer.PROMETHEUS], port: METRICS_PORT }]),
      ],
      egress: props.isolation && egressOf(props.isolation, routesTo(props.backend.connection)),
    });
    addConnectionDemand(props.backend.connection, { by: this, ...budget.demand });
    const route = { peers: [NetworkPeer.pods(this.labels.selector)], ports: [POOLER_PORT] };
    this.connection = pooledConnection(props, this.service, { clientLabels, route, ...budget.offer });
  }

  private pods(budget: PoolBudget): kplus.Deployment {
    const { props, labels } = this;
    const { connection } = props.backend;
    const { revision } = connection.credentials;
    const server = renderConnection(this, connection, 'server');
    const serverTls = Object.fromEntries(Object.entries(server.env).map(([name, { value }]) => [name, String(value)]));
    const clientTls = props.clientTls && CLIENT_TLS_FILES;
    const config = configMount(this, labels, poolerConfig(props, { budget, serverTls, clientTls }));
    const secrets = secretMount(this);
    const readable = { ...secrets, readOnly: true };
    const certificates = props.clientTls === undefined ? [] : clientTlsMounts(this, props.clientTls);
    const deployment = new kplus.Deployment(this, 'deployment', {
      metadata: { name: this.node.id, labels: labels.all },
      podMetadata: {
        labels: { ...labels.all, ...connection.clientLabels },
        annotations: revision === undefined ? undefined : { 'cdk8s-mlflow/credentials-revision': revision },
      },
      select: false,
      replicas: budget.replicas,
      strategy: kplus.DeploymentStrategy.rollingUpdate({
        maxSurge: kplus.PercentOrAbsolute.absolute(1),
        maxUnavailable: kplus.PercentOrAbsolute.absolute(0),
      }),
      serviceAccount: this.serviceAccount(),
      automountServiceAccountToken: false,
      securityContext: RESTRICTED_POD,
      terminationGracePeriod: Duration.minutes(1),
      initContainers: [
        ...sidecarsOf(connection),
        writeContainer(props, loginEnv(server.env, clientCredentials(props)), [config, secrets]),
      ],
      containers: [
        poolerContainer(props, [config, readable, ...server.mounts, ...certificates]),
        ...(props.metrics === undefined ? [] : [metricsContainer(props, props.metrics, [readable])]),
      ],
    });
    deployment.select(kplus.LabelSelector.of({ labels: labels.selector }));
    completePodSpec(deployment, {
      imagePullSecrets: props.imagePullSecrets,
      priorityClassName: props.priorityClassName,
      topologySpreadConstraints: spreadOf(OVER_NODES_AND_ZONES, labels),
    });
    return deployment;
  }

  private serviceAccount(): kplus.ServiceAccount {
    return new kplus.ServiceAccount(this, 'service-account', {
      metadata: {
        name: this.node.id,
        labels: this.labels.all,
        annotations: this.props.backend.connection.sidecar?.serviceAccountAnnotations,
      },
      automountToken: false,
    });
  }
}

function pooledConnection(
  props: PgBouncerProps,
  service: kplus.Service,
  offer: Pick<PostgresConnectionProps, 'clientLabels' | 'route' | 'maxConnections' | 'serverConnections'>,
): PostgresConnection {
  const behind = props.backend.connection;
  return new PostgresConnection({
    host: text(service.name),
    port: text(service.port),
    database: behind.database,
    credentials: clientCredentials(props),
    tls: tlsOf(props.clientTls),
    ...offer,
    bypass: behind.unpooled,
  });
}

function tlsOf(clientTls: PgBouncerTlsOptions | undefined): PostgresTls {
  if (clientTls === undefined) {
    return PostgresTls.DISABLE;
  }
  return clientTls.ca === undefined ? PostgresTls.REQUIRE : PostgresTls.verifyFull({ ca: clientTls.ca });
}

/** What clients log in with: what the backend itself does, unless that is without a password. */
function clientCredentials({ backend, clientPassword }: PgBouncerProps): PostgresCredentials {
  const { credentials } = backend.connection;
  return clientPassword === undefined
    ? credentials
    : new PostgresCredentials({ username: credentials.username, password: clientPassword._value() });
}

function loginEnv(
  env: Record<string, kplus.EnvValue>,
  { password }: PostgresCredentials,
): Record<string, kplus.EnvValue> {
  const names = ['PGHOST', 'PGPORT', 'PGDATABASE', 'PGUSER'];
  return {
    ...Object.fromEntries(Object.entries(env).filter(([name]) => names.includes(name))),
    ...(password && { PGPASSWORD: password }),
  };
}
