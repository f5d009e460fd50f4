import { Chart, Duration } from 'cdk8s';
import * as kplus from 'cdk8s-plus-28';
import { Construct, type IConstruct } from 'constructs';

import { problemsOf } from '../kube/construct';
import { egressOf, networkPolicy } from '../kube/network/isolation';
import { NetworkPeer } from '../kube/network/network-peer';
import { checkRoute, type NetworkRoute } from '../kube/network/network-route';
import { mountConfigFiles } from '../kube/pod/config-files';
import { oneShotJob } from '../kube/pod/job';
import { labelsOf, type ObjectLabels } from '../kube/pod/labels';
import { container, podOf } from '../kube/pod/pod';
import { checkPodOptions } from '../kube/pod/pod-options';
import type { PodPart } from '../kube/pod/pod-part';
import { LITTLE_SCRATCH_SPACE } from '../kube/pod/scratch-space';
import type { FileSource } from '../kube/values/file-source';
import type { SecretKey } from '../kube/values/secret-key';
import { text, texts } from '../kube/values/env-values';
import { SCRIPT_RESOURCES } from '../scripts/script-resources';
import { exitCode, scriptCommand, ScriptFiles } from '../scripts/scripts';
import type { MlflowLogin } from '../server/clients/mlflow-login';
import { MlflowServer } from '../server/mlflow-server';
import type { IMlflowServer } from '../server/mlflow-server-reference';
import type { ServerSpec } from '../server/server-spec';
import { SERVER_PORT } from '../server/settings/port';
import { checkConstruct } from '../validation/arguments';
import { checkId, checkSeconds } from '../validation/checks';
import type { Problems } from '../validation/problems';

import { claim, type DeclaredObject, listOf } from './declared-object';
import { API_SERVER_ROUTE, mayMakeSecrets } from './secret-maker';

const SCRIPTS = ScriptFiles.named('apply_objects.py');
const CONTAINER = 'apply-objects';
const FOLDER = '/etc/mlflow-objects';
const FILE = 'objects.json';
const DEFAULT_DEADLINE = Duration.minutes(10);

/** Props of {@link MlflowObjects}. */
export interface MlflowObjectsProps {
  /** The server that has the objects. */
  readonly server: IMlflowServer;

  /**
   * Login of an administrator.
   * @default - the first administrator of `MlflowAuth.basic()`; none for a server without `auth`
   */
  readonly login?: MlflowLogin;

  /**
   * CA that has signed the certificate of the server, for a server with `certificate`.
   * @default - the CAs of MLflow's image
   */
  readonly ca?: FileSource;

  /**
   * Only prints what would change, and fails with exit code 7 if anything would.
   * @default false
   */
  readonly dryRun?: boolean;

  /**
   * How long the Job waits for the server.
   * @default Duration.minutes(10)
   */
  readonly deadline?: Duration;

  /**
   * Network route to the API server of Kubernetes, for an isolated server with an {@link MlflowServiceUser}.
   * @default - ports 443 and 6443 at any address
   */
  readonly apiServer?: NetworkRoute;

  /**
   * CPU, memory and temporary files of the Job's container.
   * @default - requests 250 millicores and 256 MiB, limits 1 CPU and 512 MiB
   */
  readonly resources?: kplus.ContainerResources;

  /**
   * Name of the PriorityClass of the pod.
   * @default - the default class of the cluster
   */
  readonly priorityClassName?: string;
}

/**
 * A Job that makes the objects of MLflow that an app declares: experiments, registered models, endpoints of the AI Gateway, users,
 * permissions, workspaces, webhooks.
 *
 * It waits for the server, looks at all objects, and makes or changes what differs, by MLflow's REST API. It deletes nothing: what is
 * no longer declared stays, and so do tags and permissions that somebody has added. An object that exists is taken over for what is
 * declared of it. A changed declaration is a new Job. To repair what people have changed since, delete the Job and apply it again.
 * Its Secrets are in its own namespace.
 */
export class MlflowObjects extends Construct {
  /** The Job, named by its content. */
  public readonly job: kplus.Job;

  /** The server. */
  public readonly server: IMlflowServer;

  private readonly objects: Record<string, unknown>[] = [];
  private readonly labels: ObjectLabels;
  private readonly apiServer: NetworkRoute;
  private secretNames?: string[];

