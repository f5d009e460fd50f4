import { Duration, Size } from 'cdk8s';
import * as kplus from 'cdk8s-plus-28';
import { Construct } from 'constructs';

import { IMAGES } from '../images';
import { checkId, checkImage } from '../validation/checks';
import { checkConstruct } from '../validation/arguments';
import { texts } from '../kube/values/env-values';
import { labelsOf, type ObjectLabels } from '../kube/pod/labels';
import { container, type Pod, podOf } from '../kube/pod/pod';
import type { PodPart } from '../kube/pod/pod-part';
import { deploymentOf } from '../kube/pod/workload';
import { NetworkPeer } from '../kube/network/network-peer';
import { networkPolicy } from '../kube/network/network-policy';
import { checkPeers } from '../kube/network/network-route';
import { checkPodOptions } from '../kube/pod/pod-options';
import { Problems } from '../validation/problems';
import { LITTLE_SCRATCH_SPACE } from '../kube/pod/scratch-space';
import { serviceOf } from '../kube/pod/service';
import { addConnectionDemand } from '../postgres/capacity/connection-demand';
import { connectionPart } from '../postgres/connection/connection-part';
import { PostgresConnection } from '../postgres/connection/postgres-connection';
import { PostgresTls } from '../postgres/connection/postgres-tls';

import type { PostgresExporterProps } from './postgres-exporter-props';
import type { ScrapeTarget } from './prometheus-scrape';

const PORT = 9187;
/** As measured: one for the metrics, one for the settings of the server. */
const CONNECTIONS = 2;
const PORT_NAME = 'http-metrics';

const DEFAULT_RESOURCES: kplus.ContainerResources = {
  cpu: { request: kplus.Cpu.millis(20), limit: kplus.Cpu.millis(200) },
  memory: { request: Size.mebibytes(32), limit: Size.mebibytes(128) },
  ephemeralStorage: LITTLE_SCRATCH_SPACE,
};

/**
 * postgres_exporter in front of any backend: what PostgreSQL knows of itself, as metrics for Prometheus.
 *
 * It is one pod, with two connections to the database. Hand it to `MlflowMonitoring`, which has it scraped.
 * @see https://github.com/prometheus-community/postgres_exporter
 */
export class PostgresExporter extends Construct {
  /** The pod. */
  public readonly deployment: kplus.Deployment;

  /** The Service in front of it. */
  public readonly service: kplus.Service;

  /** @internal */
  public readonly _target: ScrapeTarget;

  public constructor(scope: Construct, id: string, props: PostgresExporterProps) {
    super(...checkConstruct('PostgresExporter', scope, id, props));
    const labels = labelsOf('postgres-exporter', id, 'metrics');
    const problems = new Problems(this);
    const pod = problems.finish(() => {
      const connection = watchedConnection(props);
      checkExporter(problems, id, props, connection);
      return exporterPod(problems, this, labels, props, connection);
    });

    // A second pod would count everything twice, and take two more connections.
    this.deployment = deploymentOf(this, pod, { replicas: 1, strategy: kplus.DeploymentStrategy.recreate() });
    this.service = serviceOf(this, 'service', labels, {
      metadata: { name: id },
      ports: [{ name: PORT_NAME, port: PORT, targetPort: PORT }],
    });
    networkPolicy(this, 'network-policy', id, labels, {
      ingress: [{ peers: props.scrapers ?? [NetworkPeer.PROMETHEUS], port: PORT }],
    });
    addConnectionDemand(props.backend.connection.unpooled, {
      by: this,
      connections: CONNECTIONS,
      factors: `${String(CONNECTIONS)} for metrics`,
    });
    this._target = { job: id, labels, port: PORT_NAME, path: '/metrics', asksForLogin: false };
  }
}

function exporterPod(
  problems: Problems,
  scope: Construct,
  labels: ObjectLabels,
  props: PostgresExporterProps,
  connection: PostgresConnection,
): Pod {
  const settings: PodPart = {
    envVariables: texts({
      PGAPPNAME: 'postgres-exporter',
      // The driver takes the rest from the variables above: in here, a password with a space would break it.
      DATA_SOURCE_NAME: 'host=$(PGHOST) port=$(PGPORT)',
    }),
  };
  return podOf(problems, labels, {
    imagePullSecrets: props.imagePullSecrets,
    priorityClassName: props.priorityClassName,
    containers: [
      container('postgres-exporter', [connectionPart(scope, connection), settings], {
        image: props.image ?? IMAGES.postgresExporter,
        imagePullPolicy: props.imagePullPolicy,
        ports: [{ name: PORT_NAME, number: PORT }],
        resources: props.resources ?? DEFAULT_RESOURCES,
        readiness: answers(10, 3),
        liveness: answers(30, 3),
      }),
    ],
  });
}

/** The way to the database itself, as the exporter's driver can take it. */
function watchedConnection({ backend, credentials, tls }: PostgresExporterProps): PostgresConnection {
  const straight = backend.connection.unpooled;
  const { host, port, database, clientLabels } = straight;
  return new PostgresConnection({
    host,
    port,
    database,
    clientLabels,
    // A password file is for one role, and a password of another comes before it.
    sidecar: credentials !== undefined && hasPasswordFile(straight) ? undefined : straight.sidecar,
    credentials: credentials ?? straight.credentials,
    tls: tls ?? (straight.tls === PostgresTls.PREFER ? PostgresTls.DISABLE : straight.tls),
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
      'Make an exporter for each of them, on an ExternalPostgres of its own.',
    );
  }
  const straight = props.backend.connection.unpooled;
  if (
    props.credentials !== undefined &&
    straight.sidecar !== undefined &&
    !hasPasswordFile(straight) &&
    straight.credentials.password === undefined
  ) {
    problems.say(
      '`credentials` must be left out where the proxy of `backend` logs in, which is let in as nobody else.',
      'Leave it out, or watch another backend on the same database, with a password.',
    );
  }
  if (tls === PostgresTls.PREFER) {
    problems.say(
      '`tls` must not be PostgresTls.PREFER, which the exporter does not know.',
      'Use PostgresTls.REQUIRE or PostgresTls.DISABLE.',
    );
  }
  checkImage(problems, 'image', props.image);
  checkPeers(problems, 'scrapers', props.scrapers);
  checkPodOptions(problems, props);
}

// The front page: /metrics would ask the database each time.
function answers(everySeconds: number, failureThreshold: number): kplus.Probe {
  return kplus.Probe.fromHttpGet('/', {
    port: PORT,
    periodSeconds: Duration.seconds(everySeconds),
    timeoutSeconds: Duration.seconds(3),
    failureThreshold,
  });
}
