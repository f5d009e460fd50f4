import { Chart, Size } from 'cdk8s';
import * as kplus from 'cdk8s-plus-28';
import type { Construct } from 'constructs';

import type { ArtifactLocation } from '../artifacts/artifact-store';
import { text } from '../kube/env-values';
import type { ObjectLabels } from '../kube/labels';
import { RESTRICTED_CONTAINER, RESTRICTED_POD } from '../kube/restricted';
import { renderConnection } from '../postgres/connection-rendering';
import { SCRIPT_FOLDER, scriptVolume } from '../startup/script-files';

import type { MlflowServerProps } from './mlflow-server-props';
import { mlflowEnvironment } from './server-container';

const DEFAULT_IMAGE = 'ghcr.io/mlflow/mlflow:v3.17.2-full';

const INIT_RESOURCES: kplus.ContainerResources = {
  cpu: { request: kplus.Cpu.millis(250), limit: kplus.Cpu.units(2) },
  memory: { request: Size.mebibytes(256), limit: Size.gibibytes(1) },
};

/** What all pods of a server, and all containers in them, have in common: one image, one connection, one way to run. */
export interface PodRecipe {
  readonly pod: Pick<kplus.DeploymentProps, 'podMetadata' | 'automountServiceAccountToken' | 'securityContext'>;
  /** For the container that serves. */
  readonly base: kplus.ContainerProps;
  /** For the containers that prepare the database. */
  readonly initBase: kplus.ContainerProps;
}

/** Makes the volumes below `scope` that the recipe mounts. */
export function podRecipe(
  scope: Construct,
  props: MlflowServerProps,
  labels: ObjectLabels,
  artifacts: ArtifactLocation,
): PodRecipe {
  const { connection } = props.backend;
  const rendering = renderConnection(scope, connection);
  const base: kplus.ContainerProps = {
    image: props.image ?? DEFAULT_IMAGE,
    imagePullPolicy: props.imagePullPolicy ?? kplus.ImagePullPolicy.IF_NOT_PRESENT,
    securityContext: RESTRICTED_CONTAINER,
    envVariables: {
      ...rendering.env,
      ...namespaceVariable(scope),
      ...mlflowEnvironment(props, artifacts),
    },
    volumeMounts: [
      { path: '/tmp', volume: kplus.Volume.fromEmptyDir(scope, 'tmp', 'tmp') },
      { path: SCRIPT_FOLDER, volume: scriptVolume(scope, labels), readOnly: true },
      ...rendering.mounts,
    ],
  };
  const { revision } = connection.credentials;
  return {
    pod: {
      podMetadata: {
        labels: { ...labels.all, ...connection.clientLabels },
        annotations: revision === undefined ? undefined : { 'cdk8s-mlflow/credentials-revision': revision },
      },
      automountServiceAccountToken: false,
      securityContext: RESTRICTED_POD,
    },
    base,
    initBase: {
      ...base,
      envVariables: { ...base.envVariables, ...props.extraInitEnvVars },
      resources: INIT_RESOURCES,
    },
  };
}

// The allowed hosts name the namespace; where the chart does not know it, they refer to this variable.
function namespaceVariable(scope: Construct): Record<string, kplus.EnvValue> {
  const { namespace } = Chart.of(scope);
  return {
    POD_NAMESPACE:
      namespace === undefined ? kplus.EnvValue.fromFieldRef(kplus.EnvFieldPaths.POD_NAMESPACE) : text(namespace),
  };
}
