import type * as kplus from 'cdk8s-plus-28';

import type { PodOptions } from '../kube/pod/pod-options';
import type { IArtifactStore } from '../artifacts/artifact-store';
import type { TlsCertificate } from '../kube/values/tls-certificate';
import type { PoolingProfile } from '../postgres/capacity/pooling-profile';
import type { IPostgresBackend } from '../postgres/connection/postgres-backend';
import type { DatabaseConnectionCheck } from '../startup/database-connection-check';
import type { DatabaseMigration } from '../startup/database-migration';

import type { HttpRouteOptions } from './access/http-route';
import type { IngressOptions } from './access/ingress';
import type { ServiceOptions } from './access/service-options';
import type { MlflowAuth } from './auth/mlflow-auth';
import type { Autoscaling } from './autoscaling/autoscaling';
import type { EncryptionOptions } from './settings/encryption';
import type { LogLevel } from './settings/log-level';
import type { ReadinessCheck } from './settings/readiness-check';
import type { ServerIsolationOptions } from './access/server-isolation';
import type { UpgradeStrategy } from './settings/upgrade-strategy';

/**
 * Props of {@link MlflowServer}.
 *
 * What cdk8s-plus-28 can do with a Deployment is not here: node selectors, tolerations, affinity, labels, volumes,
 * init containers and sidecars are calls on `server.deployment`.
 */
export interface MlflowServerProps extends PodOptions {
  /** The database. */
  readonly backend: IPostgresBackend;

  /**
   * The image, by tag or digest, for the server and for all that prepares it. It needs MLflow and psycopg2, and uvicorn
   * 0.37 or later (of September 2025).
   * @default 'ghcr.io/mlflow/mlflow:v3.17.2-full'
   */
  readonly image?: string;

  /**
   * Number of pods. More than one needs artifacts that every pod can see, and brings with it what keeps them available: a
   * PodDisruptionBudget, and a spread over nodes and zones.
   * @default 1
   */
  readonly replicas?: number;

  /**
   * A number of pods that follows the load, instead of `replicas`.
   * @default - none
   */
  readonly autoscaling?: Autoscaling;

  /**
   * In which order pods are replaced when the image changes.
   * @default UpgradeStrategy.ROLLING - UpgradeStrategy.RECREATE where one node holds the artifacts
   */
  readonly upgradeStrategy?: UpgradeStrategy;

  /**
   * Worker processes of each pod. A worker uses one CPU at most, and about 270 MB of memory.
   * @default 2
   */
  readonly workers?: number;

  /**
   * Requests that a worker serves at once; more of them wait their turn. At most `poolSize` + `maxOverflow` - 1, since
   * otherwise requests can wait for each other's connections.
   * @default - as many as `pooling` can serve, at most 40
   */
  readonly threads?: number;

  /**
   * How connections to the database are pooled.
   * @default PoolingProfile.STANDARD
   */
  readonly pooling?: PoolingProfile;

  /**
   * Whether pods make sure of the database before they start.
   * @default DatabaseConnectionCheck.initContainer()
   */
  readonly databaseConnectionCheck?: DatabaseConnectionCheck;

  /**
   * Who brings the schema of the database to the version of the image.
   * @default DatabaseMigration.initContainer()
   */
  readonly databaseMigration?: DatabaseMigration;

  /**
   * Whether reads (searches, the UI) go to the read replicas of the backend. Replicas lag behind: a client may not find at
   * once what it has just logged. MLflow reads an experiment there before it starts a run, so the first run of an
   * experiment fails with HTTP 404 until the replica has heard of it: create experiments beforehand. If the replicas are
   * down, reads and the start of runs fail with HTTP 503, which clients try again; runs that have begun log on. MLflow does
   * not turn to the primary. Each worker opens one more pool, on the replicas. Needs MLflow 3.15 or later in the image.
   * @default false
   */
  readonly readFromReplica?: boolean;

  /**
   * Where artifacts go.
   * @default new VolumeArtifacts() - a volume of 10 GiB, which clients reach through the server
   */
  readonly artifactRoot?: IArtifactStore;

