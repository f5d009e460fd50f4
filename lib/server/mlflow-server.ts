import { type ApiObject, Chart, Duration } from 'cdk8s';
import * as kplus from 'cdk8s-plus-28';
import { Construct } from 'constructs';

import { type ArtifactLocation, ArtifactVisibility } from '../artifacts/artifact-store';
import { VolumeArtifacts } from '../artifacts/volume-artifacts';
import { checkPort } from '../validation/checks';
import { disruptionBudget } from '../kube/pod/disruption-budget';
import { labelsOf, type ObjectLabels } from '../kube/pod/labels';
import { annotationsOf } from '../identity/pod-identity';
import { completePodSpec } from '../kube/pod/pod-spec';
import type { NetworkPeer } from '../kube/network/network-peer';
import type { IngressEdge } from '../kube/network/network-policy';
import { checkPeers } from '../kube/network/network-route';
import { Problems } from '../validation/problems';
import { serviceOf } from '../kube/pod/service';
import { OVER_NODES_AND_ZONES, spreadOf } from '../kube/pod/placement';
import { addServerDemand } from '../postgres/capacity/connection-demand';
import { PoolingProfile } from '../postgres/capacity/pooling-profile';
import { addServerOf } from '../rules/no-server-while-importing';
import { addUniqueNameRule } from '../rules/unique-name';
import { DatabaseConnectionCheck } from '../startup/database-connection-check';
import { DatabaseMigration } from '../startup/database-migration';

import { allowedHosts, corsAllowedOrigins, endpointsOf, type HostsInput } from './access/hosts';
import { httpRouteOf } from './access/http-route';
import { ingressOf } from './access/ingress';
import type { AuthParts } from './auth/auth-parts';
import { bindAuth } from './bind-auth';
import { CERTIFICATE_FOLDER, portNameOf } from './certificate';
import { checkArtifacts } from './check-artifacts';
import { checkProps } from './check-props';
import { withMetrics } from './metrics';
import { migrationJob } from './migration-job';
import type { MlflowServerProps } from './mlflow-server-props';
import { identitiesOf, podRecipe, type PodRecipe } from './pod-recipe';
import { SERVER_PORT } from './ports';
import { runbookOf } from './runbook';
import { DEFAULT_WORKERS, serverContainer, threadsOf } from './server-container';
import { isolateServer, routesOf } from './server-isolation';
import type { ServerView } from './server-view';
import { UpgradeStrategy } from './upgrade-strategy';

/** An MLflow tracking server on a PostgreSQL database, with all that it needs to run. */
export class MlflowServer extends Construct {
  /** The pods. */
  public readonly deployment: kplus.Deployment;

  /** The Service in front of them. */
  public readonly service: kplus.Service;

  /** Who the pods are. */
  public readonly serviceAccount: kplus.IServiceAccount;

  /** The way in from outside the cluster, where there is one. */
  public readonly ingress?: kplus.Ingress;

  /** The way in from outside the cluster through a Gateway, where there is one. */
  public readonly httpRoute?: ApiObject;

  /** What sets the number of pods, with `Autoscaling.byResources()`. */
  public readonly podAutoscaler?: kplus.HorizontalPodAutoscaler;

  /** What sets the number of pods, with `Autoscaling.keda()`: the custom resource of KEDA. */
  public readonly scaledObject?: ApiObject;

  /** The Job that migrates the schema, with `DatabaseMigration.job()`. */
  public readonly migrationJob?: kplus.Job;

  private readonly ingressEdges: IngressEdge[] = [];
  private readonly labels: ObjectLabels;
  private readonly artifacts: ArtifactLocation;
  private readonly auth: AuthParts;

  public constructor(
    scope: Construct,
    id: string,
    private readonly props: MlflowServerProps,
  ) {
    super(scope, id);
    this.labels = labelsOf('mlflow', id, 'server');
    const problems = new Problems(this);
    checkProps(problems, id, props, Chart.of(this).namespace);
    problems.throwIfAny();
    this.artifacts = (props.artifactRoot ?? new VolumeArtifacts()).bind(this);
    checkArtifacts(problems, props, this.artifacts, this.mostReplicas);
    problems.throwIfAny();
    this.auth = bindAuth(this, props, this.labels);

    this.serviceAccount =
      props.serviceAccount ??
      newServiceAccount(this, this.labels, annotationsOf(...identitiesOf(props, this.artifacts)));
    const recipe = podRecipe(this, props, this.labels, this.artifacts, this.auth);
    if (props.databaseMigration?._kind === 'job') {
      this.migrationJob = migrationJob(this, props.databaseMigration, props, recipe, this.serviceAccount);
    }
    this.deployment = this.pods(recipe);
    this.service = this.makeService();
    const prefix = props.staticPrefix ?? '';
    const tls = props.certificate !== undefined;
    this.ingress = props.ingress && ingressOf(this, props.ingress, this.service, { prefix, tls }, this.labels);
    this.httpRoute = props.httpRoute && httpRouteOf(this, props.httpRoute, this.service, prefix || '/', this.labels);
    const autoscaler = props.autoscaling?._bind(this, this.deployment, this.labels);
    this.podAutoscaler = autoscaler?.podAutoscaler;
    this.scaledObject = autoscaler?.scaledObject;
    const { isolation } = props;
    if (isolation !== undefined) {
      const routes = [...routesOf(this.artifacts), ...this.auth.routes];
      isolateServer(this, { ...props, isolation }, this.labels, routes, this.ingressEdges);
    }
    if (this.mostReplicas > 1) {
      disruptionBudget(this, id, this.labels);
    }
    addUniqueNameRule(this);
    this.demandConnections();
    const prop = props.autoscaling === undefined ? 'replicas' : 'autoscaling.maxReplicas';
    addServerOf(props.backend, { server: this, prop, pods: this.mostReplicas });
  }

