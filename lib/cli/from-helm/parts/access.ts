import { call, type Code, kplus, list, member, mlflow, struct, textMap, texts, value } from '../../code/code';

import type { Release } from '../release';
import type { Values } from '../values';
import { type Data, entryOf, isData, plain } from '../data';

const SERVICE_TYPES: Record<string, string> = {
  ClusterIP: 'CLUSTER_IP',
  NodePort: 'NODE_PORT',
  LoadBalancer: 'LOAD_BALANCER',
};

/** Options of the server's Service. */
export interface ServiceValues {
  readonly typeKey: string;
  readonly type: string;
  /** The port of the chart's Service: clients know it. */
  readonly port: number;
  readonly nodePort?: number;
  readonly sourceRanges?: readonly string[];
  readonly annotations: Record<string, string>;
}

/** Sets the Service, at the port that clients use. */
export function setService(values: Values, release: Release, service: ServiceValues): void {
  const type = entryOf(SERVICE_TYPES, service.type);
  if (type === undefined) {
    values.problem(service.typeKey, 'ClusterIP, NodePort or LoadBalancer', service.type);
  }
  const isCluster = type === 'CLUSTER_IP' || type === undefined;
  const { nodePort, sourceRanges = [], annotations } = service;
  const code = struct(mlflow('ServiceOptions'), {
    serviceType: isCluster ? undefined : member(kplus('ServiceType'), type),
    port: service.port === 5000 ? undefined : value(service.port),
    nodePort: nodePort === undefined || isCluster ? undefined : value(nodePort),
    loadBalancerSourceRanges: sourceRanges.length === 0 || type !== 'LOAD_BALANCER' ? undefined : texts(sourceRanges),
    annotations: Object.keys(annotations).length === 0 ? undefined : textMap(annotations),
  });
  release.set('service', code.kind === 'struct' && code.fields.length > 0 ? code : undefined);
}

/** An Ingress of a chart. */
export interface IngressValues {
  readonly keys: readonly string[];
  readonly className?: string;
  readonly annotations: Record<string, string>;
  readonly hosts: readonly { readonly host: string; readonly paths: readonly string[] }[];
  readonly tlsSecretNames: readonly string[];
}

/** Annotations that `IngressController` sets. */
const OF_CONTROLLERS: Record<string, RegExp> = {
  ingressNginx:
    /^nginx\.ingress\.kubernetes\.io\/(proxy-body-size|proxy-read-timeout|proxy-send-timeout|proxy-request-buffering|backend-protocol)$/,
};

/** Sets the Ingress. */
export function setIngress(release: Release, ingress: IngressValues): void {
  const { keys, hosts } = ingress;
  const named = hosts.map(({ host }) => host).filter((host) => host !== '');
  const paths = [...new Set(hosts.flatMap((host) => host.paths.map(plainPath)))];
  if (named.length === 0) {
    release.note(
      'to do',
      keys,
      'An Ingress without a host: name the hosts, since the server answers only to names that it knows.',
    );
    return;
  }
  const { 'kubernetes.io/ingress.class': oldClass, ...annotations } = ingress.annotations;
  const className = ingress.className ?? oldClass;
  const controller = className === 'nginx' ? 'ingressNginx' : undefined;
  const pattern = controller === undefined ? undefined : OF_CONTROLLERS[controller];
  const kept = Object.fromEntries(Object.entries(annotations).filter(([name]) => pattern?.test(name) !== true));
  const replaced = Object.keys(annotations).filter((name) => !(name in kept));
  const [path = '/', ...otherPaths] = paths;
  const [secret, ...otherSecrets] = [...new Set(ingress.tlsSecretNames)];
  release.set(
    'ingress',
    struct(mlflow('IngressOptions'), {
      hosts: texts([...new Set(named)]),
      path: path === '/' ? undefined : value(path),
      className: className === undefined ? undefined : value(className),
      controller: controller === undefined ? undefined : call(mlflow('IngressController'), controller),
      annotations: Object.keys(kept).length === 0 ? undefined : textMap(kept),
      tlsSecretName: secret === undefined ? undefined : value(secret),
    }),
  );
  if (replaced.length > 0) {
    release.note(
      'changed',
      replaced,
      'IngressController.ingressNginx() sets them: uploads of any size, an hour of silence. Its options are `maxSize` and `timeout`.',
    );
  }
  if (otherPaths.length > 0) {
    release.note(
      'to do',
      keys,
      `The app has one path for all hosts, ${path}; others (${otherPaths.join(', ')}) need an Ingress of their own.`,
    );
  }
  if (otherSecrets.length > 0) {
    release.note(
      'to do',
      keys,
      `The app has one TLS Secret for all hosts, ${secret ?? ''}; a certificate for all of them, or an Ingress of your own for ${otherSecrets.join(', ')}.`,
    );
  }
  release.note(
    'changed',
    keys,
    'The server answers only to the names of its Service and these hosts, and browsers may only come from them: `allowedHosts` and `corsAllowedOrigins` add others.',
  );
}

