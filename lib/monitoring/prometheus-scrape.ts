import { ApiObject, Chart, Duration } from 'cdk8s';
import type { Construct } from 'constructs';

import type { FileSource } from '../kube/values/file-source';
import { checkDataKey, checkObjectName, checkSeconds } from '../validation/checks';
import type { ObjectLabels } from '../kube/pod/labels';
import type { Problems } from '../validation/problems';

const DEFAULT_INTERVAL = Duration.seconds(30);

const ACTIONS = [
  'replace',
  'keep',
  'drop',
  'hashmod',
  'labelmap',
  'labeldrop',
  'labelkeep',
  'lowercase',
  'uppercase',
  'keepequal',
  'dropequal',
];

/** How Prometheus verifies the certificate of a server. */
export interface ScrapeTlsOptions {
  /**
   * Certificate of the CA, in the namespace of the monitor, which is that of `MlflowMonitoring`.
   * @default - the CAs that Prometheus trusts
   */
  readonly ca?: FileSource;

  /**
   * Name in the certificate. Prometheus connects to the addresses of the pods, which no certificate has.
   * @default - `<server>.<namespace>.svc`
   */
  readonly serverName?: string;
}

/**
 * A relabeling of Prometheus.
 * @see https://prometheus.io/docs/prometheus/latest/configuration/configuration/#relabel_config
 */
export interface Relabeling {
  /**
   * Labels whose values are joined and compared with `regex`.
   * @default - none
   */
  readonly sourceLabels?: string[];

  /**
   * Text between the values.
   * @default ';'
   */
  readonly separator?: string;

  /**
   * Expression that the whole text has to match.
   * @default '(.*)'
   */
  readonly regex?: string;

  /**
   * Label that gets the value.
   * @default - none
   */
  readonly targetLabel?: string;

  /**
   * The value, in which `$1` is the first group of `regex`.
   * @default '$1'
   */
  readonly replacement?: string;

  /**
   * What is done: `replace`, `keep`, `drop`, `labeldrop` and others.
   * @default 'replace'
   */
  readonly action?: string;

  /**
   * Modulus of the hash, for the action `hashmod`.
   * @default - none
   */
  readonly modulus?: number;
}

/** Options of {@link PrometheusScrape}. */
export interface PrometheusScrapeOptions {
  /**
   * Time between two scrapes, in whole seconds.
   * @default Duration.seconds(30)
   */
  readonly interval?: Duration;

  /**
   * Time limit of a scrape, in whole seconds, at most `interval`.
   * @default - that of Prometheus: 10 seconds, or `interval` if it is shorter
   */
  readonly timeout?: Duration;

  /**
   * How Prometheus verifies a server with a `certificate`, which requires it.
   * @default - HTTP
   */
  readonly tls?: ScrapeTlsOptions;

  /**
   * Relabelings of the targets. The label `job` is set before.
   * @default - none
   */
  readonly relabelings?: Relabeling[];

  /**
   * Relabelings of the metrics, for example to drop some.
   * @default - none
   */
  readonly metricRelabelings?: Relabeling[];

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
  /** Name in its certificate, if it has one. */
  readonly serverName?: string;
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

  /**
   * Whether it can scrape a server with a certificate.
   *
   * @internal
   */
  public get _verifiesTls(): boolean {
    return this._isExternal || this.options.tls !== undefined;
  }

  /** @internal */
  public _check(problems: Problems): void {
    const {
      interval = DEFAULT_INTERVAL,
      timeout,
      tls,
      basicAuthSecretName,
      usernameKey = 'username',
      passwordKey = 'password',
    } = this.options;
    checkSeconds(problems, 'scrape.interval', interval);
    checkSeconds(problems, 'scrape.timeout', timeout);
    if (timeout !== undefined && timeout.toMilliseconds() > interval.toMilliseconds()) {
      problems.add(
        'scrape.timeout',
        `must be at most \`interval\`, ${String(interval.toSeconds())} s`,
        `${String(timeout.toSeconds())} s`,
      );
    }
    tls?.ca?._check(problems, 'scrape.tls.ca');
    if (tls?.serverName !== undefined && !/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/.test(tls.serverName)) {
      problems.add('scrape.tls.serverName', 'must be a host name, without a port', tls.serverName);
    }
    checkRelabelings(problems, 'scrape.relabelings', this.options.relabelings);
    checkRelabelings(problems, 'scrape.metricRelabelings', this.options.metricRelabelings);
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
    const { interval = DEFAULT_INTERVAL, timeout, tls, basicAuthSecretName: name } = this.options;
    const { usernameKey = 'username', passwordKey = 'password' } = this.options;
    const login = name && { username: { name, key: usernameKey }, password: { name, key: passwordKey } };
    const endpoint = {
      port: target.port,
      path: target.path,
      interval: `${String(interval.toSeconds())}s`,
      scrapeTimeout: timeout && `${String(timeout.toSeconds())}s`,
      ...(target.serverName !== undefined && {
        scheme: 'https',
        tlsConfig: { ca: referenceTo(tls?.ca), serverName: tls?.serverName ?? target.serverName },
      }),
      // Otherwise the job of a PodMonitor is the monitor's own name.
      relabelings: [
        { action: 'replace', targetLabel: 'job', replacement: target.job },
        ...(this.options.relabelings ?? []),
      ],
      metricRelabelings: this.options.metricRelabelings,
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

function checkRelabelings(problems: Problems, prop: string, relabelings: Relabeling[] = []): void {
  relabelings.forEach(({ action }, i) => {
    if (action !== undefined && !ACTIONS.includes(action.toLowerCase())) {
      problems.add(`${prop}[${String(i)}].action`, `must be one of ${ACTIONS.join(', ')}`, action);
    }
  });
}

/** The file, as the objects of the operator refer to it. */
function referenceTo(file: FileSource | undefined): object | undefined {
  if (file === undefined) {
    return undefined;
  }
  const { kind, name, key } = file._reference;
  return { [kind]: { name, key } };
}
