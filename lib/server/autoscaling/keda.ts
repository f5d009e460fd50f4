import { ApiObject, Chart, type Duration } from 'cdk8s';
import type * as kplus from 'cdk8s-plus-28';
import type { Construct } from 'constructs';

import type { ObjectLabels } from '../../kube/pod/labels';
import type { ComparedUsage } from '../../rules/autoscaler-needs-requests';
import { checkSeconds, checkWhole } from '../../validation/checks';
import type { Problems } from '../../validation/problems';

import { checkRequest, checkScaling, type ScaledServer, type ScalingOptions } from './scaling-options';

/** Options of {@link KedaTrigger.requests}. */
export interface RequestTriggerOptions {
  /** The address of Prometheus, such as `http://prometheus-operated.monitoring:9090`. */
  readonly prometheusAddress: string;

  /** Target of requests per second and pod. */
  readonly perSecondAndPod: number;
}

/** Options of {@link KedaTrigger.prometheus}. */
export interface PrometheusTriggerOptions {
  /** The address of Prometheus, such as `http://prometheus-operated.monitoring:9090`. */
  readonly prometheusAddress: string;

  /** PromQL that returns one number for all pods together. */
  readonly query: string;

  /** Target of that number per pod. */
  readonly threshold: number;
}

/**
 * A metric by which KEDA scales.
 * @see https://keda.sh/docs/2.18/scalers/
 */
export class KedaTrigger {
  /** Target of the average CPU usage, in percent of the pods' requests. */
  public static cpu(percent: number): KedaTrigger {
    return KedaTrigger.utilization('cpu', percent);
  }

  /** Target of the average memory usage, in percent of the pods' requests. MLflow's memory hardly depends on its load. */
  public static memory(percent: number): KedaTrigger {
    return KedaTrigger.utilization('memory', percent);
  }

  /**
   * Requests per second, from the metrics that {@link MlflowMonitoring} lets Prometheus scrape. The server needs `metrics`,
   * and its chart a namespace, by which its metrics are selected.
   */
  public static requests(options: RequestTriggerOptions): KedaTrigger {
    const { prometheusAddress, perSecondAndPod } = options;
    return new KedaTrigger(
      undefined,
      (problems, at, { namespace, metrics }) => {
        checkAddress(problems, at, prometheusAddress);
        checkAmount(problems, `${at}.perSecondAndPod`, perSecondAndPod);
        if (namespace === undefined) {
          problems.say(`\`${at}\` needs the namespace of the server.`, 'Set the `namespace` of its chart.');
        }
        if (!metrics) {
          problems.say(`\`${at}\` needs a server with metrics.`, 'Set `metrics: true`.');
        }
      },
      (server) => {
        const selector = `namespace="${Chart.of(server).namespace ?? ''}",job="${server.node.id}"`;
        const query = `sum(rate(mlflow_http_request_total{${selector}}[2m]))`;
        return prometheus({ prometheusAddress, query, threshold: perSecondAndPod });
      },
    );
  }

  /** Any metric in Prometheus, such as the number of database connections. */
  public static prometheus(options: PrometheusTriggerOptions): KedaTrigger {
    return new KedaTrigger(
      undefined,
      (problems, at) => {
        checkAddress(problems, at, options.prometheusAddress);
        checkAmount(problems, `${at}.threshold`, options.threshold);
      },
      () => prometheus(options),
    );
  }

  private static utilization(type: ComparedUsage, percent: number): KedaTrigger {
    return new KedaTrigger(
      type,
      (problems, at, server) => {
        checkWhole(problems, at, percent, { least: 1 });
        checkRequest(problems, at, type, server);
      },
      () => ({ type, metricType: 'Utilization', metadata: { value: String(percent) } }),
    );
  }

  private constructor(
    /** @internal */
    public readonly _usage: ComparedUsage | undefined,
    /** @internal */
    public readonly _check: (problems: Problems, at: string, server: ScaledServer) => void,
    /** @internal */
    public readonly _render: (server: Construct) => Record<string, unknown>,
  ) {}
}

/** Options of {@link Autoscaling.keda}. */
export interface KedaOptions extends ScalingOptions {
  /** Metrics to scale by. The one that needs the most pods decides. */
  readonly triggers: KedaTrigger[];

  /**
   * Interval between two measurements.
   * @default - KEDA's default: 30 seconds
   */
  readonly pollingInterval?: Duration;

  /**
   * Number of pods while the metrics are unavailable.
   * @default - the current number
   */
  readonly fallbackReplicas?: number;
}

/** Validates the options. */
export function checkKeda(problems: Problems, options: KedaOptions, server: ScaledServer): void {
  const { maxReplicas, fallbackReplicas, triggers } = options;
  checkScaling(problems, options);
  checkWhole(problems, 'autoscaling.fallbackReplicas', fallbackReplicas, { least: 1, most: maxReplicas });
  checkSeconds(problems, 'autoscaling.pollingInterval', options.pollingInterval);
  if (triggers.length === 0) {
    problems.say('`autoscaling.triggers` must name at least one trigger, got none.');
  }
  triggers.forEach((trigger, i) => {
    trigger._check(problems, `autoscaling.triggers[${String(i)}]`, server);
  });
  if (fallbackReplicas !== undefined && triggers.every((trigger) => trigger._usage !== undefined)) {
    problems.say(
      '`autoscaling.fallbackReplicas` needs a Prometheus trigger: KEDA has no fallback for CPU and memory.',
      'Leave it out.',
    );
  }
}

/**
 * The ScaledObject of a server.
 * @see https://keda.sh/docs/2.18/reference/scaledobject-spec/
 */
export function scaledObject(
  options: KedaOptions,
  server: Construct,
  deployment: kplus.Deployment,
  labels: ObjectLabels,
): ApiObject {
  const { fallbackReplicas } = options;
  // Otherwise the Deployment has a number of replicas, to which each apply would reset it.
  deployment.markHasAutoscaler();
  return new ApiObject(server, 'scaled-object', {
    apiVersion: 'keda.sh/v1alpha1',
    kind: 'ScaledObject',
    metadata: { name: server.node.id, labels: labels.all },
    spec: {
      scaleTargetRef: { name: deployment.name },
      minReplicaCount: options.minReplicas ?? 2,
      maxReplicaCount: options.maxReplicas,
      pollingInterval: options.pollingInterval?.toSeconds(),
      // KEDA's default is three failed measurements.
      fallback: fallbackReplicas === undefined ? undefined : { failureThreshold: 3, replicas: fallbackReplicas },
      triggers: options.triggers.map((trigger) => trigger._render(server)),
    },
  });
}

function prometheus({ prometheusAddress, query, threshold }: PrometheusTriggerOptions): Record<string, unknown> {
  return {
    type: 'prometheus',
    metricType: 'AverageValue',
    metadata: { serverAddress: prometheusAddress, query, threshold: String(threshold) },
  };
}

function checkAddress(problems: Problems, at: string, address: string): void {
  if (!/^https?:\/\/\S+$/.test(address)) {
    problems.add(`${at}.prometheusAddress`, 'must be a URL', address, 'Write http://service.namespace:9090.');
  }
}

function checkAmount(problems: Problems, prop: string, amount: number): void {
  if (!(amount > 0 && Number.isFinite(amount))) {
    problems.add(prop, 'must be a number above 0', amount);
  }
}
