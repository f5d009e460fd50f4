import { Chart } from 'cdk8s';
import type { Construct } from 'constructs';

import { checkWhole } from '../../validation/checks';
import type { Problems } from '../../validation/problems';

/** What a trigger may need to know of a server. */
export interface ScaledServer {
  readonly namespace: string | undefined;
  readonly metrics: boolean;
}

/** Requests of MLflow's clients, as Prometheus has them. */
export interface RequestTriggerOptions {
  /** The address of Prometheus, such as `http://prometheus-operated.monitoring:9090`. */
  readonly prometheusAddress: string;

  /** Requests a second that a pod should serve. */
  readonly perSecondAndPod: number;
}

/** A number that a query of Prometheus yields. */
export interface PrometheusTriggerOptions {
  /** The address of Prometheus, such as `http://prometheus-operated.monitoring:9090`. */
  readonly prometheusAddress: string;

  /** The query, which has to yield one number for all pods together. */
  readonly query: string;

  /** How much of that number a pod should take. */
  readonly threshold: number;
}

/**
 * What KEDA measures.
 * @see https://keda.sh/docs/2.18/scalers/
 */
export class KedaTrigger {
  /** CPU that the pods should use on average, in percent of what they request. */
  public static cpu(percent: number): KedaTrigger {
    return KedaTrigger.utilization('cpu', percent);
  }

  /** Memory that the pods should use on average, in percent of what they request. MLflow's memory hardly follows its load. */
  public static memory(percent: number): KedaTrigger {
    return KedaTrigger.utilization('memory', percent);
  }

  /**
   * Requests a second, from the metrics of a server with `metrics`, as {@link MlflowMonitoring} has Prometheus scrape them. The
   * chart has to name its namespace, by which the server is told from others.
   */
  public static requests(options: RequestTriggerOptions): KedaTrigger {
    const { prometheusAddress, perSecondAndPod } = options;
    return new KedaTrigger(
      true,
      (problems, at, { namespace, metrics }) => {
        checkAddress(problems, at, prometheusAddress);
        checkAmount(problems, `${at}.perSecondAndPod`, perSecondAndPod);
        if (namespace === undefined) {
          problems.say(`\`${at}\` needs the namespace of the server.`, 'Give its chart a `namespace`.');
        }
        if (!metrics) {
          problems.say(`\`${at}\` needs a server that counts its requests.`, 'Set `metrics: true`.');
        }
      },
      (server) => {
        const selector = `namespace="${Chart.of(server).namespace ?? ''}",job="${server.node.id}"`;
        const query = `sum(rate(mlflow_http_request_total{${selector}}[2m]))`;
        return prometheus({ prometheusAddress, query, threshold: perSecondAndPod });
      },
    );
  }

  /** Whatever Prometheus knows, such as connections to the database. */
  public static prometheus(options: PrometheusTriggerOptions): KedaTrigger {
    return new KedaTrigger(
      true,
      (problems, at) => {
        checkAddress(problems, at, options.prometheusAddress);
        checkAmount(problems, `${at}.threshold`, options.threshold);
      },
      () => prometheus(options),
    );
  }

  private static utilization(type: string, percent: number): KedaTrigger {
    return new KedaTrigger(
      false,
      (problems, at) => {
        checkWhole(problems, at, percent, { least: 1 });
      },
      () => ({ type, metricType: 'Utilization', metadata: { value: String(percent) } }),
    );
  }

  private constructor(
    /** @internal */
    public readonly _isAverage: boolean,
    /** @internal */
    public readonly _check: (problems: Problems, at: string, server: ScaledServer) => void,
    /** @internal */
    public readonly _render: (server: Construct) => Record<string, unknown>,
  ) {}
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
