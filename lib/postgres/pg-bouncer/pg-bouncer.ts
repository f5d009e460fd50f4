import { Duration } from 'cdk8s';
import type * as kplus from 'cdk8s-plus-28';
import { Construct } from 'constructs';

import { disruptionBudget } from '../../kube/pod/disruption-budget';
import { text } from '../../kube/values/env-values';
import { egressOf } from '../../kube/network/isolation';
import { labelsOf, type ObjectLabels } from '../../kube/pod/labels';
import { NetworkPeer } from '../../kube/network/network-peer';
import { networkPolicy } from '../../kube/network/network-policy';
import { Problems } from '../../validation/problems';
import { checkConstruct } from '../../validation/arguments';
import { type Pod, podOf } from '../../kube/pod/pod';
import { serviceOf } from '../../kube/pod/service';
import { deploymentOf, ROLLING } from '../../kube/pod/workload';
import { OVER_NODES_AND_ZONES, spreadOf } from '../../kube/pod/placement';
import { addConnectionDemand } from '../capacity/connection-demand';
import { connectionPart } from '../connection/connection-part';
import type { IPostgresBackend } from '../connection/postgres-backend';
import { PostgresConnection, type PostgresConnectionProps } from '../connection/postgres-connection';
import { PostgresCredentials } from '../connection/postgres-credentials';
import { PostgresTls } from '../connection/postgres-tls';

import { checkPgBouncer } from './check-pg-bouncer';
import type { PgBouncerProps, PgBouncerTlsOptions } from './pg-bouncer-props';
import { PoolBudget } from '../capacity/pool-budget';
import { POOLER_PORT, poolerConfig } from './pooler-config';
import { METRICS_PORT, metricsContainer, poolerContainer, writeContainer } from './pooler-containers';
import { CLIENT_TLS_FILES, clientTlsPart, configMount, secretMount } from './pooler-files';

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

  public constructor(scope: Construct, id: string, props: PgBouncerProps) {
    super(...checkConstruct('PgBouncer', scope, id, props));
    const labels = labelsOf('pgbouncer', id, 'pooler');
    const { replicas = 2, servicePort = POOLER_PORT } = props;
    const problems = new Problems(this);
    const { budget, pod } = problems.finish(() => {
      const resolved = new PoolBudget(replicas, props, props.backend.connection);
      checkPgBouncer(problems, id, props, resolved);
      return { budget: resolved, pod: poolerPod(problems, this, labels, props, resolved) };
    });

    this.deployment = deploymentOf(this, pod, {
      replicas,
      strategy: ROLLING,
      terminationGracePeriod: Duration.minutes(1),
    });
    this.service = serviceOf(this, 'service', labels, {
      metadata: { name: id },
      ports: [
        { name: 'tcp-pgbouncer', port: servicePort, targetPort: POOLER_PORT },
        ...(props.metrics === undefined ? [] : [{ name: 'metrics', port: METRICS_PORT, targetPort: METRICS_PORT }]),
      ],
    });
    const clientLabels = { [`${id}-client`]: 'true' };
    disruptionBudget(this, id, labels);
    networkPolicy(this, 'network-policy', id, labels, {
      ingress: [
        { peers: [NetworkPeer.pods(clientLabels)], port: POOLER_PORT },
        ...(props.metrics === undefined
          ? []
          : [{ peers: props.metrics.scrapers ?? [NetworkPeer.PROMETHEUS], port: METRICS_PORT }]),
      ],
      egress: props.isolation && egressOf(props.isolation, pod.routes),
    });
    addConnectionDemand(props.backend.connection, { by: this, ...budget.demand });
    const route = { peers: [NetworkPeer.pods(labels.selector)], ports: [POOLER_PORT] };
    this.connection = pooledConnection(props, this.service, { clientLabels, route, ...budget.offer });
  }
}

function poolerPod(
  problems: Problems,
  scope: Construct,
  labels: ObjectLabels,
  props: PgBouncerProps,
  budget: PoolBudget,
): Pod {
  const {
    envVariables: env = {},
    volumeMounts,
    ...database
  } = connectionPart(scope, props.backend.connection, 'server');
  const serverTls = Object.fromEntries(Object.entries(env).map(([name, { value }]) => [name, String(value)]));
  const clientTls = props.clientTls && CLIENT_TLS_FILES;
  const config = {
    volumeMounts: [configMount(scope, labels, poolerConfig(props, { budget, serverTls, clientTls }))],
  };
  const secrets = secretMount(scope);
  const readable = { volumeMounts: [{ ...secrets, readOnly: true }] };
  const login = { envVariables: loginEnv(env, clientCredentials(props)) };
  return podOf(problems, labels, {
    imagePullSecrets: props.imagePullSecrets,
    priorityClassName: props.priorityClassName,
    topologySpreadConstraints: spreadOf(OVER_NODES_AND_ZONES, labels),
    // PgBouncer reads no variables of libpq: they are in its own files.
    parts: [database],
    initContainers: [writeContainer(props, [login, config, { volumeMounts: [secrets] }])],
    containers: [
      poolerContainer(props, [config, readable, { volumeMounts }, clientTlsPart(scope, props.clientTls)]),
      ...(props.metrics === undefined ? [] : [metricsContainer(props, props.metrics, [readable])]),
    ],
  });
}

function pooledConnection(
  props: PgBouncerProps,
  service: kplus.Service,
  offer: Pick<PostgresConnectionProps, 'clientLabels' | 'route' | 'maxConnections' | 'serverConnections'>,
): PostgresConnection {
  const { connection } = props.backend;
  return new PostgresConnection({
    host: text(service.name),
    port: text(service.port),
    database: connection.database,
    credentials: clientCredentials(props),
    tls: tlsOf(props.clientTls),
    ...offer,
    bypass: connection.unpooled,
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
