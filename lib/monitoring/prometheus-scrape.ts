import { ApiObject, Duration } from 'cdk8s';
import type { Construct } from 'constructs';

import { checkDataKey, checkObjectName, checkSeconds } from '../validation/checks';
import type { ObjectLabels } from '../kube/pod/labels';
import type { Problems } from '../validation/problems';

/** How often Prometheus asks, and as whom. */
export interface PrometheusScrapeOptions {
  /**
   * Time between two scrapes, in whole seconds.
   * @default Duration.seconds(30)
   */
  readonly interval?: Duration;

  /**
   * Name of a Secret with an administrator's login of MLflow, in the namespace of the server. `MlflowAuth.basic` asks Prometheus
   * for one as well, and refuses other users with 403.
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

/** What is scraped. */
export interface ScrapeTarget {
  /** The label `job` of all that is scraped. */
  readonly job: string;
  readonly labels: ObjectLabels;
  /** Name of the port, of the container and of the Service. */
  readonly port: string;
  readonly path: string;
  /** Whether it may ask for a login. */
  readonly asksForLogin: boolean;
}

/** How Prometheus finds out what to scrape. All ways set the label `job` to the id of what is scraped. */
export class PrometheusScrape {
  /** A ServiceMonitor of the Prometheus operator. The default; choose it unless you have a reason not to. */
  public static serviceMonitor(options: PrometheusScrapeOptions = {}): PrometheusScrape {
    return new PrometheusScrape('ServiceMonitor', options);
  }

  /** A PodMonitor of the Prometheus operator: finds the pods without their Service. Choose it where pods run that no Service has. */
  public static podMonitor(options: PrometheusScrapeOptions = {}): PrometheusScrape {
    return new PrometheusScrape('PodMonitor', options);
  }

  /**
   * Nothing: a configuration of your own scrapes the pods. It has to set the labels `namespace`, `pod` and `job`, the last
   * to the id of the construct, since the alerts and the dashboard select by them.
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
   * Whether a server lets it in that asks for a login.
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
   * Makes the monitor, if there is one. `labels` are what the Prometheus selects monitors by.
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
    const { interval = Duration.seconds(30) } = this.options;
    const endpoint = {
      port: target.port,
      path: target.path,
      interval: `${String(interval.toSeconds())}s`,
      // Otherwise a PodMonitor calls the job by its own name.
      relabelings: [{ action: 'replace', targetLabel: 'job', replacement: target.job }],
      basicAuth: target.asksForLogin ? this.basicAuth() : undefined,
    };
    return new ApiObject(scope, id, {
      apiVersion: 'monitoring.coreos.com/v1',
      kind: this.kind,
      metadata: { name: target.job, labels: { ...target.labels.all, ...labels } },
      spec: {
        selector: { matchLabels: target.labels.selector },
        [this.kind === 'ServiceMonitor' ? 'endpoints' : 'podMetricsEndpoints']: [endpoint],
      },
    });
  }

  private basicAuth(): Record<string, unknown> | undefined {
    const { basicAuthSecretName: name, usernameKey = 'username', passwordKey = 'password' } = this.options;
    return name === undefined
      ? undefined
      : { username: { name, key: usernameKey }, password: { name, key: passwordKey } };
  }
}