/** The hosts of an Ingress, as most charts list them. */
export function hostsOf(values: Values, release: Release, key: string): { host: string; paths: string[] }[] {
  return values.list(key).map((each, i) => {
    if (!isData(each)) {
      return { host: plain(each), paths: ['/'] };
    }
    const place = `${key}[${String(i)}]`;
    const paths = Array.isArray(each.paths) ? (each.paths as unknown[]) : [];
    if (plain(each.host) === '') {
      release.note(
        'to do',
        place,
        'A rule for all hosts: name them, since the server answers only to names that it knows.',
      );
    }
    if (paths.some((path) => isData(path) && path.backend !== undefined)) {
      release.note('to do', place, 'A path to another service needs an Ingress of its own.');
    }
    if (paths.some((path) => isData(path) && path.pathType === 'Exact')) {
      release.note('changed', place, 'Its path is a prefix in the app, not an exact one.');
    }
    return {
      host: plain(each.host),
      paths: paths.map((path) => (isData(path) ? plain(path.path) || '/' : plain(path))),
    };
  });
}

/** Names of the TLS Secrets, as most charts list them. */
export function tlsSecretNames(values: Values, release: Release, key: string): string[] {
  const entries = values.maps(key);
  if (entries.some(({ secretName }) => secretName === undefined || secretName === '')) {
    release.note(
      'to do',
      key,
      'TLS without a Secret takes the certificate of the controller: name one in `tlsSecretName`.',
    );
  }
  return entries.flatMap(({ secretName }) => (typeof secretName === 'string' && secretName !== '' ? [secretName] : []));
}

/** A path without the expressions that controllers add, such as `/mlflow(/|$)(.*)`. */
function plainPath(path: string): string {
  const plain = path.replace(/[(*].*$/, '').replace(/\/+$/, '');
  return plain === '' ? '/' : plain;
}

/** Sets the HTTPRoute. */
export function setHttpRoute(
  release: Release,
  route: {
    readonly hosts: readonly string[];
    readonly path?: string;
    readonly annotations: Record<string, string>;
    readonly parents: readonly Data[];
    readonly keys: readonly string[];
  },
): void {
  if (route.hosts.length === 0 || route.parents.length === 0) {
    release.note('to do', route.keys, 'An HTTPRoute needs a host and a Gateway: set `httpRoute: { hosts, gateways }`.');
    return;
  }
  const gateways = route.parents.map((parent): Code =>
    struct(mlflow('GatewayReference'), {
      name: value(plain(parent.name)),
      gatewayNamespace: parent.namespace === undefined ? undefined : value(plain(parent.namespace)),
      sectionName: parent.sectionName === undefined ? undefined : value(plain(parent.sectionName)),
    }),
  );
  release.set(
    'httpRoute',
    struct(mlflow('HttpRouteOptions'), {
      hosts: texts(route.hosts),
      gateways: list(gateways),
      path: route.path === undefined || plainPath(route.path) === '/' ? undefined : value(plainPath(route.path)),
      annotations: Object.keys(route.annotations).length === 0 ? undefined : textMap(route.annotations),
    }),
  );
}
