import * as kplus from 'cdk8s-plus-28';
import type { Construct } from 'constructs';

import { checkObjectName } from '../../validation/checks';
import type { ObjectLabels } from '../../kube/pod/labels';
import type { Problems } from '../../validation/problems';

import { checkEndpoint, type EndpointOptions } from './hosts';
import type { IngressController } from './ingress-controller';

/** The Ingress: access from outside the cluster. */
export interface IngressOptions extends EndpointOptions {
  /**
   * Name of the IngressClass.
   * @default - the default class of the cluster
   */
  readonly className?: string;

  /**
   * The ingress controller. Its annotations set the size and time limits that uploads of large artifacts need.
   * @default - none: the controller's own limits apply
   */
  readonly controller?: IngressController;

  /**
   * Name of the Secret (type `kubernetes.io/tls`) with the certificate for all hosts.
   * @default - no TLS
   */
  readonly tlsSecretName?: string;
}

/** Validates the options. */
export function checkIngress(
  problems: Problems,
  options: IngressOptions | undefined,
  server: { readonly hasCertificate: boolean; readonly namespace?: string },
): void {
  if (options === undefined) {
    return;
  }
  checkEndpoint(problems, 'ingress', options);
  if (options.className !== undefined) {
    checkObjectName(problems, 'ingress.className', options.className);
  }
  options.controller?._check(problems, server);
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
  if (server.tls) {
    options.controller?._connectByHttps(scope, service, labels);
  }
  return ingress;
}
