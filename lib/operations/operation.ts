import * as kplus from 'cdk8s-plus-28';
import type { Construct } from 'constructs';

import { IMAGES } from '../images';
import { checkIsolation, egressOf, type IsolationOptions, networkPolicy } from '../kube/network/isolation';
import { labelsOf } from '../kube/pod/labels';
import { container, type ContainerOptions, type Pod, type PodContainer, type PodInput, podOf } from '../kube/pod/pod';
import { checkPodOptions, type PodOptions } from '../kube/pod/pod-options';
import type { PodPart } from '../kube/pod/pod-part';
import { SCRATCH_SPACE } from '../kube/pod/scratch-space';
import { texts } from '../kube/values/env-values';
import { addConnectionDemand } from '../postgres/capacity/connection-demand';
import { libpqPart } from '../postgres/connection/connection-part';
import type { PostgresConnection } from '../postgres/connection/postgres-connection';
import { SCRIPT_RESOURCES } from '../scripts/script-resources';
import { scriptCommand, type ScriptFiles } from '../scripts/scripts';
import type { IMlflowServer } from '../server/mlflow-server-reference';
import { DatabaseConnectionCheck } from '../startup/database-connection-check';
import type { ScriptContainer } from '../startup/database-dump';
import { checkId } from '../validation/checks';
import type { Problems } from '../validation/problems';

const DEFAULT_RESOURCES: kplus.ContainerResources = {
  ...SCRIPT_RESOURCES,
  ephemeralStorage: SCRATCH_SPACE,
};

const STORE_URI: PodPart = { envVariables: texts({ MLFLOW_BACKEND_STORE_URI: 'postgresql+psycopg2://' }) };

/** Props that all operations share. */
export interface OperationProps extends PodOptions {
  /**
   * The image, by tag or digest. It needs MLflow and psycopg2, in the server's version.
   * @default 'ghcr.io/mlflow/mlflow:v3.18.0-full'
   */
  readonly image?: string;

  /**
   * CPU, memory and temporary files of each container of the pod. They run one after the other.
   * @default - requests 250 millicores, 256 MiB and 1 GiB of disk, limits 1 CPU, 512 MiB and 20 GiB of disk
   */
  readonly resources?: kplus.ContainerResources;

  /**
   * ServiceAccount of the pod: one of your own, or an existing one. Its token is not mounted.
   * @default - a new one, named by the construct's id
   */
  readonly serviceAccount?: kplus.IServiceAccount;

  /**
   * Restricts the pod's network: it reaches DNS, the database and what is named here, and accepts no connections.
   * @default - no restriction
   */
  readonly isolation?: IsolationOptions;
}

/** Props that the operations of a server share. */
export interface ServerOperationProps {
  /** The server. The pod uses its database, image, ServiceAccount and isolation. */
  readonly server: IMlflowServer;

  /**
   * CPU, memory and temporary files of each container of the pod.
   * @default - requests 250 millicores, 256 MiB and 1 GiB of disk, limits 1 CPU, 512 MiB and 20 GiB of disk
   */
  readonly resources?: kplus.ContainerResources;

  /**
   * Priority class of the pod.
   * @default - the default class of the cluster
   */
  readonly priorityClassName?: string;
}

/** The inputs of an operation's pod. */
export interface OperationInput {
  /** The label `app.kubernetes.io/component`. */
  readonly component: string;
  readonly props: OperationProps;
  /** Connection to the database. Operations bypass its pooler. */
  readonly connection: PostgresConnection;
  /**
   * Prop of the connection.
   * @default 'backend'
   */
  readonly of?: string;
  readonly scripts: ScriptFiles;
  /** Number of connections that the pod opens while servers run on the same PostgreSQL server. */
  readonly connections?: number;
}

