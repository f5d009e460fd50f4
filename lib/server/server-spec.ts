import { Chart, Size } from 'cdk8s';
import * as kplus from 'cdk8s-plus-28';
import type { Construct } from 'constructs';

import { type ArtifactLocation, ArtifactVisibility, bindStore } from '../artifacts/artifact-store';
import { VolumeArtifacts } from '../artifacts/volume-artifacts';
import { IMAGES } from '../images';
import { labelsOf, type ObjectLabels } from '../kube/pod/labels';
import { LITTLE_SCRATCH_SPACE, SCRATCH_SPACE } from '../kube/pod/scratch-space';
import { safeThreads } from '../postgres/capacity/connection-math';
import { PoolingProfile } from '../postgres/capacity/pooling-profile';
import { memoryOf } from '../rules/memory-fits-processes';
import type { ServerRoute } from '../rules/unique-route';
import { DatabaseConnectionCheck } from '../startup/database-connection-check';
import { DatabaseMigration } from '../startup/database-migration';
import { SCRIPT_RESOURCES } from '../scripts/script-resources';
import { withDefaults } from '../validation/defaults';
import type { Problems } from '../validation/problems';

import { type AuthContext, type AuthParts, NO_AUTH } from './auth/auth-strategy';
import type { MlflowServerProps } from './mlflow-server-props';
import { LogLevel } from './settings/log-level';
import { ReadinessCheck } from './settings/probes';
import { UpgradeStrategy } from './settings/upgrade-strategy';

const DEFAULT_WORKERS = 2;

/** Default resources: 2 GiB, or more where the processes need it. */
function defaultResources({ workers = DEFAULT_WORKERS, jobExecution }: MlflowServerProps): kplus.ContainerResources {
  // An invalid number is already a problem.
  const memory = Number.isInteger(workers) ? memoryOf({ workers, jobs: jobExecution?._jobs ?? 0 }) : 0;
  const limit = Math.max(4, Math.ceil(memory / 512)) * 512;
  return {
    cpu: { request: kplus.Cpu.millis(500), limit: kplus.Cpu.units(2) },
    memory: { request: Size.mebibytes(limit - 1024), limit: Size.mebibytes(limit) },
    ephemeralStorage: SCRATCH_SPACE,
  };
}

const DEFAULTS = {
  image: IMAGES.mlflow,
  workers: DEFAULT_WORKERS,
  pooling: PoolingProfile.STANDARD,
  databaseConnectionCheck: DatabaseConnectionCheck.initContainer(),
  databaseMigration: DatabaseMigration.initContainer(),
  readFromReplica: false,
  artifactRoot: new VolumeArtifacts(),
  staticPrefix: '',
  logLevel: LogLevel.INFO,
  accessLog: true,
  metrics: false,
  readinessCheck: ReadinessCheck.SERVER,
  extraEnvVars: {},
  extraInitEnvVars: {},
  extraArgs: [],
  initResources: { ...SCRIPT_RESOURCES, ephemeralStorage: LITTLE_SCRATCH_SPACE },
  telemetry: false,
  workspaces: false,
} satisfies Partial<MlflowServerProps>;

type DefaultedProps = keyof typeof DEFAULTS | 'threads' | 'resources';

/** The props of a server with their defaults, and what follows from them. */
export interface ServerSettings
  extends Omit<MlflowServerProps, DefaultedProps>, Required<Pick<MlflowServerProps, DefaultedProps>>, AuthContext {
  readonly id: string;
  readonly namespace?: string;
  readonly labels: ObjectLabels;
  /** Maximum number of pods, without the one that a rolling update adds. */
  readonly maxReplicas: number;
}

/** A resolved server: all of its objects are made from this value. */
export interface ServerSpec extends ServerSettings {
  readonly artifacts: ArtifactLocation;
  readonly authParts: AuthParts;
  /** Whether new pods start before old ones stop. */
  readonly rolls: boolean;
}

/** Fills in the defaults. */
export function settingsOf(scope: Construct, given: MlflowServerProps): ServerSettings {
  const props = withDefaults(given, DEFAULTS);
  const { ingress, httpRoute, autoscaling } = props;
  const root = props.staticPrefix || '/';
  return {
    ...props,
    id: scope.node.id,
    namespace: Chart.of(scope).namespace,
    labels: labelsOf('mlflow', scope.node.id, 'server'),
    resources: props.resources ?? defaultResources(given),
    threads: props.threads ?? safeThreads(props.pooling),
    maxReplicas: autoscaling?.maxReplicas ?? props.replicas ?? 1,
    endpoints: [
      ...(ingress === undefined ? [] : [{ hosts: ingress.hosts, https: ingress.tlsSecretName !== undefined }]),
      ...(httpRoute === undefined ? [] : [{ hosts: httpRoute.hosts, https: httpRoute.https ?? true }]),
    ],
    paths: {
      ...(ingress && { 'ingress.path': ingress.path ?? root }),
      ...(httpRoute && { 'httpRoute.path': httpRoute.path ?? root }),
    },
    isHttps: props.certificate !== undefined,
    isPreparedByPods: props.databaseMigration._kind === 'init',
  };
}

/** Resolves a server. Makes the objects of the artifact store and of the login below `scope`. */
export function specOf(problems: Problems, scope: Construct, settings: ServerSettings): ServerSpec {
  const artifacts = bindStore(problems, scope, settings.artifactRoot);
  return {
    ...settings,
    artifacts,
    authParts: settings.auth?._strategy.bind(scope, settings.labels, settings) ?? NO_AUTH,
    // The second pod of a rolling update could wait forever for a volume that is mounted on another node.
    rolls: artifacts.visibility !== ArtifactVisibility.NODE && settings.upgradeStrategy !== UpgradeStrategy.RECREATE,
  };
}

/** The addresses of a server at ingress controllers and gateways. */
export function routesOf({ ingress, httpRoute, paths }: ServerSettings): ServerRoute[] {
  const places = [
    ...(ingress ? [{ prop: 'ingress', at: ingress.className ?? '', hosts: ingress.hosts }] : []),
    ...(httpRoute?.gateways ?? []).map(({ name, gatewayNamespace = '', sectionName = '' }) => ({
      prop: 'httpRoute',
      at: [gatewayNamespace, name, sectionName].join('/'),
      hosts: httpRoute?.hosts ?? [],
    })),
  ];
  return places.flatMap(({ hosts, ...place }) =>
    hosts.map((host) => ({ ...place, host, path: paths[`${place.prop}.path`] ?? '/' })),
  );
}
