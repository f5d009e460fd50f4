import { Chart } from 'cdk8s';
import * as kplus from 'cdk8s-plus-28';
import { Construct, type IConstruct } from 'constructs';

import { type ArtifactLocation, bindStore, type IArtifactStore } from '../artifacts/artifact-store';
import { IMAGES } from '../images';
import type { IsolationOptions } from '../kube/network/isolation';
import type { NetworkPeer } from '../kube/network/network-peer';
import { labelsOf } from '../kube/pod/labels';
import type { IPostgresBackend } from '../postgres/connection/postgres-backend';
import { checkImage, checkObjectName, checkPort, checkWhole } from '../validation/checks';
import { Problems } from '../validation/problems';

/** The metrics of a server, as Prometheus finds them. */
export interface MetricsEndpoint {
  /** Name of the port, of the container and of the Service. */
  readonly portName: string;
  /** Path of the metrics. */
  readonly path: string;
  /** Whether the port speaks HTTPS, with a certificate of the server's own. */
  readonly https: boolean;
  /** Whether the server asks for the login of an administrator. */
  readonly requiresLogin: boolean;
}

/** An MLflow server: one of this app, or one that is elsewhere. Operations, monitoring and clients work with it. */
export interface IMlflowServer extends IConstruct {
  /** Name of the Deployment and of the Service. */
  readonly serverName: string;
  /** Namespace of the server, where it is known. */
  readonly serverNamespace?: string;
  /** What clients in the cluster set as MLFLOW_TRACKING_URI. */
  readonly trackingUri: string;
  /** The database. */
  readonly backend: IPostgresBackend;
  /** Where the artifacts are. */
  readonly artifacts: ArtifactLocation;
  /** The image of MLflow. */
  readonly image: string;
  /** When the image is pulled. */
  readonly imagePullPolicy?: kplus.ImagePullPolicy;
  /** Names of the Secrets with logins to the registry. */
  readonly imagePullSecrets?: string[];
  /** Further environment variables of the server. */
  readonly extraEnvVars: Record<string, kplus.EnvValue>;
  /** ServiceAccount of the pods. */
  readonly serviceAccount: kplus.IServiceAccount;
  /** Labels by which the pods are selected. */
  readonly podSelector: Record<string, string>;
  /** Requests that a pod serves at once. */
  readonly requestsPerPod: number;
  /** The metrics, where the server counts its requests. */
  readonly metricsEndpoint?: MetricsEndpoint;
  /** The network isolation, where there is one. */
  readonly isolation?: IsolationOptions;
  /** The Job that migrates the schema, where there is one. */
  readonly migrationJob?: kplus.Job;

  /**
   * Lets further peers reach the server, where `isolation` keeps others away.
   *
   * @param peers the peers
   * @param port the port of the pods that they may reach
   */
  addClients(peers: NetworkPeer[], port?: number): void;
}

/** What is known of a server that this app does not make. */
export interface MlflowServerAttributes {
  /** Name of its Deployment and of its Service. */
  readonly serverName: string;

  /** Its database. */
  readonly backend: IPostgresBackend;

  /** Where its artifacts are. */
  readonly artifactRoot: IArtifactStore;

  /**
   * Its namespace.
   * @default - that of the chart
   */
  readonly serverNamespace?: string;

  /**
   * Its image, which operations run in.
   * @default 'ghcr.io/mlflow/mlflow:v3.17.2-full'
   */
  readonly image?: string;

  /**
   * Port of its Service.
   * @default 5000
   */
  readonly port?: number;

  /**
   * Whether its port speaks HTTPS.
   * @default false
   */
  readonly https?: boolean;

  /**
   * Path under which everything is served, such as `/mlflow`.
   * @default - none
   */
  readonly staticPrefix?: string;

  /**
   * Name of the ServiceAccount of its pods.
   * @default - its name
   */
  readonly serviceAccountName?: string;

  /**
   * Labels by which its pods are selected.
   * @default - those of an `MlflowServer` of this name
   */
  readonly podSelector?: Record<string, string>;

  /**
   * Requests that a pod serves at once: workers × threads.
   * @default 80 - MLflow's own: 2 workers of 40 threads
   */
  readonly requestsPerPod?: number;

  /**
   * Its metrics.
   * @default - it has none
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

  public constructor(scope: Construct, id: string, attributes: MlflowServerAttributes) {
    super(scope, id);
    const problems = new Problems(this);
    checkAttributes(problems, attributes);
    const { serverName, port = 5000, https = false, staticPrefix } = attributes;
    this.serverName = serverName;
    this.serverNamespace = attributes.serverNamespace ?? Chart.of(this).namespace;
    this.trackingUri = trackingUriOf({ serverName, namespace: this.serverNamespace, port, https, staticPrefix });
    this.backend = attributes.backend;
    this.image = attributes.image ?? IMAGES.mlflow;
    this.podSelector = attributes.podSelector ?? labelsOf('mlflow', serverName, 'server').selector;
    this.requestsPerPod = attributes.requestsPerPod ?? 80;
    this.metricsEndpoint = attributes.metricsEndpoint;
    this.artifacts = problems.finish(() => bindStore(problems, this, attributes.artifactRoot));
    this.serviceAccount = kplus.ServiceAccount.fromServiceAccountName(
      this,
      'service-account',
      attributes.serviceAccountName ?? serverName,
    );
  }

  public addClients(): void {
    // The network policies of a server that is elsewhere are made there.
  }
}

/** The address of a server inside the cluster. */
export function trackingUriOf(server: {
  readonly serverName: string;
  readonly namespace?: string;
  readonly port: number;
  readonly https: boolean;
  readonly staticPrefix?: string;
}): string {
  const { serverName, namespace, port, https, staticPrefix = '' } = server;
  const host = namespace === undefined ? serverName : `${serverName}.${namespace}`;
  return `${https ? 'https' : 'http'}://${host}:${String(port)}${staticPrefix}`;
}

function checkAttributes(problems: Problems, attributes: MlflowServerAttributes): void {
  checkObjectName(problems, 'serverName', attributes.serverName);
  checkImage(problems, 'image', attributes.image);
  checkPort(problems, 'port', attributes.port);
  checkWhole(problems, 'requestsPerPod', attributes.requestsPerPod, { least: 1 });
}
