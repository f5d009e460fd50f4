import { Duration } from 'cdk8s';
import * as kplus from 'cdk8s-plus-28';
import { Construct } from 'constructs';

import {
  type ArtifactLocation,
  artifactsPart,
  ArtifactVisibility,
  bindStore,
  type IArtifactStore,
} from '../artifacts/artifact-store';
import { problemsOf } from '../kube/construct';
import { oneShotJob } from '../kube/pod/job';
import type { PodPart } from '../kube/pod/pod-part';
import { texts } from '../kube/values/env-values';
import type { IPostgresBackend } from '../postgres/connection/postgres-backend';
import { addFilling, NO_SERVER_WHILE_RELOCATING } from '../rules/no-running-server';
import { exitCode, ScriptFiles } from '../scripts/scripts';
import { checkConstruct } from '../validation/arguments';
import { checkSeconds } from '../validation/checks';
import type { Problems } from '../validation/problems';

import { type ArtifactLocationRule, checkLocationRules } from './artifact-location-rule';
import { checkOperation, Operation, type OperationProps } from './operation';
import { WorkingCopy } from './working-copy';

const EXCHANGE_FOLDER = '/exchange';
const PROXIED_ROOT = 'mlflow-artifacts:/';
const SCRIPTS = ScriptFiles.named('wait_for_database.py', 'read_artifacts.py', 'relocate_artifacts.py');

// Exit codes after which a retry cannot succeed: another schema, other files at the target, unusable source.
const NON_RETRYABLE_EXIT_CODES = { 'relocate-artifacts': ['WRONG_VERSION', 'HAS_DATA', 'BAD_SOURCE'].map(exitCode) };

/** What happens to a file that the new store already has with another content. */
export enum ExistingFiles {
  /** The relocation fails and changes no location. */
  REFUSE = 'refuse',

  /** The file is replaced. Choose it to take a relocation back after files of the new store were overwritten. */
  REPLACE = 'replace',
}

/** Props of {@link ArtifactRelocation}. */
export interface ArtifactRelocationProps extends OperationProps {
  /** The database of the server. */
  readonly backend: IPostgresBackend;

  /** The store that has the artifacts. They are only read, and stay where they are. */
  readonly source: IArtifactStore;

  /** The store that gets the artifacts: the `artifactRoot` that the server has afterwards. */
  readonly target: IArtifactStore;

  /**
   * Further prefixes by which the database names the files of `source`, such as `/mlflow/mlruns`. Those that follow from the two
   * stores are known. The first rule that matches a location applies; a rule that matches none is an error.
   * @default - none
   */
  readonly artifactLocations?: ArtifactLocationRule[];

  /**
   * What happens to a file that `target` already has with another content.
   * @default ExistingFiles.REFUSE
   */
  readonly existingFiles?: ExistingFiles;

  /**
   * Counts files and locations, and changes nothing. Servers may run meanwhile.
   * @default false
   */
  readonly dryRun?: boolean;

  /**
   * Volume for files on their way: twice the size of the eight largest files.
   * @default WorkingCopy.emptyDir()
   */
  readonly workingCopy?: WorkingCopy;

  /**
   * How long to wait for servers to stop and for a running migration. It does not limit the relocation itself.
   * @default Duration.minutes(10)
   */
  readonly deadline?: Duration;
}

/**
 * A Job that moves the artifacts of a server to another store, and with them every location in the database, once.
 *
 * It copies each file, reads it back and compares checksums. What is there already with the same content is not copied again, so
 * that a killed Job goes on where it was. When all files are there, it changes all locations in one transaction. Stop all servers
 * on the database first (`replicas: 0`), and remove the relocation from the app afterwards. To take it back, exchange `source` and
 * `target`: the old files are still there. Needs Kubernetes 1.29 or later.
 */
export class ArtifactRelocation extends Construct {
  /** The Job, named by its content. */
  public readonly job: kplus.Job;

  public constructor(scope: Construct, id: string, props: ArtifactRelocationProps) {
    super(...checkConstruct('ArtifactRelocation', scope, id, props));
    const {
      workingCopy = WorkingCopy.emptyDir(),
      artifactLocations = [],
      dryRun = false,
      existingFiles = ExistingFiles.REFUSE,
      deadline = Duration.minutes(10),
    } = props;
    const problems = problemsOf(this);
    checkOperation(problems, id, props);
    checkLocationRules(problems, artifactLocations);
    workingCopy._check(problems);
    checkSeconds(problems, 'deadline', deadline);
    const [from, to] = (['source', 'target'] as const).map((prop) => this.bind(problems, prop, props[prop])) as [
      ArtifactLocation,
      ArtifactLocation,
    ];
    const rules = rulesOf(from, to, artifactLocations);
    checkRules(problems, from, to, rules);
    const exchange: PodPart = {
      envVariables: texts({ RELOCATION_EXCHANGE: EXCHANGE_FOLDER }),
      volumeMounts: [{ path: EXCHANGE_FOLDER, volume: workingCopy._volume(this) }],
    };
    const input = { component: 'artifact-relocation', props, connection: props.backend.connection, scripts: SCRIPTS };
    const pod = Operation.pod(this, problems, input, (operation) => ({
      initContainers: [
        ...operation.waitForDatabase(),
        operation.container('read-artifacts', {
          script: ['read_artifacts.py'],
          connects: false,
          isSidecar: true,
          parts: [partOf('source', from), exchange, { envVariables: texts({ RELOCATION_SOURCE: from.destination }) }],
        }),
      ],
      containers: [
        operation.container('relocate-artifacts', {
          script: ['relocate_artifacts.py'],
          connects: true,
          parts: [
            partOf('target', to),
            exchange,
            {
              envVariables: texts({
                RELOCATION_TARGET: to.destination,
                RELOCATION_RULES: JSON.stringify(rules),
                RELOCATION_REQUIRED_RULES: artifactLocations.length,
                RELOCATION_EXISTING_FILES: existingFiles,
                RELOCATION_DRY_RUN: dryRun,
                RELOCATION_DEADLINE_SECONDS: deadline.toSeconds(),
              }),
            },
          ],
        }),
      ],
      ephemeralVolumes: workingCopy._ephemeralVolumes,
    }));
    this.job = oneShotJob(this, 'job', pod, {
      name: id,
      // A killed pod leaves files that the next one finds, and all locations as they were.
      backoffLimit: 3,
      failAtOnce: NON_RETRYABLE_EXIT_CODES,
    });
    if (!dryRun) {
      addFilling(NO_SERVER_WHILE_RELOCATING, props.backend, this);
    }
  }