  public constructor(scope: Construct, id: string, props: MlflowObjectsProps) {
    super(...checkConstruct('MlflowObjects', scope, id, props));
    const { server, dryRun = false, deadline = DEFAULT_DEADLINE, resources, priorityClassName } = props;
    const problems = problemsOf(this);
    checkId(problems, id);
    checkPodOptions(problems, { resources, priorityClassName });
    checkSeconds(problems, 'deadline', deadline);
    checkRoute(problems, 'apiServer', props.apiServer);
    this.server = server;
    this.apiServer = props.apiServer ?? API_SERVER_ROUTE;
    this.checkLogin(problems, props.login);
    this.labels = labelsOf('mlflow', id, 'objects');
    const files: PodPart = {
      volumeMounts: [
        { path: '/tmp', volume: kplus.Volume.fromEmptyDir(this, 'tmp', 'tmp') },
        SCRIPTS.mount(this),
        mountConfigFiles(this, 'objects', this.labels, {
          name: `${id}-objects`,
          volumeName: 'objects',
          path: FOLDER,
          data: { [FILE]: () => listOf(this.objects) },
        }),
      ],
    };
    const settings: PodPart = {
      envVariables: {
        ...texts({
          HOME: '/tmp',
          OBJECTS_FILE: `${FOLDER}/${FILE}`,
          OBJECTS_DRY_RUN: dryRun,
          OBJECTS_WAIT_SECONDS: deadline.toSeconds({ integral: false }),
        }),
        ...(props.login === undefined && this.administrator()),
      },
    };
    const { image, imagePullPolicy, imagePullSecrets } = server;
    const pod = problems.finish(() =>
      podOf(problems, this.labels, {
        imagePullSecrets,
        priorityClassName,
        containers: [
          container(CONTAINER, [files, settings], {
            image,
            imagePullPolicy,
            resources: resources ?? { ...SCRIPT_RESOURCES, ephemeralStorage: LITTLE_SCRATCH_SPACE },
            command: scriptCommand('apply_objects.py'),
          }),
        ],
      }),
    );
    this.job = oneShotJob(this, 'job', pod, {
      name: id,
      backoffLimit: 3,
      failAtOnce: { [CONTAINER]: [exitCode('WOULD_CHANGE')] },
    });
    server.connect(this.job, { login: props.login, ca: props.ca });
    this.openWayTo('server', [this.serverRoute()]);
    this.node.addValidation({ validate: () => this.problemsAtSynthesis() });
  }

  /**
   * What is known of a server of this app.
   *
   * @internal
   */
  public get _spec(): ServerSpec | undefined {
    return MlflowServer.isMlflowServer(this.server) ? this.server._spec : undefined;
  }

  /**
   * Adds a declaration, and throws the problems of the construct that makes it.
   *
   * @internal
   */
  public _declare(by: IConstruct, problems: Problems, object: DeclaredObject): void {
    const before = problems.found ? undefined : claim(this.server, object, by);
    if (before !== undefined) {
      problems.say(
        `the ${object.kind} "${object.name}" must be declared once for each server, and ${before.node.path} declares it.`,
        'Declare all of it there.',
      );
    }
    this.checkWorkspace(problems, object);
    problems.throwIfAny();
    const { kind, name, workspace, fields, secret, secrets } = object;
    const prefix = `OBJECT_${String(this.objects.length)}`;
    const variable = secret && this.variableOf(secret, `${prefix}_PASSWORD`);
    const variables = secrets?.map((each, i) => this.variableOf(each, `${prefix}_${String(i + 1)}_PASSWORD`));
    this.objects.push({ kind, name, workspace, ...fields, variable, variables });
  }

  /**
   * Lets the Job read Secrets of these names, and make new ones.
   *
   * @internal
   */
  public _makesSecret(name: string): void {
    if (this.secretNames === undefined) {
      this.secretNames = mayMakeSecrets(this, this.job, this.labels);
      this.openWayTo('api-server', [this.apiServer]);
    }
    this.secretNames.push(name);
  }

  /** Gives the container a secret in a variable, whose name ends in PASSWORD so that the script keeps it out of its log. */
  private variableOf(secret: SecretKey, name: string): string {
    this.job.containers[0]?.env.addVariable(name, secret._value());
    return name;
  }

  private administrator(): Record<string, kplus.EnvValue> {
    const administrator = this._spec?.authParts.administrator;
    return administrator === undefined
      ? {}
      : {
          MLFLOW_TRACKING_USERNAME: text(administrator.username),
          MLFLOW_TRACKING_PASSWORD: administrator.password._value(),
        };
  }

  private checkLogin(problems: Problems, login: MlflowLogin | undefined): void {
    login?._check(problems, 'login');
    const { auth, authParts } = this._spec ?? {};
    if (login === undefined && auth !== undefined && authParts?.administrator === undefined) {
      problems.say(
        `\`login\` must be given: "${this.server.serverName}" has a login whose administrators the library does not know.`,
        'MlflowLogin.fromSecretName(name), or MlflowLogin.fromToken(token).',
      );
    }
  }

  private checkWorkspace(problems: Problems, { kind, workspace }: DeclaredObject): void {
    if ((kind === 'workspace' || workspace !== undefined) && this._spec?.workspaces === false) {
      problems.say(
        `\`${kind === 'workspace' ? 'objects' : 'workspace'}\` needs a server with workspaces, and "${this.server.serverName}" has none.`,
        'Give it `workspaces: true`.',
      );
    }
  }

  /** The route to the pods of the server. */
  private serverRoute(): NetworkRoute {
    const { serverNamespace: there, podSelector } = this.server;
    const isElsewhere = there !== undefined && there !== Chart.of(this).namespace;
    const peer = isElsewhere ? NetworkPeer.podsOf(there, podSelector) : NetworkPeer.pods(podSelector);
    return { peers: [peer], ports: [SERVER_PORT] };
  }

  /** Adds a policy, if the server is isolated. All policies of a pod apply together. */
  private openWayTo(what: string, routes: NetworkRoute[]): void {
    const { isolation } = this.server;
    if (isolation !== undefined) {
      networkPolicy(this, `${what}-network-policy`, `${this.node.id}-${what}`, this.labels, {
        ingress: [],
        egress: egressOf(isolation, routes),
      });
    }
  }

  private problemsAtSynthesis(): string[] {
    return this.objects.length > 0
      ? []
      : [
          'nothing is declared. Give `objects` to an MlflowExperiment, an MlflowUser or another object, or leave the Job out.',
        ];
  }
}