  /**
   * How to verify this very server and what to do when something is wrong, as Markdown: the guide's "Verification" and
   * "Troubleshooting" with the right names, as commands to copy.
   */
  public runbook(): string {
    return runbookOf(this, this._view, this);
  }

  /** @internal */
  public get _view(): ServerView {
    return { props: this.props, labels: this.labels, artifacts: this.artifacts, auth: this.auth };
  }

  /**
   * Lets further peers reach the server, where `isolation` keeps others away.
   *
   * @param peers who they are
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
    const { backend, databaseMigration, workers = DEFAULT_WORKERS, pooling = PoolingProfile.STANDARD } = this.props;
    addServerDemand(backend.connection, {
      by: this,
      pods: this.mostReplicas + (this.rolls ? 1 : 0),
      workers,
      threads: threadsOf(this.props),
      pooling,
      furtherEngines: this.auth.engines,
      migrates: databaseMigration?._kind !== 'off',
    });
  }

  private pods(recipe: PodRecipe): kplus.Deployment {
    const { props } = this;
    const { databaseConnectionCheck: check = DatabaseConnectionCheck.initContainer() } = props;
    const { databaseMigration: migration = DatabaseMigration.initContainer() } = props;
    const certificate = props.certificate?._mounts(this, 'server', CERTIFICATE_FOLDER) ?? [];
    const { proxy } = this.auth;
    const own = proxy === undefined ? certificate : [];
    const container = serverContainer(recipe.base, props, this.artifacts, own, this.hosts(), this.auth);
    const deployment = new kplus.Deployment(this, 'deployment', {
      ...recipe.pod,
      serviceAccount: this.serviceAccount,
      metadata: { name: this.node.id, labels: this.labels.all },
      select: false,
      replicas: props.autoscaling === undefined ? (props.replicas ?? 1) : undefined,
      strategy: this.strategy(),
      terminationGracePeriod: Duration.minutes(1),
      initContainers: [
        ...recipe.sidecars,
        ...check._initContainers(recipe.checkBase),
        ...migration._initContainers(recipe.migrationBase),
        ...(proxy === undefined ? [] : [{ ...proxy, volumeMounts: certificate }]),
      ],
      containers: [props.metrics === true ? withMetrics(this, container) : container],
    });
    deployment.select(kplus.LabelSelector.of({ labels: this.labels.selector }));
    const constraints = props.topologySpreadConstraints ?? (this.mostReplicas > 1 ? OVER_NODES_AND_ZONES : undefined);
    completePodSpec(deployment, {
      imagePullSecrets: props.imagePullSecrets,
      priorityClassName: props.priorityClassName,
      topologySpreadConstraints: spreadOf(constraints, this.labels),
    });
    return deployment;
  }

  /** Pods at the most, without the one that a rolling update adds. */
  private get mostReplicas(): number {
    return this.props.autoscaling?.maxReplicas ?? this.props.replicas ?? 1;
  }

  /** Whether new pods start before old ones stop. */
  private get rolls(): boolean {
    // The second pod of a rolling update could wait for ever for a volume that one node holds.
    return (
      this.artifacts.visibility !== ArtifactVisibility.NODE && this.props.upgradeStrategy !== UpgradeStrategy.RECREATE
    );
  }

  private strategy(): kplus.DeploymentStrategy {
    return this.rolls
      ? kplus.DeploymentStrategy.rollingUpdate({
          maxSurge: kplus.PercentOrAbsolute.absolute(1),
          maxUnavailable: kplus.PercentOrAbsolute.absolute(0),
        })
      : kplus.DeploymentStrategy.recreate();
  }

  private hosts(): { allowed: string[]; origins: string[] } {
    const { allowedHosts: further = [], corsAllowedOrigins: origins = [] } = this.props;
    const input: HostsInput = {
      serviceName: this.node.id,
      // Where the chart names no namespace, Kubernetes fills in that of the pod.
      namespace: Chart.of(this).namespace ?? '$(POD_NAMESPACE)',
      endpoints: endpointsOf(this.props),
      allowedHosts: further,
      corsAllowedOrigins: origins,
    };
    return { allowed: allowedHosts(input), origins: corsAllowedOrigins(input) };
  }

  private makeService(): kplus.Service {
    const { serviceType, port = 5000, nodePort, loadBalancerSourceRanges, annotations } = this.props.service ?? {};
    return serviceOf(this, 'service', this.labels, {
      metadata: { name: this.node.id, annotations },
      type: serviceType,
      loadBalancerSourceRanges,
      ports: [{ name: portNameOf(this.props.certificate), port, targetPort: SERVER_PORT, nodePort }],
    });
  }
}

function newServiceAccount(
  scope: Construct,
  labels: ObjectLabels,
  annotations: Record<string, string> | undefined,
): kplus.ServiceAccount {
  return new kplus.ServiceAccount(scope, 'service-account', {
    metadata: { name: scope.node.id, labels: labels.all, annotations },
    automountToken: false,
  });
}
