import type { Construct } from 'constructs';

import type { ObjectLabels } from '../../kube/pod/labels';
import type { PodContainer } from '../../kube/pod/pod';
import type { PodPart } from '../../kube/pod/pod-part';
import type { SecretKey } from '../../kube/values/secret-key';
import type { PoolingProfile } from '../../postgres/capacity/pooling-profile';
import type { IPostgresBackend } from '../../postgres/connection/postgres-backend';
import type { Problems } from '../../validation/problems';
import type { Endpoint } from '../access/hosts';
import type { ReadinessCheck } from '../settings/probes';

/** The properties of the server that a login depends on. */
export interface AuthContext {
  readonly backend: IPostgresBackend;
  readonly pooling: PoolingProfile;
  /** Whether each pod prepares the database, including the first administrator, before it serves. */
  readonly isPreparedByPods: boolean;
  readonly readinessCheck: ReadinessCheck;
  /** Hosts of the Ingress and of the HTTPRoute. */
  readonly endpoints: readonly Endpoint[];
  /** Path prefixes that are routed to the server, by prop. */
  readonly paths: Readonly<Record<string, string>>;
  /** Whether the port of the pod uses HTTPS. */
  readonly isHttps: boolean;
  readonly metrics: boolean;
  readonly accessLog: boolean;
  readonly staticPrefix: string;
}

/** The first administrator of a server. */
export interface Administrator {
  readonly username: string;
  readonly password: SecretKey;
}

/** The additions of a login to a server. */
export interface AuthParts {
  /** The administrator whose password MLflow keeps, of a login by users of MLflow's own. */
  readonly administrator?: Administrator;
  /** Arguments of `mlflow server`. */
  readonly arguments: string[];
  /** Part of the container that serves. */
  readonly server: PodPart;
  /** Variables and files of a login of the user's own, in the container that serves. */
  readonly custom?: PodPart[];
  /** Folder that Python imports the modules of such a login from. */
  readonly pythonFolder?: string;
  /** Part of the container that prepares the database. */
  readonly migration: PodPart;
  /** Whether another app answers instead of MLflow's own. */
  readonly replacesApp?: boolean;
  /** SQLAlchemy engines, each with a pool, that a worker has besides MLflow's own. */
  readonly engines: number;
  /** Whether `/metrics` requires the login of an administrator. */
  readonly guardsMetrics: boolean;
  /** A sidecar that listens on the port of the pod instead of MLflow, and presents the certificate. */
  readonly proxy?: (certificate: PodPart) => PodContainer;
}

/** A login that {@link MlflowAuth} offers. */
export interface AuthStrategy {
  check(problems: Problems, context: AuthContext): void;
  bind(scope: Construct, labels: ObjectLabels, context: AuthContext): AuthParts;
}

/** No login: every client may do everything. */
export const NO_AUTH: AuthParts = { arguments: [], server: {}, migration: {}, engines: 0, guardsMetrics: false };
