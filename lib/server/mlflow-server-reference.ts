import { Chart } from 'cdk8s';
import * as kplus from 'cdk8s-plus-28';
import { Construct, type IConstruct } from 'constructs';

import { type ArtifactLocation, bindStore, type IArtifactStore } from '../artifacts/artifact-store';
import type { BackupLocation } from '../artifacts/backup-location';
import { checkTraceArchival, type TraceArchivalOptions } from '../artifacts/trace-archival';
import { IMAGES } from '../images';
import type { IsolationOptions } from '../kube/network/isolation';
import type { NetworkPeer } from '../kube/network/network-peer';
import { labelsOf } from '../kube/pod/labels';
import type { IPostgresBackend } from '../postgres/connection/postgres-backend';
import { checkLabels, checkNamespace } from '../kube/values/metadata';
import { checkObjectName, checkPath, checkPort, checkWhole } from '../validation/checks';
import { checkImage } from '../validation/image';
import { problemsOf } from '../kube/construct';
import type { Problems } from '../validation/problems';

import { type ConnectOptions, connectWorkload } from './clients/connected-workload';

/** Where Prometheus scrapes a server. */
export interface MetricsEndpoint {
  /** Name of the port, of the container and of the Service. */
  readonly portName: string;
  /** Path of the metrics. */
  readonly path: string;
  /** Whether the port uses HTTPS, with the server's own certificate. */
  readonly https: boolean;
  /** Whether the server requires the login of an administrator. */
  readonly requiresLogin: boolean;
}

/** An MLflow server, of this app or of another one. Operations, monitoring and clients use it. */
export interface IMlflowServer extends IConstruct {
  /** Name of the Deployment and of the Service. */
  readonly serverName: string;
  /** Namespace of the server, where it is known. */
  readonly serverNamespace?: string;
  /** MLFLOW_TRACKING_URI for clients in the cluster. */
  readonly trackingUri: string;
  /** The database. */
  readonly backend: IPostgresBackend;
  /** Location of the artifacts. */
  readonly artifacts: ArtifactLocation;
  /** Which traces are moved to the artifact store, where any are. */
  readonly traceArchival?: TraceArchivalOptions;
  /** The image of MLflow. */
  readonly image: string;
  /** When the image is pulled. */
  readonly imagePullPolicy?: kplus.ImagePullPolicy;
  /** Names of the Secrets with registry logins. */
  readonly imagePullSecrets?: string[];
  /** Further environment variables of the server. */
  readonly extraEnvVars: Record<string, kplus.EnvValue>;
  /** ServiceAccount of the pods. */
  readonly serviceAccount: kplus.IServiceAccount;
  /** Labels by which the pods are selected. */
  readonly podSelector: Record<string, string>;
  /** Requests that a pod serves at once. */
  readonly requestsPerPod: number;
  /** The metrics, where the server exposes them. */
  readonly metricsEndpoint?: MetricsEndpoint;
  /** The network isolation, where there is one. */
  readonly isolation?: IsolationOptions;
  /** The Job that migrates the schema, where there is one. */
  readonly migrationJob?: kplus.Job;
  /** Dumps that this Job makes, where it makes any. */
  readonly migrationDumps?: BackupLocation;

  /**
   * Lets further peers reach a server with `isolation`.
   *
   * @param peers the peers
   * @param port port of the pods
   */
  addClients(peers: NetworkPeer[], port?: number): void;

  /**
   * Makes the pods of a workload clients of this server: the address, a login and a CA in the environment that MLflow's client reads, no
   * variables of Services (one called `mlflow` would configure the client), and a label by which a server with `isolation` lets them in.
   * Variables that a container has itself remain.
   *
   * @param workload a Deployment, StatefulSet, DaemonSet, Job, CronJob or Pod, of any version of cdk8s-plus, or an ApiObject
   * @param options login, CA and containers
   */
  connect(workload: IConstruct, options?: ConnectOptions): void;
}

/** Attributes of a server that this app does not make. */
export interface MlflowServerAttributes {
  /** Name of the Deployment and of the Service. */
  readonly serverName: string;

  /** The database. */
  readonly backend: IPostgresBackend;

  /** Store of the artifacts. */
  readonly artifactRoot: IArtifactStore;

  /**
   * Namespace of the server.
   * @default - the chart's
   */
  readonly serverNamespace?: string;

  /**
   * Image of the server, which operations use.
   * @default 'ghcr.io/mlflow/mlflow:v3.18.0-full'
   */
  readonly image?: string;

