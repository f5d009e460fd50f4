import { ApiObject, Chart, Duration } from 'cdk8s';
import type { Construct } from 'constructs';

import { checkDataKey, checkObjectName, checkSeconds } from '../validation/checks';
import type { ObjectLabels } from '../kube/pod/labels';
import type { Problems } from '../validation/problems';

/** Options of {@link PrometheusScrape}. */
export interface PrometheusScrapeOptions {
  /**
   * Time between two scrapes, in whole seconds.
   * @default Duration.seconds(30)
   */
  readonly interval?: Duration;

  /**
   * Name of a Secret with the login of an MLflow administrator, in the namespace of the monitor, which is that of
   * `MlflowMonitoring`. `MlflowAuth.basic` requires it and answers other users with 403.
   * @default - none
   */
  readonly basicAuthSecretName?: string;

  /**
   * Key of the user name in that Secret.
   * @default 'username'
   */
  readonly usernameKey?: string;

  /**
   * Key of the password in that Secret.
   * @default 'password'
   */
  readonly passwordKey?: string;
}

/** A target of Prometheus. */
export interface ScrapeTarget {
  /** The label `job` of its series. */
  readonly job: string;
  readonly labels: ObjectLabels;
  readonly namespace: string | undefined;
  /** Name of the port, of the container and of the Service. */
  readonly port: string;
  readonly path: string;
  /** Whether it may require a login. */
  readonly asksForLogin: boolean;
}

/** How Prometheus discovers its targets. The label `job` is the id of the target's construct. */
export class PrometheusScrape {
  /** A ServiceMonitor of the Prometheus operator. The default; choose it unless you need another. */
  public static serviceMonitor(options: PrometheusScrapeOptions = {}): PrometheusScrape {
    return new PrometheusScrape('ServiceMonitor', options);
  }

  /** A PodMonitor of the Prometheus operator, which needs no Service. Choose it for pods without a Service. */
  public static podMonitor(options: PrometheusScrapeOptions = {}): PrometheusScrape {
    return new PrometheusScrape('PodMonitor', options);
  }

  /**
   * No monitor: your own configuration scrapes the pods. It must set the labels `namespace`, `pod` and `job` (the id of the
   * construct), by which the alerts and the dashboard select.
   */
  public static external(): PrometheusScrape {
    return new PrometheusScrape();
  }

  private constructor(
    private readonly kind?: 'ServiceMonitor' | 'PodMonitor',
    private readonly options: PrometheusScrapeOptions = {},
  ) {}

  /** @internal */
  public get _isExternal(): boolean {
    return this.kind === undefined;
  }

  /**
   * Whether it can scrape a server that requires a login.
   *
   * @internal
   */
  public get _hasLogin(): boolean {
    return this._isExternal || this.options.basicAuthSecretName !== undefined;
  }

  /** @internal */
  public _check(problems: Problems): void {
    const { interval, basicAuthSecretName, usernameKey = 'username', passwordKey = 'password' } = this.options;
    checkSeconds(problems, 'scrape.interval', interval);
    if (basicAuthSecretName !== undefined) {
      checkObjectName(problems, 'scrape.basicAuthSecretName', basicAuthSecretName);
      checkDataKey(problems, 'scrape.usernameKey', usernameKey);
      checkDataKey(problems, 'scrape.passwordKey', passwordKey);
    }
  }

  /**
   * Makes the monitor, unless it is external. `labels` are those by which Prometheus selects monitors.
   * @see https://prometheus-operator.dev/docs/api-reference/api/#monitoring.coreos.com/v1.ServiceMonitor
   * @internal
   */
  public _monitor(
    scope: Construct,
    id: string,
    target: ScrapeTarget,
    labels: Record<string, string>,
  ): ApiObject | undefined {
    if (this.kind === undefined) {
      return undefined;
    }
    const { interval = Duration.seconds(30), basicAuthSecretName: name } = this.options;
    const { usernameKey = 'username', passwordKey = 'password' } = this.options;
    const login = name && { username: { name, key: usernameKey }, password: { name, key: passwordKey } };
    const endpoint = {
      port: target.port,
      path: target.path,
      interval: `${String(interval.toSeconds())}s`,
      // Otherwise the job of a PodMonitor is the monitor's own name.
      relabelings: [{ action: 'replace', targetLabel: 'job', replacement: target.job }],
      basicAuth: target.asksForLogin ? login : undefined,
    };
    // A monitor looks into its own namespace, unless it names another.
    const isForeign = target.namespace !== Chart.of(scope).namespace;
    return new ApiObject(scope, id, {
      apiVersion: 'monitoring.coreos.com/v1',
      kind: this.kind,
      metadata: { name: target.job, labels: { ...target.labels.all, ...labels } },
      spec: {
        selector: { matchLabels: target.labels.selector },
        namespaceSelector: isForeign ? { matchNames: [target.namespace] } : undefined,
        [this.kind === 'ServiceMonitor' ? 'endpoints' : 'podMetricsEndpoints']: [endpoint],
      },
    });
  }
}
