import type * as kplus from 'cdk8s-plus-28';

import type { PodOptions } from '../kube/pod/pod-options';
import type { IArtifactStore } from '../artifacts/artifact-store';
import type { TraceArchivalOptions } from '../artifacts/trace-archival';
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
import type { AiGatewayOptions } from './settings/ai-gateway';
import type { JobExecution } from './settings/job-execution';
import type { EncryptionOptions } from './settings/encryption';
import type { LogLevel } from './settings/log-level';
import type { ReadinessCheck } from './settings/probes';
import type { ServerIsolationOptions } from './access/server-isolation';
import type { UpgradeStrategy } from './settings/upgrade-strategy';

/**
 * Props of {@link MlflowServer}.
 *
 * The API of cdk8s-plus-28 on `server.deployment` sets the rest: node selectors, tolerations, affinity, labels, volumes,
 * init containers and sidecars.
 */
export interface MlflowServerProps extends PodOptions {
  /** The database. */
  readonly backend: IPostgresBackend;

  /**
   * The image, by tag or digest, of the server and its init containers. It needs MLflow, psycopg2, and uvicorn 0.37 or later
   * (of September 2025).
   * @default 'ghcr.io/mlflow/mlflow:v3.18.0-full'
   */
  readonly image?: string;

  /**
   * Number of pods. More than one needs artifacts that every pod can access, and gets a PodDisruptionBudget and a spread over
   * nodes and zones.
   * @default 1
   */
  readonly replicas?: number;

  /**
   * Scales the number of pods with the load, instead of `replicas`.
   * @default - none
   */
  readonly autoscaling?: Autoscaling;

  /**
   * The order in which pods are replaced when the image changes.
   * @default UpgradeStrategy.ROLLING - UpgradeStrategy.RECREATE with artifacts on a ReadWriteOnce volume
   */
  readonly upgradeStrategy?: UpgradeStrategy;

  /**
   * Worker processes of each pod. A worker uses at most one CPU and about 270 MB of memory.
   * @default 2
   */
  readonly workers?: number;

  /**
   * Requests that a worker serves at once; others are queued. At most `poolSize` + `maxOverflow` - 1: with more, requests can
   * deadlock on each other's connections.
   * @default - the maximum for `pooling`, at most 40
   */
  readonly threads?: number;

  /**
   * Whether requests of clients to MLflow's REST API go directly to their handlers, which are an application of Flask, without
   * the routes and middlewares of FastAPI that do nothing for them. Logging a metric then needs 0.6 of the CPU, logging a
   * batch or a search 0.85. The checks of hosts and origins, logins and permissions stay; uploads, traces by OTLP, the AI Gateway, jobs and
   * the UI take the same way as without it. Where the image's MLflow is not built as expected, it has no effect, and
   * the log of the server says so.
   * @default - true, without `workspaces`, an app in the place of MLflow's own (`MlflowAuth.oidc()`, `CustomLogin.app()`),
   * and the options `--http`, `--root-path` and `--no-proxy-headers` of uvicorn in `extraArgs`
   */
  readonly directApi?: boolean;

  /**
   * How connections to the database are pooled.
   * @default PoolingProfile.STANDARD
   */
  readonly pooling?: PoolingProfile;

  /**
   * Whether pods check their database connection before they start.
   * @default DatabaseConnectionCheck.initContainer()
   */
  readonly databaseConnectionCheck?: DatabaseConnectionCheck;

  /**
   * What upgrades the schema of the database to the version of the image.
   * @default DatabaseMigration.initContainer()
   */
  readonly databaseMigration?: DatabaseMigration;

  /**
   * Whether reads (searches, the UI) go to the read replicas of the backend. Replicas lag behind: a client may not find at
   * once what it has just logged. MLflow reads an experiment there before it starts a run, so the first run of an
   * experiment fails with HTTP 404 until the experiment is replicated: create experiments beforehand. If the replicas are
   * down, reads and the start of runs fail with HTTP 503, which clients retry (from MLflow 3.18 on not the start of a run);
   * started runs continue to log. MLflow does not fall back to the primary. Each worker opens a second pool, on the replicas.
   * Needs MLflow 3.15 or later in the image.
   * @default false
   */
  readonly readFromReplica?: boolean;

  /**
   * Store of the artifacts.
   * @default new VolumeArtifacts() - a volume of 10 GiB, which clients access through the server
   */
  readonly artifactRoot?: IArtifactStore;

  /**
   * Options of the Service.
   * @default - ClusterIP, port 5000
   */
  readonly service?: ServiceOptions;

  /**
   * The Ingress: access from outside the cluster.
   * @default - none
   */
  readonly ingress?: IngressOptions;

  /**
   * The HTTPRoute: access from outside the cluster through an existing Gateway.
   * @default - none
   */
  readonly httpRoute?: HttpRouteOptions;

  /**
   * The server's own certificate. The server then accepts only HTTPS, within the cluster too. An ingress controller or Gateway
   * must connect by HTTPS: `ingress.controller` sets it, and an HTTPRoute gets a BackendTLSPolicy.
   * @default - none: HTTP; an Ingress or Gateway may terminate TLS
   */
  readonly certificate?: TlsCertificate;

