import { Chart, Duration } from 'cdk8s';
import * as kplus from 'cdk8s-plus-28';
import { Construct } from 'constructs';

import { type ArtifactLocation, ArtifactReach } from '../artifacts/artifact-store';
import { VolumeArtifacts } from '../artifacts/volume-artifacts';
import { labelsOf, type ObjectLabels } from '../kube/labels';
import { completePodSpec } from '../kube/pod-spec';
import { Problems } from '../kube/problems';
import { serviceOf } from '../kube/service';
import { connectionsOfPod } from '../postgres/connection-law';
import { PoolingProfile } from '../postgres/pooling-profile';
import { addPoolRule, type ConnectionDemand, POOL_FITS_DATABASE } from '../rules/pool-fits-database';
import { addUniqueNameRule } from '../rules/unique-name';
import { DatabaseConnectionCheck } from '../startup/database-connection-check';
import { DatabaseMigration } from '../startup/database-migration';

import { checkProps } from './check-props';
import { allowedHosts, corsAllowedOrigins, type HostsInput } from './hosts';
import { ingressOf } from './ingress';
import { migrationJob } from './migration-job';
import type { MlflowServerProps } from './mlflow-server-props';
import { podRecipe, type PodRecipe } from './pod-recipe';
import { DEFAULT_WORKERS, SERVER_PORT, serverContainer, threadsOf } from './server-container';

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

  /** The Job that migrates the schema, with `DatabaseMigration.job()`. */
  public readonly migrationJob?: kplus.Job;

  private readonly acknowledged = new Set<string>();
  private readonly labels: ObjectLabels;
  private readonly artifacts: ArtifactLocation;

  public constructor(
    scope: Construct,
    id: string,
    private readonly props: MlflowServerProps,
  ) {
    super(scope, id);
    this.labels = labelsOf('mlflow', id, 'server');
    const problems = new Problems(this);
    checkProps(problems, id, props);
    problems.throwIfAny();
    this.artifacts = (props.artifactRoot ?? new VolumeArtifacts()).bind(this);
    this.checkReplicas();

    this.serviceAccount = props.serviceAccount ?? newServiceAccount(this, this.labels);
    const recipe = podRecipe(this, props, this.labels, this.artifacts);
    if (props.databaseMigration?._kind === 'job') {
      this.migrationJob = migrationJob(this, props.databaseMigration, props, recipe, this.serviceAccount);
    }
    this.deployment = this.pods(recipe);
    this.service = this.frontService();
    this.ingress =
      props.ingress && ingressOf(this, props.ingress, this.service, props.staticPrefix ?? '/', this.labels);
    addUniqueNameRule(this);
    addPoolRule(props.backend, this.connectionDemand());
  }

  /**
   * Lets a rule pass that would fail the synthesis: `pool-fits-database`.
   *
   * @param rule the id of the rule
   * @param reason why it may be broken here, for those who read the app
   */
  public acknowledge(rule: string, reason: string): void {
    const problems = new Problems(this);
    if (rule !== POOL_FITS_DATABASE) {
      problems.add('rule', `must be the id of a rule: ${POOL_FITS_DATABASE}`, rule);
    }
    if (reason.trim() === '') {
      problems.add('reason', 'must say why the rule may be broken', reason);
    }
    problems.throwIfAny();
    this.acknowledged.add(rule);
  }

  private connectionDemand(): ConnectionDemand {
    const { replicas = 1, workers = DEFAULT_WORKERS, pooling = PoolingProfile.STANDARD } = this.props;
    const surge = this.artifacts.reach === ArtifactReach.NODE ? 0 : 1;
    return {
      server: this,
      pods: replicas + surge,
      workers,
      connectionsOfPod: connectionsOfPod(pooling, workers, threadsOf(this.props)),
      isAcknowledged: () => this.acknowledged.has(POOL_FITS_DATABASE),
    };
  }

  private checkReplicas(): void {
    const { replicas = 1 } = this.props;
    const { reach } = this.artifacts;
    if (replicas > 1 && reach !== ArtifactReach.CLUSTER) {
      const problems = new Problems(this);
      problems.add(
        'replicas',
        `must be at most 1 with artifacts that only one ${reach} can see`,
        replicas,
        'Use a volume with READ_WRITE_MANY, or an object store, as `artifactRoot`.',
      );
      problems.throwIfAny();
    }
  }

  private pods(recipe: PodRecipe): kplus.Deployment {
    const { props } = this;
    const { databaseConnectionCheck: check = DatabaseConnectionCheck.initContainer() } = props;
    const { databaseMigration: migration = DatabaseMigration.initContainer() } = props;
    const deployment = new kplus.Deployment(this, 'deployment', {
      ...recipe.pod,
      serviceAccount: this.serviceAccount,
      metadata: { name: this.node.id, labels: this.labels.all },
      select: false,
      replicas: props.replicas ?? 1,
      strategy: strategyFor(this.artifacts.reach),
      terminationGracePeriod: Duration.minutes(1),
      initContainers: [...check._initContainers(recipe.checkBase), ...migration._initContainers(recipe.migrationBase)],
      containers: [serverContainer(recipe.base, props, this.artifacts, this.hosts())],
    });
    deployment.select(kplus.LabelSelector.of({ labels: this.labels.selector }));
    completePodSpec(deployment, {
      imagePullSecrets: props.imagePullSecrets,
      priorityClassName: props.priorityClassName,
      topologySpreadConstraints: props.topologySpreadConstraints?.map((constraint) => ({
        labelSelector: { matchLabels: this.labels.selector },
        ...constraint,
      })),
    });
    return deployment;
  }

  private hosts(): { allowed: string[]; origins: string[] } {
    const { ingress, allowedHosts: further = [], corsAllowedOrigins: origins = [] } = this.props;
    const input: HostsInput = {
      serviceName: this.node.id,
      // Where the chart names no namespace, Kubernetes fills in that of the pod.
      namespace: Chart.of(this).namespace ?? '$(POD_NAMESPACE)',
      ingressHosts: ingress?.hosts ?? [],
      ingressTls: ingress?.tlsSecretName !== undefined,
      allowedHosts: further,
      corsAllowedOrigins: origins,
    };
    return { allowed: allowedHosts(input), origins: corsAllowedOrigins(input) };
  }

  private frontService(): kplus.Service {
    const { serviceType, port = 5000, nodePort, loadBalancerSourceRanges, annotations } = this.props.service ?? {};
    return serviceOf(this, 'service', this.labels, {
      metadata: { name: this.node.id, annotations },
      type: serviceType,
      loadBalancerSourceRanges,
      ports: [{ name: 'http', port, targetPort: SERVER_PORT, nodePort }],
    });
  }
}

function newServiceAccount(scope: Construct, labels: ObjectLabels): kplus.ServiceAccount {
  return new kplus.ServiceAccount(scope, 'service-account', {
    metadata: { name: scope.node.id, labels: labels.all },
    automountToken: false,
  });
}

function strategyFor(reach: ArtifactReach): kplus.DeploymentStrategy {
  // The second pod of a rolling update could wait for ever for a volume that one node holds.
  if (reach === ArtifactReach.NODE) {
    return kplus.DeploymentStrategy.recreate();
  }
  return kplus.DeploymentStrategy.rollingUpdate({
    maxSurge: kplus.PercentOrAbsolute.absolute(1),
    maxUnavailable: kplus.PercentOrAbsolute.absolute(0),
  });
}