  /** Binds a store in a scope of its own, since both may make objects of the same names. */
  private bind(problems: Problems, prop: 'source' | 'target', store: IArtifactStore): ArtifactLocation {
    const scope = new Construct(this, `${this.node.id}-${prop}`);
    const location = bindStore(problems, scope, store, prop);
    if (location.visibility === ArtifactVisibility.POD) {
      problems.say(
        `\`${prop}\` must not be on the disk of a pod, where no other pod can reach it.`,
        'Name the claim of the volume, or an object store.',
      );
    }
    if (scope.node.findAll().some((each) => each instanceof kplus.PersistentVolumeClaim)) {
      problems.say(
        `\`${prop}\` must not make a new claim, which would be removed from the app with the relocation.`,
        'Name the claim of the server: Persistence.existingClaim(name).',
      );
    }
    return location;
  }
}

/** An old prefix, the new one for clients, and what the server itself calls that. */
type Rule = readonly [old: string, client: string, server: string];

function rulesOf(from: ArtifactLocation, to: ArtifactLocation, further: ArtifactLocationRule[]): Rule[] {
  const root = rootOf(to);
  const stored = uriOf(to.destination);
  const derived = [...new Set([from.destination, uriOf(from.destination), rootOf(from)])].map((old): Rule => [
    old,
    root,
    stored,
  ]);
  return [
    ...further.map(({ oldPrefix, newPrefix }): Rule => [oldPrefix, newPrefix, newPrefix === root ? stored : newPrefix]),
    ...derived.filter(([old]) => stem(old) !== stem(root)),
  ];
}

/** The second attempt of a Job must change nothing that the first has changed. */
function checkRules(problems: Problems, from: ArtifactLocation, to: ArtifactLocation, rules: Rule[]): void {
  if (stem(from.destination) === stem(to.destination) && sameStore(from, to)) {
    problems.say(
      '`target` must be another store than `source`, got the same one.',
      'Move to another bucket, prefix or claim.',
    );
    return;
  }
  for (const [prop, outer, inner] of [
    ['target', from, to],
    ['source', to, from],
  ] as const) {
    if (stem(inner.destination) !== stem(outer.destination) && isIn(inner.destination, outer.destination)) {
      problems.say(
        `\`${prop}\` must not be below \`${prop === 'target' ? 'source' : 'target'}\` (${outer.destination}), got ${inner.destination}.`,
        'Move to another bucket, or to a prefix beside the old one.',
      );
    }
  }
  const again = rules.map(([, client]) => client).find((client) => rules.some(([old]) => isIn(client, old)));
  if (again !== undefined && !problems.found) {
    problems.say(
      `\`artifactLocations\` must not name a prefix that is both old and new, got ${again}: a second attempt would change it again.`,
      `The new prefix of files in \`target\` is ${rootOf(to)}.`,
    );
  }
}

/** Whether two places of one name are one: on the same claim, at the same address. A region or an identity makes no other store. */
function sameStore(from: ArtifactLocation, to: ArtifactLocation): boolean {
  const [one, other] = [from, to].map(({ claimName, envVariables = {} }) =>
    JSON.stringify([claimName, Object.entries(envVariables).find(([name]) => name.endsWith('_ENDPOINT_URL'))]),
  );
  return one === other;
}

/** The part of the container that reads or writes a store. Volumes of two stores may have the same name. */
function partOf(prop: 'source' | 'target', location: ArtifactLocation): PodPart {
  const part = artifactsPart(location, prop);
  return {
    ...part,
    volumeMounts: part.volumeMounts?.map((mount) => ({
      ...mount,
      volume: Object.create(mount.volume, { name: { value: `${prop}-${mount.volume.name}` } }) as kplus.Volume,
      ...(prop === 'source' && { readOnly: true }),
    })),
  };
}

function rootOf(location: ArtifactLocation): string {
  return location.defaultArtifactRoot ?? PROXIED_ROOT;
}

function uriOf(destination: string): string {
  return destination.startsWith('/') ? `file://${destination}` : destination;
}

function isIn(location: string, folder: string): boolean {
  return `${stem(location)}/`.startsWith(`${stem(folder)}/`);
}

function stem(location: string): string {
  return location.replace(/\/+$/, '');
}
