import { Chart, Size } from 'cdk8s';
import * as kplus from 'cdk8s-plus-28';
import type { Construct } from 'constructs';

import { type ArtifactLocation, ArtifactVisibility, bindStore } from '../artifacts/artifact-store';
import { VolumeArtifacts } from '../artifacts/volume-artifacts';
import { IMAGES } from '../images';
import { labelsOf, type ObjectLabels } from '../kube/pod/labels';
import { SCRATCH_SPACE } from '../kube/pod/scratch-space';
import { safeThreads } from '../postgres/capacity/connection-math';
import { PoolingProfile } from '../postgres/capacity/pooling-profile';
import { DatabaseConnectionCheck } from '../startup/database-connection-check';
import { DatabaseMigration } from '../startup/database-migration';
import type { Problems } from '../validation/problems';

import { type Endpoint, endpointsOf } from './access/hosts';
import { type AuthParts, NO_AUTH } from './auth/auth-strategy';
import type { MlflowServerProps } from './mlflow-server-props';
import { LogLevel } from './settings/log-level';
import { ReadinessCheck } from './settings/readiness-check';
import { UpgradeStrategy } from './settings/upgrade-strategy';

const DEFAULT_RESOURCES: kplus.ContainerResources = {
  cpu: { request: kplus.Cpu.millis(500), limit: kplus.Cpu.units(2) },
  memory: { request: Size.gibibytes(1), limit: Size.gibibytes(2) },
  ephemeralStorage: SCRATCH_SPACE,
};

/** Props with a default, which a server always has. */
type DefaultedProps =
  | 'image'
  | 'workers'
  | 'threads'
  | 'pooling'
  | 'databaseConnectionCheck'
  | 'databaseMigration'
  | 'readFromReplica'
  | 'artifactRoot'
  | 'staticPrefix'
  | 'logLevel'
  | 'metrics'
  | 'readinessCheck'
  | 'extraEnvVars'
  | 'extraInitEnvVars'
  | 'extraArgs'
  | 'resources'
  | 'jobExecution'
  | 'telemetry';

/** The props of a server with their defaults, and what follows from them. */
export interface ServerSettings
  extends Omit<MlflowServerProps, DefaultedProps>, Required<Pick<MlflowServerProps, DefaultedProps>> {
  readonly id: string;
  readonly namespace?: string;
  readonly labels: ObjectLabels;
  /** Pods at the most, without the one that a rolling update adds. */
  readonly maxReplicas: number;
  /** The hosts by which it is reached from outside the cluster. */
  readonly endpoints: readonly Endpoint[];
  /** Paths of those hosts that lead to the server, by the prop that sets them. */
  readonly paths: Readonly<Record<string, string>>;
  /** Whether the port of the pod speaks HTTPS. */
  readonly isHttps: boolean;
  /** Whether each pod prepares the database, and so the first administrator, before it serves. */
  readonly isPreparedByPods: boolean;
}

/** A server, resolved: all that is made follows from this value. */
export interface ServerSpec extends ServerSettings {
  readonly artifacts: ArtifactLocation;
  readonly authParts: AuthParts;
  /** Whether new pods start before old ones stop. */
  readonly rolls: boolean;
}

/** Fills in the defaults. */
export function settingsOf(scope: Construct, props: MlflowServerProps): ServerSettings {
  const { pooling = PoolingProfile.STANDARD, databaseMigration = DatabaseMigration.initContainer() } = props;
  const { staticPrefix = '', ingress, httpRoute } = props;
  const root = staticPrefix === '' ? '/' : staticPrefix;
  return {
    ...props,
    id: scope.node.id,
    namespace: Chart.of(scope).namespace,
    labels: labelsOf('mlflow', scope.node.id, 'server'),
    image: props.image ?? IMAGES.mlflow,
    workers: props.workers ?? 2,
    pooling,
    threads: props.threads ?? safeThreads(pooling),
    databaseConnectionCheck: props.databaseConnectionCheck ?? DatabaseConnectionCheck.initContainer(),
    databaseMigration,
    readFromReplica: props.readFromReplica ?? false,
    artifactRoot: props.artifactRoot ?? new VolumeArtifacts(),
    staticPrefix,
    logLevel: props.logLevel ?? LogLevel.INFO,
    metrics: props.metrics ?? false,
    readinessCheck: props.readinessCheck ?? ReadinessCheck.SERVER,
    extraEnvVars: props.extraEnvVars ?? {},
    extraInitEnvVars: props.extraInitEnvVars ?? {},
    extraArgs: props.extraArgs ?? [],
    resources: props.resources ?? DEFAULT_RESOURCES,
    jobExecution: props.jobExecution ?? false,
    telemetry: props.telemetry ?? false,
    maxReplicas: props.autoscaling?.maxReplicas ?? props.replicas ?? 1,
    endpoints: endpointsOf(props),
    paths: {
      ...(ingress && { 'ingress.path': ingress.path ?? root }),
      ...(httpRoute && { 'httpRoute.path': httpRoute.path ?? root }),
    },
    isHttps: props.certificate !== undefined,
    isPreparedByPods: databaseMigration._kind === 'init',
  };
}

/** Resolves a server. Makes what the artifact store and the login need below `scope`. */
export function specOf(problems: Problems, scope: Construct, settings: ServerSettings): ServerSpec {
  const artifacts = bindStore(problems, scope, settings.artifactRoot);
  return {
    ...settings,
    artifacts,
    authParts: settings.auth?._strategy.bind(scope, settings.labels, settings) ?? NO_AUTH,
    // The second pod of a rolling update could wait for ever for a volume that one node holds.
    rolls: artifacts.visibility !== ArtifactVisibility.NODE && settings.upgradeStrategy !== UpgradeStrategy.RECREATE,
  };
}