  /**
   * The Service.
   * @default - ClusterIP, port 5000
   */
  readonly service?: ServiceOptions;

  /**
   * The way in from outside the cluster.
   * @default - none
   */
  readonly ingress?: IngressOptions;

  /**
   * The way in from outside the cluster, through a Gateway that exists.
   * @default - none
   */
  readonly httpRoute?: HttpRouteOptions;

  /**
   * The server's own certificate: it then takes nothing but HTTPS, within the cluster too. What is in front of it has to
   * know, a Gateway by a BackendTLSPolicy.
   * @default - none: HTTP, which an ingress or a Gateway may encrypt towards its clients
   */
  readonly certificate?: TlsCertificate;

  /**
   * Who may use the server, and how they prove it.
   * @default - everybody who reaches it
   */
  readonly auth?: MlflowAuth;

  /**
   * What secrets are encrypted with that MLflow stores in the database. The passphrase is required with `auth`.
   * @default - what is in MLflow's source
   */
  readonly encryption?: EncryptionOptions;

  /**
   * Let only the packets through that the other props need, to the pods and from them: a NetworkPolicy, whose edges come from
   * the backend, the artifact store and `auth`. The network of the cluster has to enforce policies.
   * @default - none: everybody may reach the pods, and they everything
   */
  readonly isolation?: ServerIsolationOptions;

  /**
   * Host headers to accept besides the names of the Service, the hosts of `ingress` and `httpRoute`, localhost and private addresses.
   * With the port if there is one; `name:*` takes any port.
   * @default - none
   */
  readonly allowedHosts?: string[];

  /**
   * Origins (`https://host`) from which browsers may change something, besides those of `ingress` and `httpRoute`.
   * @default - none
   */
  readonly corsAllowedOrigins?: string[];

  /**
   * Path under which everything is served, such as `/mlflow`.
   * @default - none
   */
  readonly staticPrefix?: string;

  /**
   * How much the server logs.
   * @default LogLevel.INFO
   */
  readonly logLevel?: LogLevel;

  /**
   * Whether the server counts its requests for Prometheus, at `/metrics` of the port that it serves on. `MlflowMonitoring`
   * needs it. The image needs the package prometheus-flask-exporter, which the `-full` images of MLflow have.
   * @default false
   */
  readonly metrics?: boolean;

  /**
   * What a pod has to show before the Service sends it requests.
   * @default ReadinessCheck.SERVER
   */
  readonly readinessCheck?: ReadinessCheck;

  /**
   * Further environment variables of the server.
   * @default - none
   */
  readonly extraEnvVars?: Record<string, kplus.EnvValue>;

  /**
   * Further environment variables of what prepares the database.
   * @default - none
   */
  readonly extraInitEnvVars?: Record<string, kplus.EnvValue>;

  /**
   * Further arguments of `mlflow server`.
   * @default - none
   */
  readonly extraArgs?: string[];

  /**
   * CPU, memory and temporary files of the server. Uploads through the server wait in its temporary files, all at once.
   * @default - requests 500 millicores, 1 GiB and 1 GiB of disk, limits 2 CPUs, 2 GiB and 20 GiB of disk
   */
  readonly resources?: kplus.ContainerResources;

  /**
   * The ServiceAccount of the pods: one of your own, or an existing one. Pods get no token of it.
   * @default - a new one, named by the construct's id
   */
  readonly serviceAccount?: kplus.IServiceAccount;

  /**
   * How pods are spread over nodes and zones. The label selector is filled in where it is left out.
   * @default - evenly over nodes and zones where there is more than one pod
   */
  readonly topologySpreadConstraints?: kplus.k8s.TopologySpreadConstraint[];

  /**
   * Whether MLflow runs jobs (evaluations, scorers). It starts eight processes of about 220 MB each, and keeps its queue
   * on the disk of the pod, so it does not suit several replicas.
   * @default false
   */
  readonly jobExecution?: boolean;

  /**
   * Whether MLflow may send usage data home.
   * @default false
   */
  readonly telemetry?: boolean;
}
