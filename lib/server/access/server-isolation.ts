import * as kplus from 'cdk8s-plus-28';
import type { Construct } from 'constructs';

import {
  checkIsolation,
  egressOf,
  type IngressEdge,
  type IsolationOptions,
  networkPolicy,
} from '../../kube/network/isolation';
import { NetworkPeer } from '../../kube/network/network-peer';
import { checkPeers } from '../../kube/network/network-route';
import type { Pod } from '../../kube/pod/pod';
import type { Problems } from '../../validation/problems';
import { SERVER_PORT } from '../settings/port';

import type { HttpRouteOptions } from './http-route';
import type { IngressOptions } from './ingress';
import type { ServiceOptions } from './service-options';

const CONTROLLERS: Record<string, NetworkPeer> = { nginx: NetworkPeer.INGRESS_NGINX, traefik: NetworkPeer.TRAEFIK };

const EXTERNAL_SERVICE_TYPES: string[] = [kplus.ServiceType.LOAD_BALANCER, kplus.ServiceType.NODE_PORT];

/** Who may reach a server, and what it may reach besides what its other props lead to. */
export interface ServerIsolationOptions extends IsolationOptions {
  /**
   * Who may reach the server: clients, and Prometheus (`NetworkPeer.PROMETHEUS`) where it scrapes. An empty list is nobody.
   * A Service of the type LoadBalancer or NodePort brings clients from outside, who have to be named.
   * @default [NetworkPeer.OWN_NAMESPACE]
   */
  readonly clients?: NetworkPeer[];

  /**
   * Who brings in requests from outside, where there is an `ingress`.
   * @default - NetworkPeer.INGRESS_NGINX or NetworkPeer.TRAEFIK, by `ingress.className`; for others it has to be given
   */
  readonly ingressControllers?: NetworkPeer[];
}

/** The props of a server that decide who reaches it. */
export interface IsolatedServer {
  readonly isolation?: ServerIsolationOptions;
  readonly ingress?: IngressOptions;
  readonly httpRoute?: HttpRouteOptions;
  readonly service?: ServiceOptions;
}

/** Validates the options, and what the other props ask of them. */
export function checkServerIsolation(
  problems: Problems,
  { isolation, ingress, httpRoute, service }: IsolatedServer,
): void {
  if (isolation === undefined) {
    return;
  }
  checkIsolation(problems, isolation);
  checkPeers(problems, 'isolation.clients', isolation.clients);
  checkPeers(problems, 'isolation.ingressControllers', isolation.ingressControllers);
  const { serviceType } = service ?? {};
  if (serviceType !== undefined && EXTERNAL_SERVICE_TYPES.includes(serviceType) && isolation.clients === undefined) {
    problems.say(
      `\`isolation.clients\` must be given with a Service of the type ${serviceType}, whose clients come from outside.`,
      "Name their addresses, or those of the nodes where these stand in for them: NetworkPeer.cidr('10.0.0.0/8').",
    );
  }
  if (httpRoute !== undefined && isolation.ingressControllers === undefined) {
    problems.say(
      '`isolation.ingressControllers` must be given with `httpRoute`: a Gateway says nothing of its pods.',
      'Name the pods of the Gateway, or the addresses that a load balancer comes from.',
    );
  } else if (
    ingress !== undefined &&
    isolation.ingressControllers === undefined &&
    controllerOf(ingress) === undefined
  ) {
    problems.add(
      'isolation.ingressControllers',
      `must be given where \`ingress.className\` is not ${Object.keys(CONTROLLERS).join(' or ')}`,
      ingress.className,
      'Name the pods of the controller, or the addresses that a load balancer comes from.',
    );
  }
}

/**
 * The policies of a server and of the Job that migrates its schema.
 *
 * @param ingress who else may reach it; edges may be added until the synthesis
 */
export function isolateServer(
  scope: Construct,
  server: IsolatedServer & { readonly isolation: ServerIsolationOptions },
  pods: { readonly server: Pod; readonly migration?: Pod },
  ingress: IngressEdge[],
): void {
  const { isolation } = server;
  ingress.push({ peers: isolation.clients ?? [NetworkPeer.OWN_NAMESPACE], port: SERVER_PORT });
  ingress.push({ peers: controllersOf(server), port: SERVER_PORT });
  networkPolicy(scope, 'network-policy', scope.node.id, pods.server.labels, {
    ingress,
    egress: egressOf(isolation, pods.server.routes),
  });
  if (pods.migration !== undefined) {
    const { labels, routes } = pods.migration;
    networkPolicy(scope, 'migration-network-policy', `${scope.node.id}-migration`, labels, {
      ingress: [],
      egress: egressOf(isolation, routes),
    });
  }
}

function controllersOf({ ingress, httpRoute, isolation }: IsolatedServer): NetworkPeer[] {
  const given = isolation?.ingressControllers;
  return ingress === undefined ? ((httpRoute && given) ?? []) : (given ?? controllerOf(ingress) ?? []);
}

function controllerOf({ className = '' }: IngressOptions): NetworkPeer[] | undefined {
  const controller = CONTROLLERS[className];
  return controller && [controller];
}
