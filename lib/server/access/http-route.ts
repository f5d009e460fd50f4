import { ApiObject, type Duration } from 'cdk8s';
import type * as kplus from 'cdk8s-plus-28';
import type { Construct } from 'constructs';

import { checkObjectName, checkSeconds } from '../../validation/checks';
import { checkNamespace } from '../../kube/values/metadata';
import type { ObjectLabels } from '../../kube/pod/labels';
import type { Problems } from '../../validation/problems';

import { type BackendTlsOptions, checkBackendTls, serverNameOf } from './backend-tls';
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

  /**
   * How the Gateway verifies the `certificate` of the server, in a BackendTLSPolicy of the Gateway API 1.4 or later.
   * @default - the defaults of BackendTlsOptions
   */
  readonly backendTls?: BackendTlsOptions;
}

/** Validates the options. */
export function checkHttpRoute(
  problems: Problems,
  options: HttpRouteOptions | undefined,
  hasCertificate: boolean,
): void {
  if (options === undefined) {
    return;
  }
  checkGateways(problems, options.gateways);
  checkEndpoint(problems, 'httpRoute', options);
  checkSeconds(problems, 'httpRoute.requestTimeout', options.requestTimeout);
  checkBackendTls(problems, 'httpRoute.backendTls', options.backendTls ?? {}, hasCertificate);
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
      // Defaults in lists are written out: Argo CD shows them as a difference otherwise.
      parentRefs: options.gateways.map(({ name, gatewayNamespace: namespace, sectionName }) => ({
        group: 'gateway.networking.k8s.io',
        kind: 'Gateway',
        name,
        namespace,
        sectionName,
      })),
      hostnames: options.hosts,
      rules: [
        {
          matches: [{ path: { type: 'PathPrefix', value: options.path ?? path } }],
          backendRefs: [{ group: '', kind: 'Service', name: service.name, port: service.port, weight: 1 }],
          timeouts: requestTimeout && { request: durationOf(requestTimeout) },
        },
      ],
    },
  });
}

/**
 * The BackendTLSPolicy of a server with a certificate: without it, a Gateway connects by HTTP.
 * @see https://gateway-api.sigs.k8s.io/api-types/backendtlspolicy/
 */
export function backendTlsPolicyOf(
  scope: Construct,
  { backendTls = {} }: HttpRouteOptions,
  service: kplus.Service,
  labels: ObjectLabels,
): ApiObject {
  const ca = backendTls.ca?._reference;
  return new ApiObject(scope, 'backend-tls-policy', {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'BackendTLSPolicy',
    metadata: { name: service.name, labels: labels.all },
    spec: {
      targetRefs: [{ group: '', kind: 'Service', name: service.name }],
      validation: {
        hostname: serverNameOf(backendTls, service),
        caCertificateRefs: ca && [{ group: '', kind: ca.kind === 'secret' ? 'Secret' : 'ConfigMap', name: ca.name }],
        wellKnownCACertificates: ca === undefined ? 'System' : undefined,
      },
    },
  });
}
