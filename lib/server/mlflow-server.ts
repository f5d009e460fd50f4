import { type ApiObject, Duration, SizeRoundingBehavior } from 'cdk8s';
import * as kplus from 'cdk8s-plus-28';
import { Construct, type IConstruct } from 'constructs';

import type { ArtifactLocation } from '../artifacts/artifact-store';
import type { BackupLocation } from '../artifacts/backup-location';
import type { TraceArchivalOptions } from '../artifacts/trace-archival';
import type { IngressEdge, IsolationOptions } from '../kube/network/isolation';
import type { NetworkPeer } from '../kube/network/network-peer';
import { checkPeers } from '../kube/network/network-route';
import { oneShotJob } from '../kube/pod/job';
import { serviceAccountOf } from '../kube/pod/pod';
import { deploymentOf, disruptionBudget, ROLLING, serviceOf } from '../kube/pod/workload';
import { addServerDemand } from '../postgres/capacity/connection-demand';
import type { IPostgresBackend } from '../postgres/connection/postgres-backend';
import { addScaledWorkloadRule } from '../rules/autoscaler-needs-requests';
import { addJobRule } from '../rules/jobs-on-one-pod';
import { addMemoryRule } from '../rules/memory-fits-processes';
import { addServerOf } from '../rules/no-running-server';
import { addRoutes } from '../rules/unique-route';
import { DUMP_EXIT_CODES } from '../startup/database-dump';
import { checkPort } from '../validation/checks';
import { problemsOf } from '../kube/construct';
import { checkConstruct, isOf } from '../validation/arguments';
import { Problems } from '../validation/problems';

import { backendTlsPolicyOf, httpRouteOf } from './access/http-route';
import { ingressOf } from './access/ingress';
import { isolateServer } from './access/server-isolation';
import { type ConnectOptions, connectWorkload } from './clients/connected-workload';
import type { MlflowServerProps } from './mlflow-server-props';
import {
  ImportedMlflowServer,
  type IMlflowServer,
  type MetricsEndpoint,
  type MlflowServerAttributes,
  trackingUriOf,
} from './mlflow-server-reference';
import { runbookOf } from './runbook';
import { checkArtifacts, checkServer } from './server-checks';
import { serverPods } from './server-pods';
import { routesOf, type ServerSpec, settingsOf, specOf } from './server-spec';
import { METRICS_PATH } from './settings/metrics';
import { SERVER_PORT } from './settings/port';

/** An MLflow tracking server on a PostgreSQL database: Deployment, Service and the objects that they need. */
export class MlflowServer extends Construct implements IMlflowServer {
  /** Refers to a server that this app does not make, such as one of another app or of a Helm chart. */
  public static fromAttributes(scope: Construct, id: string, attributes: MlflowServerAttributes): IMlflowServer {
    return new ImportedMlflowServer(scope, id, attributes);
  }

  /** Whether a value is a server that an app makes. Unlike `instanceof`, it knows those of another copy of this package. */
  public static isMlflowServer(x?: unknown): x is MlflowServer {
    return isOf('MlflowServer', x);
  }

  /** The Deployment of the pods. */
  public readonly deployment: kplus.Deployment;

  /** The Service of the pods. */
  public readonly service: kplus.Service;

  /** ServiceAccount of the pods. */
  public readonly serviceAccount: kplus.IServiceAccount;

  /** The Ingress, where there is one. */
  public readonly ingress?: kplus.Ingress;

  /** The HTTPRoute, where there is one. */
  public readonly httpRoute?: ApiObject;

  /** The HorizontalPodAutoscaler, with `Autoscaling.byResources()`. */
  public readonly podAutoscaler?: kplus.HorizontalPodAutoscaler;

  /** The ScaledObject of KEDA, with `Autoscaling.keda()`. */
  public readonly scaledObject?: ApiObject;

  /** The Job that migrates the schema, with `DatabaseMigration.job()`. */
  public readonly migrationJob?: kplus.Job;

  /** Dumps that the migration Job makes, with `DatabaseMigration.job({ backupTo })`. */
  public readonly migrationDumps?: BackupLocation;

  /** Name of the Deployment and of the Service: the construct's id. */
  public readonly serverName: string;

