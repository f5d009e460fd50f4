import { Size } from 'cdk8s';
import * as kplus from 'cdk8s-plus-28';
import type { Construct } from 'constructs';

import { IMAGES } from '../images';
import { checkIsolation, egressOf, type IsolationOptions, networkPolicy } from '../kube/network/isolation';
import type { ObjectLabels } from '../kube/pod/labels';
import { container, type ContainerOptions, type Pod, type PodContainer, type PodInput, podOf } from '../kube/pod/pod';
import { checkPodOptions, type PodOptions } from '../kube/pod/pod-options';
import type { PodPart } from '../kube/pod/pod-part';
import { SCRATCH_SPACE } from '../kube/pod/scratch-space';
import { texts } from '../kube/values/env-values';
import { addConnectionDemand } from '../postgres/capacity/connection-demand';
import { connectionPart } from '../postgres/connection/connection-part';
import type { PostgresConnection } from '../postgres/connection/postgres-connection';
import { addUniqueNameRule } from '../rules/unique-name';
import { scriptCommand, type ScriptFiles } from '../scripts/scripts';
import { DatabaseConnectionCheck } from '../startup/database-connection-check';
import { checkId, checkImage } from '../validation/checks';
import type { Problems } from '../validation/problems';

const DEFAULT_RESOURCES: kplus.ContainerResources = {
  cpu: { request: kplus.Cpu.millis(250), limit: kplus.Cpu.units(2) },
  memory: { request: Size.mebibytes(256), limit: Size.gibibytes(1) },
  ephemeralStorage: SCRATCH_SPACE,
};

/** Props of every Job around a database. */
export interface OperationProps extends PodOptions {
  /**
   * The image, by tag or digest. It needs MLflow and psycopg2, in the version that the server runs.
   * @default 'ghcr.io/mlflow/mlflow:v3.17.2-full'
   */
  readonly image?: string;

  /**
   * CPU, memory and temporary files of the pod.
   * @default - requests 250 millicores, 256 MiB and 1 GiB of disk, limits 2 CPUs, 1 GiB and 20 GiB of disk
   */
  readonly resources?: kplus.ContainerResources;

  /**
   * The ServiceAccount of the pod: one of your own, or an existing one. The pod gets no token of it.
   * @default - a new one, named by the construct's id
   */
  readonly serviceAccount?: kplus.IServiceAccount;

  /**
   * Lets the pod reach nothing but DNS, the database and what is named here, and lets nobody reach it.
   * @default - none: the pod may reach everything
   */
  readonly isolation?: IsolationOptions;
}

/** What a container of an operation does. */
export interface OperationContainer {
  /**
   * The image.
   * @default - that of the operation
   */
  readonly image?: string;
  /** The script, and its arguments. */
  readonly script: readonly [string, ...string[]];
  /** Whether it connects to the database. */
  readonly connects: boolean;
  readonly parts?: readonly PodPart[];
}

/**
 * A Job or CronJob that works on a database: the pod that all operations share, to complete with containers.
 *
 * Operations connect to the database itself, around a pooler.
 */
export class Operation {
  private readonly options: ContainerOptions;
  private readonly connected: readonly PodPart[];
  private readonly unconnected: readonly PodPart[];
  private readonly connection: PostgresConnection;

  public constructor(
    private readonly scope: Construct,
    private readonly problems: Problems,
    private readonly labels: ObjectLabels,
    private readonly props: OperationProps,
    connection: PostgresConnection,
    scripts: ScriptFiles,
  ) {
    addUniqueNameRule(scope);
    this.connection = connection.unpooled;
    this.options = {
      image: props.image ?? IMAGES.mlflow,
      imagePullPolicy: props.imagePullPolicy,
      resources: props.resources ?? DEFAULT_RESOURCES,
    };
    const files: PodPart = {
      volumeMounts: [
        { path: '/tmp', volume: kplus.Volume.fromEmptyDir(scope, 'tmp', 'tmp') },
        scripts.mount(scope, labels),
      ],
    };
    const environment: PodPart = {
      envVariables: texts({
        MLFLOW_DISABLE_TELEMETRY: true,
        DO_NOT_TRACK: true,
        HOME: '/tmp',
        PYTHONDONTWRITEBYTECODE: 1,
      }),
    };
    this.unconnected = [files, environment];
    this.connected = [
      files,
      connectionPart(scope, this.connection),
      { envVariables: texts({ MLFLOW_BACKEND_STORE_URI: 'postgresql+psycopg2://' }) },
      environment,
    ];
  }

  /** A container that runs a script. */
  public container(name: string, { script, connects, parts = [], image }: OperationContainer): PodContainer {
    const applicationName = this.labels.all['app.kubernetes.io/component'] ?? name;
    const shared = connects
      ? [...this.connected, { envVariables: texts({ PGAPPNAME: applicationName }) }]
      : this.unconnected;
    return container(name, [...shared, ...parts], {
      ...this.options,
      image: image ?? this.options.image,
      command: scriptCommand(...script),
    });
  }

  /** The init container `wait-for-database`. */
  public waitForDatabase(): PodContainer[] {
    return DatabaseConnectionCheck.initContainer()._initContainers(this.connected, this.options);
  }

  /** Counts the connections that the pod opens while servers run. */
  public demandConnections(connections: number): void {
    addConnectionDemand(this.connection, {
      by: this.scope,
      connections,
      factors: `${String(connections)} at its time`,
    });
  }

  /** Sums the pod up, and isolates it if asked to. */
  public pod(input: Omit<PodInput, 'imagePullSecrets' | 'priorityClassName'>): Pod {
    const { isolation, imagePullSecrets, priorityClassName, serviceAccount } = this.props;
    const pod = podOf(this.problems, this.labels, { serviceAccount, ...input, imagePullSecrets, priorityClassName });
    if (isolation !== undefined) {
      networkPolicy(this.scope, 'network-policy', this.scope.node.id, this.labels, {
        ingress: [],
        egress: egressOf(isolation, pod.routes),
      });
    }
    return pod;
  }
}

/** Validates the props that all operations share. */
export function checkOperation(problems: Problems, id: string, props: OperationProps): void {
  checkId(problems, id);
  checkImage(problems, 'image', props.image);
  checkPodOptions(problems, props);
  checkIsolation(problems, props.isolation);
}
