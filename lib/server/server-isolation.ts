import * as kplus from 'cdk8s-plus-28';
import type { Construct } from 'constructs';

import type { ArtifactLocation } from '../artifacts/artifact-store';
import { checkIsolation, egressOf, isolateJob } from '../kube/network/isolation';
import { labelsOf, type ObjectLabels } from '../kube/pod/labels';
import { NetworkPeer } from '../kube/network/network-peer';
import { type IngressEdge, networkPolicy } from '../kube/network/network-policy';
import { checkPeers, type NetworkRoute } from '../kube/network/network-route';
import type { Problems } from '../validation/problems';
import { routesTo } from '../postgres/connection/connection-sidecar';
import { DatabaseMigration } from '../startup/database-migration';

import type { IngressOptions } from './access/ingress';
import type { MlflowServerProps } from './mlflow-server-props';
import { SERVER_PORT } from './ports';
import type { ServerIsolationOptions } from './server-isolation-options';

const CONTROLLERS: Record<string, NetworkPeer> = { nginx: NetworkPeer.INGRESS_NGINX, traefik: NetworkPeer.TRAEFIK };

const HTTPS = 443;

const EXTERNAL_SERVICE_TYPES: string[] = [kplus.ServiceType.LOAD_BALANCER, kplus.ServiceType.NODE_PORT];

/** What the options must look like, and what the other props ask of them. */
export function checkServerIsolation(
  problems: Problems,
  { isolation, ingress, httpRoute, service }: MlflowServerProps,
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
 * @param routes what the server needs besides its database
 * @param further who else may reach it; edges may be added until the synthesis
 */
export function isolateServer(
  scope: Construct,
  props: MlflowServerProps & { readonly isolation: ServerIsolationOptions },
  labels: ObjectLabels,
  routes: NetworkRoute[],
  further: IngressEdge[],
): void {
  const { isolation, backend, databaseMigration: migration = DatabaseMigration.initContainer() } = props;
  const { id } = scope.node;
  const { connection } = backend;
  const migrates = migration._kind === 'off' ? [] : routesTo(connection.unpooled);
  const reads = props.readFromReplica === true && connection.readRoute !== undefined ? [connection.readRoute] : [];
  const all = new Set([...routesTo(connection), ...migrates, ...reads, ...routes]);
  further.push({ peers: isolation.clients ?? [NetworkPeer.OWN_NAMESPACE], port: SERVER_PORT });
  further.push({ peers: controllersOf(props), port: SERVER_PORT });
  networkPolicy(scope, 'network-policy', id, labels, {
    ingress: further,
    egress: egressOf(isolation, [...all]),
  });
  if (migration._kind === 'job') {
    isolateJob(
      scope,
      'migration-network-policy',
      `${id}-migration`,
      labelsOf('mlflow', id, 'migration'),
      isolation,
      migrates,
    );
  }
}

function controllersOf({ ingress, httpRoute, isolation }: MlflowServerProps): NetworkPeer[] {
  const given = isolation?.ingressControllers;
  return ingress === undefined ? ((httpRoute && given) ?? []) : (given ?? controllerOf(ingress) ?? []);
}

function controllerOf({ className = '' }: IngressOptions): NetworkPeer[] | undefined {
  const controller = CONTROLLERS[className];
  return controller && [controller];
}

/** The ways to a store through the network. */
export function routesOf({ routes, destination }: ArtifactLocation): NetworkRoute[] {
  return routes ?? (destination.includes(':') ? [{ ports: [HTTPS] }] : []);
}
