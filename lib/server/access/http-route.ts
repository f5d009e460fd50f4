import { ApiObject, type Duration } from 'cdk8s';
import type * as kplus from 'cdk8s-plus-28';
import type { Construct } from 'constructs';

import { checkHostName, checkObjectName, checkSeconds } from '../../validation/checks';
import type { ObjectLabels } from '../../kube/pod/labels';
import type { Problems } from '../../validation/problems';

/** A Gateway that exists. */
export interface GatewayReference {
  /** Its name. */
  readonly name: string;

  /**
   * Its namespace.
   * @default - that of the server
   */
  readonly gatewayNamespace?: string;

  /**
   * The listener to use.
   * @default - all that the hosts fit
   */
  readonly sectionName?: string;
}

/** The way in from outside the cluster, through a Gateway. */
export interface HttpRouteOptions {
  /** The Gateways that lead to the server. */
  readonly gateways: GatewayReference[];

  /** Host names that the server answers to. They become allowed hosts and CORS origins by themselves. */
  readonly hosts: string[];

  /**
   * Path of the hosts that leads to the server.
   * @default - the static prefix of the server, or '/'
   */
  readonly path?: string;

  /**
   * Whether browsers come by HTTPS, which the Gateway ends.
   * @default true
   */
  readonly https?: boolean;

  /**
   * How long a request may take, uploads of large artifacts included.
   * @default - as the Gateway has it
   */
  readonly requestTimeout?: Duration;

  /**
   * Annotations of the HTTPRoute.
   * @default - none
   */
  readonly annotations?: Record<string, string>;
}

/** What the options must look like. */
export function checkHttpRoute(problems: Problems, options: HttpRouteOptions | undefined): void {
  if (options === undefined) {
    return;
  }
  if (options.gateways.length === 0) {
    problems.say('`httpRoute.gateways` must name at least one Gateway, got none.');
  }
  options.gateways.forEach(({ name }, i) => {
    checkObjectName(problems, `httpRoute.gateways[${String(i)}].name`, name);
  });
  if (options.hosts.length === 0) {
    problems.say('`httpRoute.hosts` must name at least one host, got none.');
  }
  options.hosts.forEach((host, i) => {
    checkHostName(problems, `httpRoute.hosts[${String(i)}]`, host);
  });
  if (options.path !== undefined && !options.path.startsWith('/')) {
    problems.add('httpRoute.path', 'must start with a slash', options.path);
  }
  checkSeconds(problems, 'httpRoute.requestTimeout', options.requestTimeout);
}

/**
 * The HTTPRoute of a server.
 * @see https://gateway-api.sigs.k8s.io/reference/spec/#httproute
 */
export function httpRouteOf(
  scope: Construct,
  options: HttpRouteOptions,
  service: kplus.Service,
  path: string,
  labels: ObjectLabels,
): ApiObject {
  const { requestTimeout } = options;
  return new ApiObject(scope, 'http-route', {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'HTTPRoute',
    metadata: { name: scope.node.id, labels: labels.all, annotations: options.annotations },
    spec: {
      parentRefs: options.gateways.map(({ name, gatewayNamespace: namespace, sectionName }) => ({
        name,
        namespace,
        sectionName,
      })),
      hostnames: options.hosts,
      rules: [
        {
          matches: [{ path: { type: 'PathPrefix', value: options.path ?? path } }],
          backendRefs: [{ name: service.name, port: service.port }],
          timeouts: requestTimeout && { request: `${String(requestTimeout.toSeconds())}s` },
        },
      ],
    },
  });
}