  /**
   * Port of the Service.
   * @default 5000
   */
  readonly port?: number;

  /**
   * Whether the port uses HTTPS.
   * @default false
   */
  readonly https?: boolean;

  /**
   * Path prefix of the UI and the API, such as `/mlflow`.
   * @default - none
   */
  readonly staticPrefix?: string;

  /**
   * Name of the ServiceAccount of the pods.
   * @default - `serverName`
   */
  readonly serviceAccountName?: string;

  /**
   * Labels by which the pods are selected.
   * @default - those of an `MlflowServer` of this name
   */
  readonly podSelector?: Record<string, string>;

  /**
   * Requests that a pod serves at once: workers × threads.
   * @default 80 - MLflow's default: 2 workers of 40 threads
   */
  readonly requestsPerPod?: number;

  /**
   * Which traces are moved to the artifact store: what the server's own configuration says.
   * @default - none
   */
  readonly traceArchival?: TraceArchivalOptions;

  /**
   * The metrics of the server.
   * @default - none
   */
  readonly metricsEndpoint?: MetricsEndpoint;
}

/** An MLflow server that this app does not make: see {@link MlflowServer.fromAttributes}. */
export class ImportedMlflowServer extends Construct implements IMlflowServer {
  public readonly serverName: string;
  public readonly serverNamespace?: string;
  public readonly trackingUri: string;
  public readonly backend: IPostgresBackend;
  public readonly artifacts: ArtifactLocation;
  public readonly image: string;
  public readonly extraEnvVars: Record<string, kplus.EnvValue> = {};
  public readonly serviceAccount: kplus.IServiceAccount;
  public readonly podSelector: Record<string, string>;
  public readonly requestsPerPod: number;
  public readonly metricsEndpoint?: MetricsEndpoint;
  public readonly traceArchival?: TraceArchivalOptions;

  public constructor(scope: Construct, id: string, attributes: MlflowServerAttributes) {
    super(scope, id);
    const { serverName } = attributes;
    const problems = problemsOf(this);
    checkAttributes(problems, attributes);
    this.serverName = serverName;
    this.serverNamespace = attributes.serverNamespace ?? Chart.of(this).namespace;
    this.trackingUri = trackingUriOf({ ...attributes, serverNamespace: this.serverNamespace });
    this.backend = attributes.backend;
    this.image = attributes.image ?? IMAGES.mlflow;
    this.podSelector = attributes.podSelector ?? labelsOf('mlflow', serverName, 'server').selector;
    this.requestsPerPod = attributes.requestsPerPod ?? 80;
    this.metricsEndpoint = attributes.metricsEndpoint;
    this.traceArchival = attributes.traceArchival;
    this.artifacts = problems.finish(() => bindStore(problems, this, attributes.artifactRoot));
    this.serviceAccount = kplus.ServiceAccount.fromServiceAccountName(
      this,
      'service-account',
      attributes.serviceAccountName ?? serverName,
    );
  }

  public addClients(): void {
    // The app that makes the server also makes its network policies.
  }

  public connect(workload: IConstruct, options: ConnectOptions = {}): void {
    connectWorkload(this, workload, options);
  }
}

/** The address of a server inside the cluster. */
export function trackingUriOf(server: Omit<MlflowServerAttributes, 'backend' | 'artifactRoot'>): string {
  const { serverName, serverNamespace, port = 5000, https = false, staticPrefix = '' } = server;
  const host = serverNamespace === undefined ? serverName : `${serverName}.${serverNamespace}`;
  return `${https ? 'https' : 'http'}://${host}:${String(port)}${staticPrefix}`;
}

function checkAttributes(problems: Problems, attributes: MlflowServerAttributes): void {
  checkObjectName(problems, 'serverName', attributes.serverName, 63);
  checkLabels(problems, 'podSelector', attributes.podSelector);
  checkPath(problems, 'staticPrefix', attributes.staticPrefix);
  if (attributes.serverNamespace !== undefined) {
    checkNamespace(problems, 'serverNamespace', attributes.serverNamespace);
  }
  if (attributes.serviceAccountName !== undefined) {
    checkObjectName(problems, 'serviceAccountName', attributes.serviceAccountName);
  }
  checkImage(problems, 'image', attributes.image);
  checkPort(problems, 'port', attributes.port);
  checkTraceArchival(problems, attributes.traceArchival);
  checkWhole(problems, 'requestsPerPod', attributes.requestsPerPod, { least: 1 });
}
