import { Duration } from 'cdk8s';
import type * as kplus from 'cdk8s-plus-28';
import { Construct } from 'constructs';

import { egressOf, networkPolicy } from '../../kube/network/isolation';
import { NetworkPeer } from '../../kube/network/network-peer';
import { problemsOf } from '../../kube/construct';
import { labelsOf } from '../../kube/pod/labels';
import { deploymentOf, disruptionBudget, ROLLING, serviceOf } from '../../kube/pod/workload';
import { text } from '../../kube/values/env-values';
import { checkConstruct } from '../../validation/arguments';
import { addPoolerDemand } from '../capacity/connection-demand';
import { PoolBudget } from '../capacity/pool-budget';
import type { IPostgresBackend } from '../connection/postgres-backend';
import { serviceHost } from '../connection/other-namespace';
import { PostgresConnection } from '../connection/postgres-connection';
import { PostgresCredentials } from '../connection/postgres-credentials';
import { PostgresTls } from '../connection/postgres-tls';

import { checkPgBouncer } from './check-pg-bouncer';
import type { PgBouncerProps, PgBouncerTlsOptions } from './pg-bouncer-props';
import { POOLER_PORT } from './pooler-config';
import { METRICS_PORT, poolerPod } from './pooler-pod';

/**
 * PgBouncer in front of any backend: many pods of MLflow share few connections to the database.
 *
 * PgBouncer logs in to the database with the login of its clients, from the backend's Secret. Schema migrations bypass it, since
 * they need a session of their own. psycopg2 works in transaction mode; psycopg 3, with its prepared statements, does not, and
 * PGOPTIONS are ignored.
 *
 * MLflow and PgBouncer read a password when a pod starts: after a change in a Secret, restart both Deployments.
 */
export class PgBouncer extends Construct implements IPostgresBackend {
  public readonly connection: PostgresConnection;

  /** Deployment of PgBouncer's pods. */
  public readonly deployment: kplus.Deployment;

  /** Service of PgBouncer's pods. */
  public readonly service: kplus.Service;

  public constructor(scope: Construct, id: string, props: PgBouncerProps) {
    super(...checkConstruct('PgBouncer', scope, id, props));
    const { backend, metrics, isolation, replicas = 2, servicePort = POOLER_PORT } = props;
    const labels = labelsOf('pgbouncer', id, 'pooler');
    const problems = problemsOf(this);
    const { budget, login, pod } = problems.finish(() => {
      const resolved = new PoolBudget(replicas, props, backend.connection);
      checkPgBouncer(problems, id, props, resolved);
      const input = { budget: resolved, login: clientCredentials(props) };
      return { ...input, pod: poolerPod(problems, this, labels, props, input) };
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
        ...(metrics === undefined ? [] : [{ name: 'metrics', port: METRICS_PORT, targetPort: METRICS_PORT }]),
      ],
    });
    const clientLabels = { [`${id}-client`]: 'true' };
    const clients = [NetworkPeer.pods(clientLabels)];
    const scrapers = metrics === undefined ? [] : (metrics.scrapers ?? [NetworkPeer.PROMETHEUS]);
    disruptionBudget(this, id, labels);
    networkPolicy(this, 'network-policy', id, labels, {
      ingress: [
        { peers: clients, port: POOLER_PORT },
        { peers: scrapers, port: METRICS_PORT },
      ],
      egress: isolation && egressOf(isolation, pod.routes),
    });
    addPoolerDemand(backend.connection, this, budget);
    this.connection = new PostgresConnection({
      host: serviceHost(this, this.service.name, clients),
      port: text(this.service.port),
      database: backend.connection.database,
      schema: backend.connection.schema,
      credentials: login,
      tls: tlsOf(props.clientTls),
      tcpKeepalive: backend.connection.tcpKeepalive,
      server: this.node.path,
      clientLabels,
      route: { peers: [NetworkPeer.pods(labels.selector)], ports: [POOLER_PORT] },
      bypass: backend.connection.unpooled,
    });
    this.connection._limits = budget.offer;
  }
}

function tlsOf(clientTls: PgBouncerTlsOptions | undefined): PostgresTls {
  if (clientTls === undefined) {
    return PostgresTls.DISABLE;
  }
  return clientTls.ca === undefined ? PostgresTls.REQUIRE : PostgresTls.verifyFull({ ca: clientTls.ca });
}

/** Login of the clients: that of the backend, unless it has no password. */
function clientCredentials({ backend, clientPassword }: PgBouncerProps): PostgresCredentials {
  const { credentials } = backend.connection;
  return clientPassword === undefined
    ? credentials
    : new PostgresCredentials({ username: credentials.username, password: clientPassword._value() });
}
