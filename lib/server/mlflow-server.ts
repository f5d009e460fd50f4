import { type ApiObject, Duration } from 'cdk8s';
import * as kplus from 'cdk8s-plus-28';
import { Construct } from 'constructs';

import type { ArtifactLocation } from '../artifacts/artifact-store';
import type { IsolationOptions } from '../kube/network/isolation';
import type { NetworkPeer } from '../kube/network/network-peer';
import type { IngressEdge } from '../kube/network/network-policy';
import { checkPeers } from '../kube/network/network-route';
import { disruptionBudget } from '../kube/pod/disruption-budget';
import { oneShotJob } from '../kube/pod/job';
import { serviceAccountOf } from '../kube/pod/pod';
import { serviceOf } from '../kube/pod/service';
import { deploymentOf, ROLLING } from '../kube/pod/workload';
import { addServerDemand } from '../postgres/capacity/connection-demand';
import type { IPostgresBackend } from '../postgres/connection/postgres-backend';
import { addServerOf } from '../rules/no-server-while-importing';
import { addUniqueNameRule } from '../rules/unique-name';
import { checkPort } from '../validation/checks';
import { checkConstruct } from '../validation/arguments';
import { Problems } from '../validation/problems';

import { httpRouteOf } from './access/http-route';
import { ingressOf } from './access/ingress';
import { isolateServer } from './access/server-isolation';
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
import { type ServerSpec, settingsOf, specOf } from './server-spec';
import { METRICS_PATH } from './settings/metrics';
import { SERVER_PORT } from './settings/port';

/** An MLflow tracking server on a PostgreSQL database, with all that it needs to run. */
export class MlflowServer extends Construct implements IMlflowServer {
  /** A server that this app does not make: one of another app, or of a Helm chart. */
  public static fromAttributes(scope: Construct, id: string, attributes: MlflowServerAttributes): IMlflowServer {
    return new ImportedMlflowServer(scope, id, attributes);
  }

  /** The Deployment of the pods. */
  public readonly deployment: kplus.Deployment;

  /** The Service in front of the pods. */
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

  /** Name of the Deployment and of the Service: the construct's id. */
  public readonly serverName: string;

  /** Namespace of the chart, where it names one. */
  public readonly serverNamespace?: string;

  /** What clients in the cluster set as MLFLOW_TRACKING_URI. */
  public readonly trackingUri: string;

  private readonly spec: ServerSpec;
  private readonly ingressEdges: IngressEdge[] = [];

