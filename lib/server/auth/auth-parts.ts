import type * as kplus from 'cdk8s-plus-28';
import type { Construct } from 'constructs';

import type { ObjectLabels } from '../../kube/pod/labels';
import type { Problems } from '../../validation/problems';
import type { PoolingProfile } from '../../postgres/capacity/pooling-profile';
import type { IPostgresBackend } from '../../postgres/connection/postgres-backend';
import type { NetworkRoute } from '../../kube/network/network-route';
import type { Endpoint } from '../access/hosts';
import type { ReadinessCheck } from '../readiness-check';

/** What a way to log in has to know of the server. */
export interface AuthContext {
  readonly backend: IPostgresBackend;
  readonly pooling: PoolingProfile;
  /** Whether each pod prepares the database, and so the first administrator, before it serves. */
  readonly isPreparedByPods: boolean;
  readonly readinessCheck: ReadinessCheck;
  /** The ways in from outside. */
  readonly endpoints: readonly Endpoint[];
  /** Paths of the hosts that lead to the server, by the prop that says so. */
  readonly paths: Readonly<Record<string, string>>;
  /** Whether the port of the pod speaks HTTPS. */
  readonly isHttps: boolean;
  readonly metrics: boolean;
  readonly staticPrefix: string;
}

/** What a way to log in adds to a server. */
export interface AuthParts {
  /** Arguments of `mlflow server`. */
  readonly serverArguments: string[];
  readonly serverEnvironment: Record<string, kplus.EnvValue>;
  /** For what prepares the database. */
  readonly migrationEnvironment: Record<string, kplus.EnvValue>;
  /** Files of the server, and of what prepares the database. */
  readonly volumeMounts: kplus.VolumeMount[];
  /** Engines of each worker besides those of MLflow itself, each with a pool. */
  readonly engines: number;
  /** What else has to be reached. */
  readonly routes: NetworkRoute[];
  /** Whether whoever asks for `/metrics` has to log in, as an administrator. */
  readonly guardsMetrics: boolean;
  /** The sidecar that listens instead of MLflow. */
  readonly proxy?: kplus.ContainerProps;
}

/** A way to log in: what {@link MlflowAuth} chooses between. */
export interface AuthStrategy {
  check(problems: Problems, context: AuthContext): void;
  bind(scope: Construct, labels: ObjectLabels, context: AuthContext): AuthParts;
}

/** Everybody who reaches the server may do everything. */
export const NO_AUTH: AuthParts = {
  serverArguments: [],
  serverEnvironment: {},
  migrationEnvironment: {},
  volumeMounts: [],
  engines: 0,
  routes: [],
  guardsMetrics: false,
};
