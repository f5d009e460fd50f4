import { Chart, Size } from 'cdk8s';
import * as kplus from 'cdk8s-plus-28';
import type { Construct } from 'constructs';

import type { ArtifactLocation } from '../artifacts/artifact-store';
import { IMAGES } from '../images';
import { text } from '../kube/values/env-values';
import type { ObjectLabels } from '../kube/pod/labels';
import type { PodIdentity } from '../identity/pod-identity';
import { RESTRICTED_CONTAINER, RESTRICTED_POD } from '../kube/pod/restricted';
import { LITTLE_SCRATCH_SPACE } from '../kube/pod/scratch-space';
import { type ConnectionRendering, renderConnection } from '../postgres/connection/connection-part';
import { sidecarsOf } from '../postgres/connection/connection-sidecar';
import type { PostgresConnection } from '../postgres/connection/postgres-connection';
import { ScriptFiles } from '../scripts/scripts';

import type { AuthParts } from './auth/auth-parts';
import { renderEncryption } from './encryption';
import { METRICS_SCRIPT } from './metrics';
import type { MlflowServerProps } from './mlflow-server-props';
import { PROBE_SCRIPT } from './probes';
import { mlflowEnvironment } from './server-container';

const SCRIPTS = ['wait_for_database.py', 'migrate_database.py', 'bounded_loop.py', 'inspect_database.py'];

const INIT_RESOURCES: kplus.ContainerResources = {
  cpu: { request: kplus.Cpu.millis(250), limit: kplus.Cpu.units(2) },
  memory: { request: Size.mebibytes(256), limit: Size.gibibytes(1) },
  ephemeralStorage: LITTLE_SCRATCH_SPACE,
};

/** What all pods of a server, and all containers in them, have in common: one image, one connection, one way to run. */
export interface PodRecipe {
  readonly pod: Pick<kplus.DeploymentProps, 'podMetadata' | 'automountServiceAccountToken' | 'securityContext'>;
  /** For the container that serves. */
  readonly base: kplus.ContainerProps;
  /** For the container that checks the server's own connection. */
  readonly checkBase: kplus.ContainerProps;
  /** For the container that migrates, straight on the database. */
  readonly migrationBase: kplus.ContainerProps;
  /** Proxies to the database, which come before all other containers. */
  readonly sidecars: kplus.ContainerProps[];
}

/** Makes the volumes below `scope` that the recipe mounts. */
export function podRecipe(
  scope: Construct,
  props: MlflowServerProps,
  labels: ObjectLabels,
  artifacts: ArtifactLocation,
  auth: AuthParts,
): PodRecipe {
  const { connection } = props.backend;
  const scripts = ScriptFiles.named(
    ...SCRIPTS,
    ...(props.metrics === true ? [METRICS_SCRIPT] : []),
    ...(auth.proxy === undefined ? [] : [PROBE_SCRIPT]),
  );
  const common: kplus.ContainerProps = {
    image: props.image ?? IMAGES.mlflow,
    imagePullPolicy: props.imagePullPolicy ?? kplus.ImagePullPolicy.IF_NOT_PRESENT,
    securityContext: RESTRICTED_CONTAINER,
    envVariables: { ...namespaceVariable(scope), ...mlflowEnvironment(props, artifacts) },
    volumeMounts: [
      { path: '/tmp', volume: kplus.Volume.fromEmptyDir(scope, 'tmp', 'tmp') },
      scripts.mount(scope, labels),
    ],
  };
  const connected = withConnection(common, renderConnection(scope, connection));
  const checkBase = initContainer(connected, props);
  return {
    pod: {
      podMetadata: {
        labels: {
          ...labels.all,
          ...connection.clientLabels,
          ...connection.bypass?.clientLabels,
          ...artifacts.podLabels,
        },
        annotations: credentialsRevision(connection),
      },
      automountServiceAccountToken: false,
      securityContext: RESTRICTED_POD,
    },
    base: connected,
    checkBase,
    migrationBase: withSecrets(
      connection.bypass === undefined
        ? checkBase
        : initContainer(withConnection(common, renderConnection(scope, connection.bypass, 'postgres-direct')), props),
      props,
      auth,
    ),
    sidecars: sidecarsOf(connection, props.databaseMigration?._kind === 'off' ? undefined : connection.bypass),
  };
}

/** Who the pods of a server have to be. */
export function identitiesOf(
  { backend }: MlflowServerProps,
  artifacts: ArtifactLocation,
): [PodIdentity, ...PodIdentity[]] {
  const { sidecar } = backend.connection.unpooled;
  return [
    { prop: 'backend', annotations: sidecar?.serviceAccountAnnotations },
    { prop: 'artifactRoot', annotations: artifacts.serviceAccountAnnotations },
  ];
}

function withConnection(container: kplus.ContainerProps, { env, mounts }: ConnectionRendering): kplus.ContainerProps {
  return {
    ...container,
    envVariables: { ...env, ...container.envVariables },
    volumeMounts: [...(container.volumeMounts ?? []), ...mounts],
  };
}

// It makes the first user, and refuses an empty passphrase.
function withSecrets(
  container: kplus.ContainerProps,
  { encryption }: MlflowServerProps,
  auth: AuthParts,
): kplus.ContainerProps {
  const passphrase = renderEncryption({ passphrase: encryption?.passphrase });
  return {
    ...container,
    envVariables: { ...container.envVariables, ...passphrase, ...auth.migrationEnvironment },
    volumeMounts: [...(container.volumeMounts ?? []), ...auth.volumeMounts],
  };
}

function initContainer(base: kplus.ContainerProps, { extraInitEnvVars }: MlflowServerProps): kplus.ContainerProps {
  return { ...base, envVariables: { ...base.envVariables, ...extraInitEnvVars }, resources: INIT_RESOURCES };
}

/** Pods are replaced when a login changes that is known at synth. */
export function credentialsRevision(
  connection: Pick<PostgresConnection, 'credentials' | 'bypass'>,
): Record<string, string> | undefined {
  const revisions = [connection, connection.bypass].flatMap((each) => each?.credentials.revision ?? []);
  return revisions.length === 0
    ? undefined
    : { 'cdk8s-mlflow/credentials-revision': [...new Set(revisions)].join('-') };
}

// The allowed hosts name the namespace; where the chart does not know it, they refer to this variable.
function namespaceVariable(scope: Construct): Record<string, kplus.EnvValue> {
  const { namespace } = Chart.of(scope);
  return {
    POD_NAMESPACE:
      namespace === undefined ? kplus.EnvValue.fromFieldRef(kplus.EnvFieldPaths.POD_NAMESPACE) : text(namespace),
  };
}