  /** Namespace of the chart, where it names one. */
  public readonly serverNamespace?: string;

  /** MLFLOW_TRACKING_URI for clients in the cluster. */
  public readonly trackingUri: string;

  /** The database. */
  public readonly backend: IPostgresBackend;

  /** Location of the artifacts. */
  public readonly artifacts: ArtifactLocation;

  /** Which traces are moved to the artifact store, where any are. */
  public readonly traceArchival?: TraceArchivalOptions;

  /** The image of MLflow. */
  public readonly image: string;

  /** When the image is pulled. */
  public readonly imagePullPolicy?: kplus.ImagePullPolicy;

  /** Names of the Secrets with registry logins. */
  public readonly imagePullSecrets?: string[];

  /** Further environment variables of the server. */
  public readonly extraEnvVars: Record<string, kplus.EnvValue>;

  /** Number of pods; with autoscaling, the maximum. */
  public readonly replicas: number;

  /** Worker processes of each pod. */
  public readonly workers: number;

  /** Requests that a worker serves at once. */
  public readonly threads: number;

  /** Requests that a pod serves at once. */
  public readonly requestsPerPod: number;

  /** Labels by which the pods are selected. */
  public readonly podSelector: Record<string, string>;

  /** The metrics, with `metrics: true`. */
  public readonly metricsEndpoint?: MetricsEndpoint;

  /** The network isolation, where there is one. */
  public readonly isolation?: IsolationOptions;

  /** @internal */
  public readonly _spec: ServerSpec;

  private readonly ingressEdges: IngressEdge[] = [];

  public constructor(scope: Construct, id: string, props: MlflowServerProps) {
    super(...checkConstruct('MlflowServer', scope, id, props));
    const problems = problemsOf(this);
    const { spec, pods } = problems.finish(() => {
      const settings = settingsOf(this, props);
      checkServer(problems, settings);
      const resolved = specOf(problems, this, settings);
      checkArtifacts(problems, resolved);
      return { spec: resolved, pods: serverPods(problems, this, resolved) };
    });
    this._spec = spec;
    const { labels, isHttps, staticPrefix } = spec;
    this.serverName = id;
    this.migrationDumps = spec.databaseMigration._backupTo?._madeBy(id);
    this.serverNamespace = spec.namespace;
    this.backend = spec.backend;
    this.artifacts = spec.artifacts;
    this.traceArchival = spec.traceArchival;
    this.image = spec.image;
    this.imagePullPolicy = spec.imagePullPolicy;
    this.imagePullSecrets = spec.imagePullSecrets;
    this.extraEnvVars = spec.extraEnvVars;
    this.replicas = spec.maxReplicas;
    this.workers = spec.workers;
    this.threads = spec.threads;
    this.requestsPerPod = spec.workers * spec.threads;
    this.podSelector = labels.selector;
    this.metricsEndpoint = spec.metrics
      ? {
          portName: isHttps ? 'https' : 'http',
          path: METRICS_PATH,
          https: isHttps,
          requiresLogin: spec.authParts.guardsMetrics,
        }
      : undefined;
    this.isolation = spec.isolation;

    this.serviceAccount = spec.serviceAccount ?? serviceAccountOf(this, labels, pods.server.serviceAccountAnnotations);
    const { serviceAccount } = this;
    if (pods.migration !== undefined) {
      const failAtOnce = this.migrationDumps && DUMP_EXIT_CODES;
      const migration = { name: `${id}-migration`, backoffLimit: 3, failAtOnce };
      this.migrationJob = oneShotJob(this, 'migration', { ...pods.migration, serviceAccount }, migration);
    }
    this.deployment = deploymentOf(
      this,
      { ...pods.server, serviceAccount },
      {
        replicas: spec.autoscaling === undefined ? spec.maxReplicas : undefined,
        strategy: spec.rolls ? ROLLING : kplus.DeploymentStrategy.recreate(),
        terminationGracePeriod: Duration.minutes(1),
      },
    );
    this.service = serviceFor(this, spec);
    this.trackingUri = trackingUriOf({
      serverName: id,
      serverNamespace: spec.namespace,
      port: this.service.port,
      https: isHttps,
      staticPrefix,
    });
    this.ingress =
      spec.ingress && ingressOf(this, spec.ingress, this.service, { prefix: staticPrefix, tls: isHttps }, labels);
    this.httpRoute = spec.httpRoute && httpRouteOf(this, spec.httpRoute, this.service, staticPrefix || '/', labels);
    if (spec.httpRoute !== undefined && isHttps) {
      backendTlsPolicyOf(this, spec.httpRoute, this.service, labels);
    }
    const autoscaler = spec.autoscaling?._bind(this, this.deployment, labels);
    this.podAutoscaler = autoscaler?.podAutoscaler;
    this.scaledObject = autoscaler?.scaledObject;
    addScaledWorkloadRule(this, this.deployment, spec.autoscaling?._usages ?? []);
    if (spec.isolation !== undefined) {
      isolateServer(this, { ...spec, isolation: spec.isolation }, pods, this.ingressEdges);
    }
    if (spec.maxReplicas > 1) {
      disruptionBudget(this, id, labels);
    }
    addRoutes(this, routesOf(spec));
    const jobs = spec.jobExecution?._jobs ?? 0;
    addMemoryRule(
      this,
      { workers: spec.workers, jobs },
      spec.resources.memory?.limit?.toMebibytes({ rounding: SizeRoundingBehavior.FLOOR }),
    );
    addServerDemand({
      by: this,
      connection: spec.backend.connection,
      pods: spec.maxReplicas + (spec.rolls ? 1 : 0),
      workers: spec.workers,
      threads: spec.threads,
      pooling: spec.pooling,
      furtherEngines: spec.authParts.engines + (spec.workspaces ? 1 : 0),
      jobs,
      migrates: spec.databaseMigration._kind !== 'off',
    });
    const prop = spec.autoscaling === undefined ? 'replicas' : 'autoscaling.maxReplicas';
    if (spec.jobExecution?._onePod) {
      addJobRule(this, { replicasProp: prop, pods: spec.maxReplicas, ...spec.jobExecution._onePod });
    }
    addServerOf(spec.backend, { server: this, prop, pods: spec.maxReplicas });
  }

