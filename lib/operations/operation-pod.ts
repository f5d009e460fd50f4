import { Size } from 'cdk8s';
import * as kplus from 'cdk8s-plus-28';
import type { Construct } from 'constructs';

import { IMAGES } from '../images';
import { text, texts } from '../kube/values/env-values';
import { checkIsolation, isolateJob } from '../kube/network/isolation';
import type { ObjectLabels } from '../kube/pod/labels';
import type { NetworkRoute } from '../kube/network/network-route';
import { annotationsOf, checkIdentities, type PodIdentity } from '../identity/pod-identity';
import type { PodSpecFields } from '../kube/pod/pod-spec';
import { Problems } from '../validation/problems';
import { RESTRICTED_CONTAINER, RESTRICTED_POD } from '../kube/pod/restricted';
import { SCRATCH_SPACE } from '../kube/pod/scratch-space';
import { addConnectionDemand } from '../postgres/capacity/connection-demand';
import { renderConnection } from '../postgres/connection/connection-part';
import { routesTo, sidecarsOf } from '../postgres/connection/connection-sidecar';
import type { PostgresConnection } from '../postgres/connection/postgres-connection';
import { addUniqueNameRule } from '../rules/unique-name';
import { credentialsRevision } from '../server/pod-recipe';
import type { ScriptFiles } from '../scripts/scripts';

import type { OperationProps } from './operation-props';

const DEFAULT_RESOURCES: kplus.ContainerResources = {
  cpu: { request: kplus.Cpu.millis(250), limit: kplus.Cpu.units(2) },
  memory: { request: Size.mebibytes(256), limit: Size.gibibytes(1) },
  ephemeralStorage: SCRATCH_SPACE,
};

/** The pod of a Job that works on a database, and the container in it, to complete with a name and a command. */
export interface OperationPod {
  readonly pod: Pick<
    kplus.JobProps,
    'podMetadata' | 'serviceAccount' | 'automountServiceAccountToken' | 'securityContext' | 'restartPolicy'
  > & {
    /** Proxies to the database, which come before all others. */
    readonly initContainers: kplus.ContainerProps[];
  };
  readonly container: kplus.ContainerProps;
  /** The same without the connection, for a container that has no business with the database. */
  readonly unconnected: kplus.ContainerProps;
  /** What cdk8s-plus-28 has no props for. */
  readonly fields: PodSpecFields;
}

/** What a pod needs besides the database. */
export interface PodNeeds {
  /** Who the pod has to be, besides who its backend needs it to be. */
  readonly identity?: PodIdentity;
  readonly routes?: NetworkRoute[];
  /** Connections to the database that it opens at the most, where servers run meanwhile. */
  readonly connections?: number;
}

/** Makes the volumes and the ServiceAccount below `scope`. Operations go straight to the database, past a pooler. */
export function operationPod(
  scope: Construct,
  props: OperationProps,
  labels: ObjectLabels,
  connection: PostgresConnection,
  scripts: ScriptFiles,
  { identity, routes = [], connections }: PodNeeds = {},
): OperationPod {
  addUniqueNameRule(scope);
  const straight = connection.unpooled;
  if (connections !== undefined) {
    addConnectionDemand(straight, { by: scope, connections, factors: `${String(connections)} at its time` });
  }
  const ofBackend = { prop: 'backend', annotations: straight.sidecar?.serviceAccountAnnotations };
  const { env, mounts } = renderConnection(scope, straight);
  const problems = new Problems(scope);
  checkIsolation(problems, props.isolation);
  // The account beside the backend's identity is for the caller: garbage collection has that of its server, which fits.
  const further = identity === undefined ? [] : [identity];
  further.forEach((each) => {
    checkIdentities(problems, props.serviceAccount, each);
  });
  checkIdentities(problems, undefined, ofBackend, ...further);
  problems.throwIfAny();
  if (props.isolation !== undefined) {
    isolateJob(scope, 'network-policy', scope.node.id, labels, props.isolation, [...routesTo(straight), ...routes]);
  }
  const annotations = annotationsOf(ofBackend, ...further);
  const unconnected: kplus.ContainerProps = {
    image: props.image ?? IMAGES.mlflow,
    imagePullPolicy: props.imagePullPolicy ?? kplus.ImagePullPolicy.IF_NOT_PRESENT,
    securityContext: RESTRICTED_CONTAINER,
    envVariables: texts({
      MLFLOW_DISABLE_TELEMETRY: true,
      DO_NOT_TRACK: true,
      HOME: '/tmp',
      PYTHONDONTWRITEBYTECODE: 1,
    }),
    volumeMounts: [
      { path: '/tmp', volume: kplus.Volume.fromEmptyDir(scope, 'tmp', 'tmp') },
      scripts.mount(scope, labels),
    ],
    resources: props.resources ?? DEFAULT_RESOURCES,
  };
  return {
    pod: {
      podMetadata: { labels: { ...labels.all, ...straight.clientLabels }, annotations: credentialsRevision(straight) },
      serviceAccount: props.serviceAccount ?? newServiceAccount(scope, labels, annotations),
      automountServiceAccountToken: false,
      securityContext: RESTRICTED_POD,
      restartPolicy: kplus.RestartPolicy.NEVER,
      initContainers: sidecarsOf(straight),
    },
    container: {
      ...unconnected,
      envVariables: {
        ...env,
        PGAPPNAME: text(labels.all['app.kubernetes.io/component'] ?? scope.node.id),
        MLFLOW_BACKEND_STORE_URI: text('postgresql+psycopg2://'),
        ...unconnected.envVariables,
      },
      volumeMounts: [...(unconnected.volumeMounts ?? []), ...mounts],
    },
    unconnected,
    fields: { imagePullSecrets: props.imagePullSecrets, priorityClassName: props.priorityClassName },
  };
}

function newServiceAccount(
  scope: Construct,
  labels: ObjectLabels,
  annotations?: Record<string, string>,
): kplus.ServiceAccount {
  return new kplus.ServiceAccount(scope, 'service-account', {
    metadata: { name: scope.node.id, labels: labels.all, annotations },
    automountToken: false,
  });
}
