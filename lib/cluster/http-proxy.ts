import { METADATA_HOSTS } from '../identity/metadata-hosts';
import type { SecretKey } from '../kube/values/secret-key';
import type { Problems } from '../validation/problems';

import { addVariables, containersOf, type ManifestContainer, type ManifestPod } from './manifest';

const LOCAL = ['localhost', '127.0.0.1', '::1', '.svc'];

/** Options of {@link HttpProxy}. */
export interface HttpProxyOptions {
  /**
   * Further hosts that pods reach without the proxy: names, domains that start with a dot, addresses.
   *
   * Pods reach themselves, names that end in `.svc` or the cluster's domain, names without a dot and Services of the app that they
   * are given as URLs, and the services on the node that issue credentials without the proxy.
   * @default - none
   */
  readonly noProxy?: string[];
}

/** HTTP proxy between the pods and the internet: `HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY` of each container. */
export class HttpProxy {
  /**
   * A proxy that needs no login.
   *
   * @param url URL of the proxy, such as `http://proxy.example.com:3128`
   */
  public static at(url: string, options: HttpProxyOptions = {}): HttpProxy {
    return new HttpProxy(url, options);
  }

  /** A proxy whose URL has a login: it is a key of a Secret, which each namespace with pods needs. */
  public static fromSecret(url: SecretKey, options: HttpProxyOptions = {}): HttpProxy {
    return new HttpProxy(url, options);
  }

  private constructor(
    private readonly url: string | SecretKey,
    private readonly options: HttpProxyOptions,
  ) {}

  /** @internal */
  public _check(problems: Problems, prop: string): void {
    if (typeof this.url === 'string') {
      checkUrl(problems, `${prop}.url`, this.url);
    } else {
      this.url._check(problems, `${prop}.url`);
    }
    this.options.noProxy?.forEach((host, i) => {
      if (/[\s,]|:\/\//.test(host)) {
        problems.add(`${prop}.noProxy[${String(i)}]`, 'must be one host, domain or address, without scheme', host);
      }
    });
  }

  /** `services` are those of the app, each as `name.namespace`. @internal */
  public _complete(pod: ManifestPod, clusterDomain: string, services: ReadonlySet<string>): void {
    const url =
      typeof this.url === 'string' ? { value: this.url } : { valueFrom: this.url._value().valueFrom as unknown };
    for (const container of containersOf(pod)) {
      const inCluster = hostsIn(container).filter((host) => !/[.:]/.test(host) || services.has(host));
      const hosts = [...LOCAL, `.${clusterDomain}`, ...METADATA_HOSTS, ...inCluster, ...(this.options.noProxy ?? [])];
      addVariables(container, [
        { name: 'HTTP_PROXY', ...url },
        { name: 'HTTPS_PROXY', ...url },
        { name: 'NO_PROXY', value: [...new Set(hosts)].join(',') },
      ]);
    }
  }
}

/** Hosts of the URLs that a container is given. */
function hostsIn({ args = [], command = [], env = [] }: ManifestContainer): string[] {
  const texts = [...command, ...args, ...env.map(({ value = '' }) => value)];
  return texts.flatMap((text) => [...text.matchAll(/https?:\/\/([^/:,\s]+)/g)].map(([, host = '']) => host));
}

function checkUrl(problems: Problems, prop: string, text: string): void {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !['http:', 'https:'].includes(url.protocol) || url.hostname === '') {
    problems.add(prop, 'must be the URL of a proxy (http://proxy.example.com:3128)', text);
  } else if (url.username !== '' || url.password !== '') {
    problems.say(
      `\`${problems.name(prop)}\` must not contain a login: manifests are no secrets.`,
      'Use HttpProxy.fromSecret.',
    );
  }
}
