import type { Construct } from 'constructs';

import type { ObjectLabels } from '../../kube/pod/labels';
import type { PodContainer } from '../../kube/pod/pod';
import type { PodPart } from '../../kube/pod/pod-part';
import type { PoolingProfile } from '../../postgres/capacity/pooling-profile';
import type { IPostgresBackend } from '../../postgres/connection/postgres-backend';
import type { Problems } from '../../validation/problems';
import type { Endpoint } from '../access/hosts';
import type { ReadinessCheck } from '../settings/readiness-check';

/** What a login has to know of the server. */
export interface AuthContext {
  readonly backend: IPostgresBackend;
  readonly pooling: PoolingProfile;
  /** Whether each pod prepares the database, and so the first administrator, before it serves. */
  readonly isPreparedByPods: boolean;
  readonly readinessCheck: ReadinessCheck;
  /** The hosts by which it is reached from outside the cluster. */
  readonly endpoints: readonly Endpoint[];
  /** Paths of those hosts that lead to the server, by the prop that sets them. */
  readonly paths: Readonly<Record<string, string>>;
  /** Whether the port of the pod speaks HTTPS. */
  readonly isHttps: boolean;
  readonly metrics: boolean;
  readonly staticPrefix: string;
}

/** What a login adds to a server. */
export interface AuthParts {
  /** Arguments of `mlflow server`. */
  readonly arguments: string[];
  /** For the container that serves. */
  readonly server: PodPart;
  /** For the container that prepares the database. */
  readonly migration: PodPart;
  /** Engines of each worker besides those of MLflow itself, each with a pool. */
  readonly engines: number;
  /** Whether `/metrics` asks for the login of an administrator. */
  readonly guardsMetrics: boolean;
  /** The sidecar that answers on the port of the pod instead of MLflow, with the certificate that it shows. */
  readonly proxy?: (certificate: PodPart) => PodContainer;
}

/** A login: what {@link MlflowAuth} chooses between. */
export interface AuthStrategy {
  check(problems: Problems, context: AuthContext): void;
  bind(scope: Construct, labels: ObjectLabels, context: AuthContext): AuthParts;
}

/** No login: whoever reaches the server may do everything. */
export const NO_AUTH: AuthParts = { arguments: [], server: {}, migration: {}, engines: 0, guardsMetrics: false };