  /**
   * Returns a runbook for this server as Markdown: the commands of the guide's "Verification" and "Troubleshooting" with the
   * names of its objects.
   */
  public runbook(): string {
    return runbookOf(this, this._spec);
  }

  /**
   * Lets further peers reach a server with `isolation`.
   *
   * @param peers the peers
   * @param port port of the pods
   */
  public addClients(peers: NetworkPeer[], port = SERVER_PORT): void {
    const problems = new Problems(this);
    checkPeers(problems, 'peers', peers);
    checkPort(problems, 'port', port);
    problems.throwIfAny();
    this.ingressEdges.push({ peers, port });
  }

  /**
   * Makes the pods of a workload clients of this server: the address, a login and a CA in the environment that MLflow's client reads, no
   * variables of Services (one called `mlflow` would configure the client), and a label by which a server with `isolation` lets them in.
   * Variables that a container has itself remain.
   *
   * @param workload a Deployment, StatefulSet, DaemonSet, Job, CronJob or Pod, of any version of cdk8s-plus, or an ApiObject
   * @param options login, CA and containers
   */
  public connect(workload: IConstruct, options: ConnectOptions = {}): void {
    connectWorkload(this, workload, options);
  }
}

function serviceFor(server: MlflowServer, spec: ServerSpec): kplus.Service {
  const { service = {}, labels, isHttps, ingress, namespace } = spec;
  const { serviceType, port = 5000, nodePort, loadBalancerSourceRanges } = service;
  const ofController = isHttps ? ingress?.controller?._serviceAnnotations(server.node.id, namespace) : undefined;
  const annotations = ofController === undefined ? service.annotations : { ...ofController, ...service.annotations };
  return serviceOf(server, 'service', labels, {
    metadata: { name: server.node.id, annotations },
    type: serviceType,
    loadBalancerSourceRanges,
    ports: [{ name: isHttps ? 'https' : 'http', port, targetPort: SERVER_PORT, nodePort }],
  });
}