  /**
   * How users log in to the server.
   * @default - no login: every client may do everything
   */
  readonly auth?: MlflowAuth;

  /**
   * Keys with which MLflow encrypts the secrets that it stores in the database. The passphrase is required with `auth`.
   * @default - MLflow's defaults: see EncryptionOptions
   */
  readonly encryption?: EncryptionOptions;

  /**
   * Restricts the network of the pods to what the other props need: a NetworkPolicy, whose destinations come from the backend,
   * the artifact store and `auth`. The network plugin of the cluster must enforce policies.
   * @default - no restriction
   */
  readonly isolation?: ServerIsolationOptions;

  /**
   * Host headers to accept besides the names of the Service, the hosts of `ingress` and `httpRoute`, localhost and private
   * addresses. With the port if there is one; `name:*` accepts any port.
   * @default - none
   */
  readonly allowedHosts?: string[];

  /**
   * Origins (`https://host`) that may send state-changing requests, besides those of `ingress` and `httpRoute`.
   * @default - none
   */
  readonly corsAllowedOrigins?: string[];

  /**
   * Path prefix of the UI and the API, such as `/mlflow`.
   * @default - none
   */
  readonly staticPrefix?: string;

  /**
   * Log level of the server.
   * @default LogLevel.INFO
   */
  readonly logLevel?: LogLevel;

  /**
   * Whether each request is logged, by the server and by `MlflowAuth.oauth2Proxy()`. The kubelet's probes are requests, too.
   * @default true
   */
  readonly accessLog?: boolean;

  /**
   * Whether the server exposes metrics for Prometheus, at `/metrics` on its port. `MlflowMonitoring` needs it. The image needs
   * the package prometheus-flask-exporter, which the `-full` images of MLflow have.
   * @default false
   */
  readonly metrics?: boolean;

  /**
   * The condition under which the Service sends requests to a pod.
   * @default ReadinessCheck.SERVER
   */
  readonly readinessCheck?: ReadinessCheck;

  /**
   * Further environment variables of the server.
   * @default - none
   */
  readonly extraEnvVars?: Record<string, kplus.EnvValue>;

  /**
   * Further environment variables of the containers that prepare the database.
   * @default - none
   */
  readonly extraInitEnvVars?: Record<string, kplus.EnvValue>;

  /**
   * Further arguments of `mlflow server`. Options of uvicorn in `--uvicorn-opts=…` are added to those of the library.
   * @default - none
   */
  readonly extraArgs?: string[];

  /**
   * CPU, memory and temporary files of the server. Concurrent uploads through the server are all stored in temporary files.
   * @default - requests 500 millicores, 1 GiB and 1 GiB of disk, limits 2 CPUs, 2 GiB and 20 GiB of disk; more
   * memory where `workers` or `jobExecution` need it
   */
  readonly resources?: kplus.ContainerResources;

  /**
   * CPU, memory and temporary files of each container that prepares the database, `init-mlflow` and `wait-for-database`, also of
   * the migration Job. A migration of MLflow uses one CPU and about 210 MiB.
   * @default - requests 250 millicores, 256 MiB and 1 GiB of disk, limits 1 CPU, 512 MiB and 1 GiB of disk
   */
  readonly initResources?: kplus.ContainerResources;

  /**
   * ServiceAccount of the pods: one of your own, or an existing one. Its token is not mounted.
   * @default - a new one, named by the construct's id
   */
  readonly serviceAccount?: kplus.IServiceAccount;

  /**
   * How pods are spread over nodes and zones. The default label selector selects the server's pods.
   * @default - evenly over nodes and zones if there is more than one pod
   */
  readonly topologySpreadConstraints?: kplus.k8s.TopologySpreadConstraint[];

  /**
   * How MLflow runs jobs (evaluations, scorers). Beside the jobs, it starts nine processes of about 150 MiB each.
   * @default - MLflow runs none
   */
  readonly jobExecution?: JobExecution;

  /**
   * Whether the server has workspaces: experiments, models and permissions of teams, apart from each other. Garbage collection
   * and the archival of traces go through all of them. With `MlflowAuth.basic()`, `grantDefaultWorkspaceAccess` says whether users
   * get into the default one. The server looks up webhooks at each event (MLFLOW_WEBHOOK_CACHE_TTL): a list that MLflow keeps is that of
   * any workspace. Needs MLflow 3.10 or later in the image.
   * @default false
   */
  readonly workspaces?: boolean;

  /**
   * What the AI Gateway may do: providers, addresses, budgets.
   * @default - MLflow's defaults: every provider at a public address, by HTTPS; with `isolation`, none that nothing else opens
   */
  readonly aiGateway?: AiGatewayOptions;

  /**
   * Which traces are moved from the database to the artifact store, where the server still shows them. An `MlflowTraceArchival`
   * moves them; with `jobExecution`, the server does so itself, every 5 minutes. Needs MLflow 3.17 or later in the image.
   * @default - none: traces stay in the database
   */
  readonly traceArchival?: TraceArchivalOptions;

  /**
   * Whether MLflow sends usage data to its developers.
   * @default false
   */
  readonly telemetry?: boolean;
}
