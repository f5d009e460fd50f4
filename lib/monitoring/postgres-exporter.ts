import { Chart, Duration, Size } from 'cdk8s';
import * as kplus from 'cdk8s-plus-28';
import { Construct } from 'constructs';

import { IMAGES } from '../images';
import { checkId } from '../validation/checks';
import { checkConstruct } from '../validation/arguments';
import { texts } from '../kube/values/env-values';
import { labelsOf, type ObjectLabels } from '../kube/pod/labels';
import { container, type Pod, podOf } from '../kube/pod/pod';
import type { PodPart } from '../kube/pod/pod-part';
import { deploymentOf, serviceOf } from '../kube/pod/workload';
import { NetworkPeer } from '../kube/network/network-peer';
import { networkPolicy } from '../kube/network/isolation';
import { checkPeers } from '../kube/network/network-route';
import { checkPodOptions, type PodOptions } from '../kube/pod/pod-options';
import { problemsOf } from '../kube/construct';
import type { Problems } from '../validation/problems';
import { LITTLE_SCRATCH_SPACE } from '../kube/pod/scratch-space';
import { addConnectionDemand } from '../postgres/capacity/connection-demand';
import { connectionPart } from '../postgres/connection/connection-part';
import type { IPostgresBackend } from '../postgres/connection/postgres-backend';
import { PostgresConnection } from '../postgres/connection/postgres-connection';
import type { PostgresCredentials } from '../postgres/connection/postgres-credentials';
import { PostgresTls } from '../postgres/connection/postgres-tls';

import type { ScrapeTarget } from './prometheus-scrape';

const PORT = 9187;
/** Measured: one for the metrics, one for the settings of PostgreSQL. */
const CONNECTIONS = 2;
const PORT_NAME = 'http-metrics';

const DEFAULT_RESOURCES: kplus.ContainerResources = {
  cpu: { request: kplus.Cpu.millis(20), limit: kplus.Cpu.millis(200) },
  memory: { request: Size.mebibytes(32), limit: Size.mebibytes(128) },
  ephemeralStorage: LITTLE_SCRATCH_SPACE,
};

/** Props of {@link PostgresExporter}. */
export interface PostgresExporterProps extends PodOptions {
  /** The database to monitor. The exporter bypasses a pooler. */
  readonly backend: IPostgresBackend;

  /**
   * Login of the exporter. A role with `GRANT pg_monitor` sees the activity of all roles, MLflow's role only its own.
   * @default - MLflow's login
   */
  readonly credentials?: PostgresCredentials;

  /**
   * TLS of the connection. The exporter's driver does not support PostgresTls.PREFER.
   * @default - the backend's; PostgresTls.DISABLE for PostgresTls.PREFER
   */
  readonly tls?: PostgresTls;

  /**
   * Clients that may scrape the exporter.
   * @default [NetworkPeer.PROMETHEUS]
   */
  readonly scrapers?: NetworkPeer[];

  /**
   * The image of postgres_exporter, by tag or digest.
   * @default 'quay.io/prometheuscommunity/postgres-exporter:v0.18.1'
   */
  readonly image?: string;

  /**
   * CPU and memory of the pod.
   * @default - requests 20 millicores and 32 MiB, limits 200 millicores and 128 MiB
   */
  readonly resources?: kplus.ContainerResources;
}

/**
 * Runs postgres_exporter, which exposes PostgreSQL's statistics as metrics for Prometheus, on any backend.
 *
 * It is one pod, with two connections to the database. Pass it to `MlflowMonitoring`, which scrapes it.
 * @see https://github.com/prometheus-community/postgres_exporter
 */
export class PostgresExporter extends Construct {
  /** The Deployment of the pod. */
  public readonly deployment: kplus.Deployment;

  /** The Service of the pod. */
  public readonly service: kplus.Service;

  /** @internal */
  public readonly _target: ScrapeTarget;

