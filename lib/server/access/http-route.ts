import { ApiObject, type Duration } from 'cdk8s';
import type * as kplus from 'cdk8s-plus-28';
import type { Construct } from 'constructs';

import { checkAnnotations, checkNamespace } from '../../kube/values/metadata';
import { checkHosts, checkObjectName, checkPath, checkSeconds } from '../../validation/checks';
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
  checkGateways(problems, options.gateways);
  checkHosts(problems, 'httpRoute.hosts', options.hosts);
  checkPath(problems, 'httpRoute.path', options.path);
  checkAnnotations(problems, 'httpRoute.annotations', options.annotations);
  checkSeconds(problems, 'httpRoute.requestTimeout', options.requestTimeout);
}

function checkGateways(problems: Problems, gateways: GatewayReference[]): void {
  if (gateways.length === 0) {
    problems.say('`httpRoute.gateways` must name at least one Gateway, got none.');
  }
  gateways.forEach(({ name, gatewayNamespace, sectionName }, i) => {
    const prop = `httpRoute.gateways[${String(i)}]`;
    checkObjectName(problems, `${prop}.name`, name);
    if (gatewayNamespace !== undefined) {
      checkNamespace(problems, `${prop}.gatewayNamespace`, gatewayNamespace);
    }
    if (sectionName !== undefined) {
      checkObjectName(problems, `${prop}.sectionName`, sectionName);
    }
    const before = gateways
      .slice(0, i)
      .filter((each) => each.name === name && each.gatewayNamespace === gatewayNamespace)
      .map((each) => each.sectionName);
    if (
      before.length > 0 &&
      [...before, sectionName].some((each, j, all) => each === undefined || all.indexOf(each) < j)
    ) {
      problems.add(prop, 'must name another listener of the same Gateway', sectionName, 'Give each a `sectionName`.');
    }
  });
}

/** A duration of the Gateway API, which has at most five digits of a unit. */
function durationOf(duration: Duration): string {
  const seconds = duration.toSeconds();
  if (seconds < 100_000) {
    return `${String(seconds)}s`;
  }
  const parts: [number, string][] = [
    [Math.floor(seconds / 3600), 'h'],
    [Math.floor(seconds / 60) % 60, 'm'],
    [seconds % 60, 's'],
  ];
  return parts.flatMap(([count, unit]) => (count === 0 ? [] : [`${String(count)}${unit}`])).join('');
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
          timeouts: requestTimeout && { request: durationOf(requestTimeout) },
        },
      ],
    },
  });
}
