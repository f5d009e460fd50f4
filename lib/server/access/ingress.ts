import * as kplus from 'cdk8s-plus-28';
import type { Construct } from 'constructs';

import { checkHostName, checkObjectName } from '../../validation/checks';
import type { ObjectLabels } from '../../kube/pod/labels';
import type { Problems } from '../../validation/problems';

import type { IngressController } from './ingress-controller';

/** The way in from outside the cluster. */
export interface IngressOptions {
  /** Host names that the server answers to. They become allowed hosts and CORS origins by themselves. */
  readonly hosts: string[];

  /**
   * Path of the hosts that leads to the server.
   * @default - the static prefix of the server, or '/'
   */
  readonly path?: string;

  /**
   * The ingress class.
   * @default - the default class of the cluster
   */
  readonly className?: string;

  /**
   * The controller, where it has to be told about large artifacts: limits of size and time, in its own annotations.
   * @default - the controller's own limits hold
   */
  readonly controller?: IngressController;

  /**
   * Annotations; they win over those of `controller`.
   * @default - none
   */
  readonly annotations?: Record<string, string>;

  /**
   * Name of the Secret with the certificate for all hosts (type `kubernetes.io/tls`).
   * @default - no TLS
   */
  readonly tlsSecretName?: string;
}

/** What the options must look like. */
export function checkIngress(problems: Problems, options: IngressOptions | undefined): void {
  if (options === undefined) {
    return;
  }
  if (options.hosts.length === 0) {
    problems.say('`ingress.hosts` must name at least one host, got none.');
  }
  const twice = options.hosts.find((host, i) => options.hosts.indexOf(host) < i);
  if (twice !== undefined) {
    problems.say(`\`ingress.hosts\` must not name a host twice, got "${twice}" twice.`);
  }
  options.hosts.forEach((host, i) => {
    checkHostName(problems, `ingress.hosts[${String(i)}]`, host);
  });
  if (options.path !== undefined && !options.path.startsWith('/')) {
    problems.add('ingress.path', 'must start with a slash', options.path);
  }
  options.controller?._check(problems);
  if (options.tlsSecretName !== undefined) {
    checkObjectName(problems, 'ingress.tlsSecretName', options.tlsSecretName);
  }
}

/** The Ingress of a server. */
export function ingressOf(
  scope: Construct,
  options: IngressOptions,
  service: kplus.Service,
  server: { readonly prefix: string; readonly tls: boolean },
  labels: ObjectLabels,
): kplus.Ingress {
  const annotations = {
    ...options.controller?._annotations(server.tls, service.name, `${server.prefix}/health`),
    ...options.annotations,
  };
  const ingress = new kplus.Ingress(scope, 'ingress', {
    metadata: { name: scope.node.id, labels: labels.all, annotations },
    className: options.className,
    rules: options.hosts.map((host) => ({
      host,
      path: options.path ?? (server.prefix || '/'),
      pathType: kplus.HttpIngressPathType.PREFIX,
      backend: kplus.IngressBackend.fromService(service),
    })),
  });
  if (options.tlsSecretName !== undefined) {
    const secret = kplus.Secret.fromSecretName(scope, 'ingress-tls', options.tlsSecretName);
    ingress.addTls([{ hosts: options.hosts, secret }]);
  }
  return ingress;
}
