import { ApiObject } from 'cdk8s';
import type { IConstruct } from 'constructs';

import {
  addVariables,
  containersOf,
  type Manifest,
  type ManifestPod,
  type ManifestVariable,
  podIn,
  sortFields,
} from '../../cluster/manifest';
import { NetworkPeer } from '../../kube/network/network-peer';
import { addCompletion } from '../../kube/same-namespace';
import type { FileSource } from '../../kube/values/file-source';
import { Problems } from '../../validation/problems';

import type { MlflowLogin } from './mlflow-login';

const CA_VOLUME = 'mlflow-ca';
const CA_FOLDER = '/etc/mlflow-ca';
const CA_FILE = 'ca.crt';
/** What clients know of a server. */
interface Server {
  readonly serverName: string;
  readonly serverNamespace?: string;
  readonly trackingUri: string;
  /** Whether its NetworkPolicy is of this app. */
  readonly isolation?: object;
  addClients(peers: NetworkPeer[]): void;
}

/** The name of the server of each workload that is connected. */
const CONNECTED = new WeakMap<IConstruct, string>();

/** Options of `connect()` of an MLflow server. */
export interface ConnectOptions {
  /**
   * Login of the workload.
   * @default - none: the server has no `auth`, or the containers have a login of their own
   */
  readonly login?: MlflowLogin;

  /**
   * CA that has signed the certificate of the server, for a server with `certificate`.
   * @default - the CAs of the containers' images
   */
  readonly ca?: FileSource;

  /**
   * Names of the containers that are clients.
   * @default - all of the pod, its init containers too
   */
  readonly containers?: string[];
}

/** Makes the pods of a workload clients of a server. */
export function connectWorkload(server: Server, workload: IConstruct, options: ConnectOptions): void {
  const objects = workload.node.findAll().filter((each) => ApiObject.isApiObject(each));
  const namespace = objects[0]?.metadata.namespace;
  check(server, workload, objects, options);
  CONNECTED.set(workload, server.serverName);

  const label = `${server.serverName}-client`;
  for (const object of objects) {
    const render = object.toJson.bind(object) as () => Manifest;
    // cdk8s has no hook for a manifest, and the workload may get further containers until it renders.
    object.toJson = () => connected(render(), server, label, options);
  }
  addCompletion(workload);
  workload.node.addValidation({ validate: () => problemsIn(objects, options) });
  if (server.isolation !== undefined) {
    const labels = { [label]: 'true' };
    const isElsewhere = namespace !== undefined && namespace !== server.serverNamespace;
    server.addClients([isElsewhere ? NetworkPeer.podsOf(namespace, labels) : NetworkPeer.pods(labels)]);
  }
}

function check(
  server: Server,
  workload: IConstruct,
  objects: readonly ApiObject[],
  { login, ca, containers }: ConnectOptions,
): void {
  const problems = new Problems(workload);
  login?._check(problems, 'login');
  ca?._check(problems, 'ca');
  if (containers?.length === 0) {
    problems.say('`containers` must name at least one container, got none.', 'Leave it out for all.');
  }
  if (ca !== undefined && !server.trackingUri.startsWith('https:')) {
    problems.say('`ca` must be left out: the server answers by HTTP.', 'Give the server a `certificate`.');
  }
  const namespace = objects[0]?.metadata.namespace;
  if (objects.length === 0) {
    problems.say('`workload` must have pods: a Deployment, StatefulSet, DaemonSet, Job, CronJob or Pod.');
  } else if (namespace !== undefined && server.serverNamespace === undefined) {
    problems.say(
      `\`workload\` is in the namespace "${namespace}", and the server's is not known.`,
      'Give the chart of the server a `namespace`.',
    );
  }
  const before = CONNECTED.get(workload);
  if (before !== undefined) {
    problems.say(`\`workload\` must be connected once, got "${before}" before "${server.serverName}".`);
  }
  problems.throwIfAny();
}

/** What is wrong once all containers are there. */
function problemsIn(objects: readonly ApiObject[], { containers = [] }: ConnectOptions): string[] {
  const pods = objects.flatMap((object) => podIn(object.toJson() as Manifest) ?? []);
  if (pods.length === 0) {
    const kinds = objects.map(({ kind }) => kind).join(', ');
    return [`\`workload\` of connect() must have pods, got ${kinds}.`];
  }
  const names = pods.flatMap((pod) => containersOf(pod).map(({ name }) => name));
  return containers
    .filter((name) => !names.includes(name))
    .map((name) => `\`containers\` of connect() must be of the workload (${names.join(', ')}), got "${name}".`);
}

function connected(manifest: Manifest, server: Server, label: string, options: ConnectOptions): Manifest {
  const pod = podIn(manifest);
  if (pod !== undefined) {
    connectPod(pod, server.trackingUri, label, options);
    sortFields(pod);
  }
  // Without fields that are undefined, which YAML would show as null.
  return JSON.parse(JSON.stringify(manifest)) as Manifest;
}

function connectPod(pod: ManifestPod, uri: string, label: string, { login, ca, containers }: ConnectOptions): void {
  const variables: ManifestVariable[] = [
    { name: 'MLFLOW_TRACKING_URI', value: uri },
    ...Object.entries(login?._variables ?? {}).map(([name, key]) => ({
      name,
      valueFrom: key._value().valueFrom as unknown,
    })),
    ...(ca === undefined ? [] : [{ name: 'MLFLOW_TRACKING_SERVER_CERT_PATH', value: `${CA_FOLDER}/${CA_FILE}` }]),
  ];
  pod.metadata = { ...pod.metadata, labels: { ...pod.metadata?.labels, [label]: 'true' } };
  // A Service called "mlflow" would give its pods MLFLOW_PORT and the like, which MLflow reads.
  pod.spec.enableServiceLinks = false;
  for (const container of containersOf(pod)) {
    if (containers?.includes(container.name) ?? true) {
      addVariables(container, variables);
      if (ca !== undefined) {
        const mount = { mountPath: CA_FOLDER, name: CA_VOLUME, readOnly: true };
        container.volumeMounts = [...(container.volumeMounts ?? []), mount];
      }
    }
  }
  if (ca !== undefined) {
    pod.spec.volumes = [...(pod.spec.volumes ?? []), ca._volumeIn(CA_VOLUME, CA_FILE)];
  }
}