  public constructor(scope: Construct, id: string, props: MlflowServerProps) {
    super(...checkConstruct('MlflowServer', scope, id, props));
    const problems = new Problems(this);
    const { spec, pods } = problems.finish(() => {
      const settings = settingsOf(this, props);
      checkServer(problems, settings);
      const resolved = specOf(problems, this, settings);
      checkArtifacts(problems, resolved);
      return { spec: resolved, pods: serverPods(problems, this, resolved) };
    });
    this.spec = spec;
    this.serverName = id;
    this.serverNamespace = spec.namespace;

    const { labels, isHttps, staticPrefix } = spec;
    this.serviceAccount = spec.serviceAccount ?? serviceAccountOf(this, labels, pods.server.serviceAccountAnnotations);
    const { serviceAccount } = this;
    if (pods.migration !== undefined) {
      const migration = { name: `${id}-migration`, backoffLimit: 3 };
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
    this.service = this.makeService();
    this.trackingUri = trackingUriOf({ ...spec, serverName: id, port: this.service.port, https: isHttps });
    this.ingress =
      spec.ingress && ingressOf(this, spec.ingress, this.service, { prefix: staticPrefix, tls: isHttps }, labels);
    this.httpRoute = spec.httpRoute && httpRouteOf(this, spec.httpRoute, this.service, staticPrefix || '/', labels);
    const autoscaler = spec.autoscaling?._bind(this, this.deployment, labels);
    this.podAutoscaler = autoscaler?.podAutoscaler;
    this.scaledObject = autoscaler?.scaledObject;
    if (spec.isolation !== undefined) {
      isolateServer(this, { ...spec, isolation: spec.isolation }, pods, this.ingressEdges);
    }
    if (spec.maxReplicas > 1) {
      disruptionBudget(this, id, labels);
    }
    addUniqueNameRule(this);
    this.demandConnections();
    const prop = spec.autoscaling === undefined ? 'replicas' : 'autoscaling.maxReplicas';
    addServerOf(spec.backend, { server: this, prop, pods: spec.maxReplicas });
  }

  /** The database. */
  public get backend(): IPostgresBackend {
    return this.spec.backend;
  }

  /** Where the artifacts are. */
  public get artifacts(): ArtifactLocation {
    return this.spec.artifacts;
  }

  /** The image of MLflow. */
  public get image(): string {
    return this.spec.image;
  }

  /** When the image is pulled. */
  public get imagePullPolicy(): kplus.ImagePullPolicy | undefined {
    return this.spec.imagePullPolicy;
  }

  /** Names of the Secrets with logins to the registry. */
  public get imagePullSecrets(): string[] | undefined {
    return this.spec.imagePullSecrets;
  }

  /** Further environment variables of the server. */
  public get extraEnvVars(): Record<string, kplus.EnvValue> {
    return this.spec.extraEnvVars;
  }

  /** Number of pods, or the most that autoscaling makes. */
  public get replicas(): number {
    return this.spec.maxReplicas;
  }

  /** Worker processes of each pod. */
  public get workers(): number {
    return this.spec.workers;
  }

  /** Requests that a worker serves at once. */
  public get threads(): number {
    return this.spec.threads;
  }

  /** Requests that a pod serves at once. */
  public get requestsPerPod(): number {
    return this.spec.workers * this.spec.threads;
  }

  /** Labels by which the pods are selected. */
  public get podSelector(): Record<string, string> {
    return this.spec.labels.selector;
  }

  /** The metrics, with `metrics: true`. */
  public get metricsEndpoint(): MetricsEndpoint | undefined {
    const { metrics, isHttps: https, authParts } = this.spec;
    return metrics
      ? { portName: https ? 'https' : 'http', path: METRICS_PATH, https, requiresLogin: authParts.guardsMetrics }
      : undefined;
  }

  /** The network isolation, where there is one. */
  public get isolation(): IsolationOptions | undefined {
    return this.spec.isolation;
  }

  /**
   * How to verify this server and what to do when something is wrong, as Markdown: the guide's "Verification" and
   * "Troubleshooting" with the right names, as commands to copy.
   */
  public runbook(): string {
    return runbookOf(this, this.spec, this);
  }

  /**
   * Lets further peers reach the server, where `isolation` keeps others away.
   *
   * @param peers the peers
   * @param port the port of the pods that they may reach
   */
  public addClients(peers: NetworkPeer[], port = SERVER_PORT): void {
    const problems = new Problems(this);
    checkPeers(problems, 'peers', peers);
    checkPort(problems, 'port', port);
    problems.throwIfAny();
    this.ingressEdges.push({ peers, port });
  }

  private demandConnections(): void {
    const { backend, databaseMigration, workers, threads, pooling, maxReplicas, rolls, authParts } = this.spec;
    addServerDemand(backend.connection, {
      by: this,
      pods: maxReplicas + (rolls ? 1 : 0),
      workers,
      threads,
      pooling,
      furtherEngines: authParts.engines,
      migrates: databaseMigration._kind !== 'off',
    });
  }

  private makeService(): kplus.Service {
    const { service = {}, labels, isHttps } = this.spec;
    const { serviceType, port = 5000, nodePort, loadBalancerSourceRanges, annotations } = service;
    return serviceOf(this, 'service', labels, {
      metadata: { name: this.node.id, annotations },
      type: serviceType,
      loadBalancerSourceRanges,
      ports: [{ name: isHttps ? 'https' : 'http', port, targetPort: SERVER_PORT, nodePort }],
    });
  }
}