/** Makes the containers of an operation. */
export class Operation {
  /** Makes the pod of an operation from the containers that `build` returns, and its network policy. Throws all problems. */
  public static pod(
    scope: Construct,
    problems: Problems,
    input: OperationInput,
    build: (operation: Operation) => Omit<PodInput, 'imagePullSecrets' | 'priorityClassName'>,
  ): Pod {
    const { isolation, imagePullSecrets, priorityClassName, serviceAccount } = input.props;
    const labels = labelsOf('mlflow', scope.node.id, input.component);
    return problems.finish(() => {
      const containers = build(new Operation(scope, input));
      const pod = podOf(problems, labels, { serviceAccount, ...containers, imagePullSecrets, priorityClassName });
      if (isolation !== undefined) {
        networkPolicy(scope, 'network-policy', scope.node.id, labels, {
          ingress: [],
          egress: egressOf(isolation, pod.routes),
        });
      }
      return pod;
    });
  }

  private readonly options: ContainerOptions;
  private readonly connected: readonly PodPart[];
  private readonly unconnected: readonly PodPart[];
  private readonly others = new Map<string, readonly PodPart[]>();

  private constructor(
    private readonly scope: Construct,
    private readonly input: OperationInput,
  ) {
    const { props, scripts, connections } = input;
    const connection = input.connection.unpooled;
    if (connections !== undefined) {
      addConnectionDemand({ by: scope, connection, connections, factors: `${String(connections)} at its time` });
    }
    this.options = {
      image: props.image ?? IMAGES.mlflow,
      imagePullPolicy: props.imagePullPolicy,
      resources: props.resources ?? DEFAULT_RESOURCES,
    };
    const tmp = { path: '/tmp', volume: kplus.Volume.fromEmptyDir(scope, 'tmp', 'tmp') };
    const files: PodPart = { volumeMounts: [tmp, scripts.mount(scope)] };
    const environment: PodPart = {
      envVariables: texts({
        MLFLOW_DISABLE_TELEMETRY: true,
        DO_NOT_TRACK: true,
        HOME: '/tmp',
      }),
    };
    this.unconnected = [files, environment];
    this.connected = [
      files,
      { ...libpqPart(scope, connection, this.options), of: input.of ?? 'backend' },
      STORE_URI,
      environment,
    ];
  }

  /** The parts of a container that connects to another database than that of the operation: that of the prop `of`. */
  public partsOf(of: string, { unpooled }: PostgresConnection): readonly PodPart[] {
    const parts = this.others.get(of) ?? [{ ...libpqPart(this.scope, unpooled, this.options, of), of }, STORE_URI];
    this.others.set(of, parts);
    return parts;
  }

  /** A container that runs a script. */
  public container(name: string, { script, connects, parts = [], image, isSidecar }: ScriptContainer): PodContainer {
    const session: PodPart = { envVariables: texts({ PGAPPNAME: this.input.component }) };
    const shared = connects ? [...this.connected, session] : this.unconnected;
    return container(name, [...shared, ...parts], {
      ...this.options,
      image: image ?? this.options.image,
      command: scriptCommand(...script),
      ...(isSidecar === true && { restartPolicy: kplus.ContainerRestartPolicy.ALWAYS }),
    });
  }

  /** The init container `wait-for-database`, or the one for another database. */
  public waitForDatabase(name = 'wait-for-database', parts?: readonly PodPart[]): PodContainer[] {
    const connected = parts === undefined ? this.connected : [...this.unconnected, ...parts];
    return DatabaseConnectionCheck.initContainer()
      ._initContainers(connected, this.options)
      .map((each) => ({ ...each, name }));
  }
}

/** The props of an operation of a server. Its ServiceAccount already has the annotations of the parts. */
export function propsOfServer({ server, resources, priorityClassName }: ServerOperationProps): OperationProps {
  const { image, imagePullPolicy, imagePullSecrets, serviceAccount, isolation } = server;
  return { image, imagePullPolicy, imagePullSecrets, serviceAccount, isolation, resources, priorityClassName };
}

/** Validates the props that the operations of a server share. */
export function checkServerOperation(problems: Problems, id: string, props: ServerOperationProps): void {
  checkId(problems, id);
  checkPodOptions(problems, { resources: props.resources, priorityClassName: props.priorityClassName });
}

/** Validates the props that all operations share. */
export function checkOperation(problems: Problems, id: string, props: OperationProps): void {
  checkId(problems, id);
  checkPodOptions(problems, props);
  checkIsolation(problems, props.isolation);
}
