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

/** Clients that may reach a server, and destinations that it may reach besides those of its other props. */
export interface ServerIsolationOptions extends IsolationOptions {
  /**
   * Peers that may reach the server. An empty list denies all. Required with a Service of type LoadBalancer or NodePort,
   * whose clients come from outside the cluster. `MlflowMonitoring` adds Prometheus itself.
   * @default [NetworkPeer.OWN_NAMESPACE]
   */
  readonly clients?: NetworkPeer[];

  /**
   * Pods of the ingress controller or Gateway that forward requests from outside.
   * @default - NetworkPeer.INGRESS_NGINX or NetworkPeer.TRAEFIK, by `ingress.className`; required for others and for `httpRoute`
   */
  readonly ingressControllers?: NetworkPeer[];
}

/** The props of a server that concern its network policy. */
export interface IsolatedServer {
  readonly isolation?: ServerIsolationOptions;
  readonly ingress?: IngressOptions;
  readonly httpRoute?: HttpRouteOptions;
  readonly service?: ServiceOptions;
}

/** Validates the options, alone and with the other props. */
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
  const serviceType = service?.serviceType;
  if (serviceType !== undefined && EXTERNAL_SERVICE_TYPES.includes(serviceType) && isolation.clients === undefined) {
    problems.say(
      `\`isolation.clients\` is required with a Service of type ${serviceType}, whose clients come from outside.`,
      "Name the addresses of the clients, or of the nodes if they replace them: NetworkPeer.cidr('10.0.0.0/8').",
    );
  }
  if (httpRoute !== undefined && isolation.ingressControllers === undefined) {
    problems.say(
      '`isolation.ingressControllers` is required with `httpRoute`, which does not tell the pods of its Gateway.',
      'Name the pods of the Gateway, or the source addresses of a load balancer.',
    );
  } else if (
    ingress !== undefined &&
    isolation.ingressControllers === undefined &&
    controllerOf(ingress) === undefined
  ) {
    problems.add(
      'isolation.ingressControllers',
      `is required where \`ingress.className\` is not ${Object.keys(CONTROLLERS).join(' or ')}`,
      ingress.className,
      'Name the pods of the controller, or the source addresses of a load balancer.',
    );
  }
}

/**
 * Makes the network policies of a server and of the Job that migrates its schema.
 *
 * @param ingress edges to add to; more may follow until the synthesis
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