  public constructor(scope: Construct, id: string, props: PostgresExporterProps) {
    super(...checkConstruct('PostgresExporter', scope, id, props));
    const labels = labelsOf('postgres-exporter', id, 'metrics');
    const problems = problemsOf(this);
    const pod = problems.finish(() => {
      const connection = exporterConnection(props);
      checkExporter(problems, id, props, connection);
      return exporterPod(problems, this, labels, props, connection);
    });

    // A second pod would count everything twice.
    this.deployment = deploymentOf(this, pod, { replicas: 1, strategy: kplus.DeploymentStrategy.recreate() });
    this.service = serviceOf(this, 'service', labels, {
      metadata: { name: id },
      ports: [{ name: PORT_NAME, port: PORT, targetPort: PORT }],
    });
    networkPolicy(this, 'network-policy', id, labels, {
      ingress: [{ peers: props.scrapers ?? [NetworkPeer.PROMETHEUS], port: PORT }],
    });
    addConnectionDemand({
      by: this,
      connection: props.backend.connection.unpooled,
      connections: CONNECTIONS,
      factors: `${String(CONNECTIONS)} for metrics`,
    });
    this._target = {
      job: id,
      labels,
      namespace: Chart.of(this).namespace,
      port: PORT_NAME,
      path: '/metrics',
      asksForLogin: false,
    };
  }
}

function exporterPod(
  problems: Problems,
  scope: Construct,
  labels: ObjectLabels,
  props: PostgresExporterProps,
  connection: PostgresConnection,
): Pod {
  const part = connectionPart(scope, connection);
  const settings: PodPart = {
    ...part,
    envVariables: {
      ...part.envVariables,
      ...texts({
        PGAPPNAME: 'postgres-exporter',
        // The driver reads the rest from the PG* variables: a password with a space would break this string.
        DATA_SOURCE_NAME: 'host=$(PGHOST) port=$(PGPORT)',
        // It tries four times within a scrape, which ends after 10 s: then the alert would not say that PostgreSQL is down.
        PGCONNECT_TIMEOUT: 2,
      }),
    },
  };
  return podOf(problems, labels, {
    imagePullSecrets: props.imagePullSecrets,
    priorityClassName: props.priorityClassName,
    containers: [
      container('postgres-exporter', [settings], {
        image: props.image ?? IMAGES.postgresExporter,
        imagePullPolicy: props.imagePullPolicy,
        ports: [{ name: PORT_NAME, number: PORT }],
        resources: props.resources ?? DEFAULT_RESOURCES,
        readiness: probe(10),
        liveness: probe(30),
      }),
    ],
  });
}

/** The unpooled connection, with what the exporter's driver supports. */
function exporterConnection({ backend, credentials, tls }: PostgresExporterProps): PostgresConnection {
  const unpooled = backend.connection.unpooled;
  const { host, port, database, clientLabels } = unpooled;
  return new PostgresConnection({
    host,
    port,
    database,
    clientLabels,
    // The password file belongs to another role.
    sidecar: credentials !== undefined && hasPasswordFile(unpooled) ? undefined : unpooled.sidecar,
    credentials: credentials ?? unpooled.credentials,
    tls: tls ?? (unpooled.tls === PostgresTls.PREFER ? PostgresTls.DISABLE : unpooled.tls),
  });
}

function hasPasswordFile({ sidecar }: PostgresConnection): boolean {
  return sidecar?.passwordFile !== undefined;
}

function checkExporter(
  problems: Problems,
  id: string,
  props: PostgresExporterProps,
  { host, tls }: PostgresConnection,
): void {
  checkId(problems, id);
  props.tls?._check(problems);
  if (String(host.value).includes(',')) {
    problems.add(
      'backend',
      'must be one host',
      host.value,
      'Make an exporter for each host, on an ExternalPostgres of its own.',
    );
  }
  const unpooled = props.backend.connection.unpooled;
  if (
    props.credentials !== undefined &&
    unpooled.sidecar !== undefined &&
    !hasPasswordFile(unpooled) &&
    unpooled.credentials.password === undefined
  ) {
    problems.say(
      '`credentials` must be left out where the proxy of `backend` logs in, which can log in as no other role.',
      'Leave it out, or use another backend on the same database, with a password.',
    );
  }
  if (tls === PostgresTls.PREFER) {
    problems.say(
      '`tls` must not be PostgresTls.PREFER, which the exporter does not support.',
      'Use PostgresTls.REQUIRE or PostgresTls.DISABLE.',
    );
  }
  checkPeers(problems, 'scrapers', props.scrapers);
  checkPodOptions(problems, props);
}

// The front page: /metrics would query the database each time.
function probe(periodSeconds: number): kplus.Probe {
  return kplus.Probe.fromHttpGet('/', {
    port: PORT,
    periodSeconds: Duration.seconds(periodSeconds),
    timeoutSeconds: Duration.seconds(3),
    failureThreshold: 3,
  });
}
