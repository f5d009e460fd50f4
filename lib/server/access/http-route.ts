import { ApiObject, type Duration } from 'cdk8s';
import type * as kplus from 'cdk8s-plus-28';
import type { Construct } from 'constructs';

import { checkObjectName, checkSeconds } from '../../validation/checks';
import type { ObjectLabels } from '../../kube/pod/labels';
import type { Problems } from '../../validation/problems';

import { checkEndpoint, type EndpointOptions } from './hosts';

/** An existing Gateway. */
export interface GatewayReference {
  /** Name of the Gateway. */
  readonly name: string;

  /**
   * Namespace of the Gateway.
   * @default - the server's
   */
  readonly gatewayNamespace?: string;

  /**
   * Name of the listener.
   * @default - all listeners that match the hosts
   */
  readonly sectionName?: string;
}

/** The HTTPRoute: access from outside the cluster through an existing Gateway. */
export interface HttpRouteOptions extends EndpointOptions {
  /** Gateways that the route is attached to. */
  readonly gateways: GatewayReference[];

  /**
   * Whether clients use HTTPS, which the Gateway terminates.
   * @default true
   */
  readonly https?: boolean;

  /**
   * Time limit of a request, such as the upload of a large artifact.
   * @default - the Gateway's
   */
  readonly requestTimeout?: Duration;
}

/** Validates the options. */
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
  checkEndpoint(problems, 'httpRoute', options);
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
