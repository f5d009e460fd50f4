import type { Duration } from 'cdk8s';

import type { BoundLocation } from '../artifacts/backup-location';
import { IMAGES } from '../images';
import type { ExitCodes } from '../kube/pod/job';
import type { PodContainer } from '../kube/pod/pod';
import type { PodPart } from '../kube/pod/pod-part';
import { texts } from '../kube/values/env-values';
import { exitCode } from '../scripts/scripts';

/** Scripts of a pod that dumps a database and stores the dump. */
export const DUMP_SCRIPTS = ['dump_database.sh', 'store_backup.py'];

/** Number of dumps that are kept by default. */
export const DEFAULT_RETAINED_DUMPS = 7;

/** Exit codes after which a retry cannot succeed: pg_dump too old, old dumps not deleted. */
export const DUMP_EXIT_CODES: ExitCodes = {
  dump: [exitCode('WRONG_VERSION')],
  store: [exitCode('NOT_DELETED')],
};

/** A container that runs a script. */
export interface ScriptContainer {
  /**
   * The image.
   * @default - the one with MLflow
   */
  readonly image?: string;
  /** The script and its arguments. */
  readonly script: readonly [string, ...string[]];
  /** Whether it connects to the database. */
  readonly connects: boolean;
  readonly parts?: readonly PodPart[];
  /** Whether it is a native sidecar: it runs beside the containers after it, and ends with the last one. */
  readonly isSidecar?: boolean;
}

/** Input of {@link dumpContainers}. */
export interface DumpInput {
  /** Prop of the location. */
  readonly of: string;
  /** Start of the names of the dumps. Only dumps of this name are deleted. */
  readonly name: string;
  readonly location: BoundLocation;
  /** Time after which the pod is gone, and so what it has left unfinished. */
  readonly deadline: Duration;
  readonly count: number;
  readonly maxAge?: Duration;
  /** Image with pg_dump. */
  readonly clientImage?: string;
  /** Further parts of both containers. */
  readonly parts?: readonly PodPart[];
}

/** The containers that dump a database and store the dump, to run one after the other. */
export function dumpContainers(
  input: DumpInput,
  containerOf: (name: string, container: ScriptContainer) => PodContainer,
): [PodContainer, PodContainer] {
  const { location, deadline, maxAge, parts = [] } = input;
  const work: PodPart = {
    volumeMounts: location.workMounts,
    envVariables: texts({
      WORK_FOLDER: location.workFolder,
      // A pod outlives the deadline of its Job by its grace period at most.
      STALE_MINUTES: Math.ceil(deadline.toMinutes({ integral: false })) + 10,
    }),
  };
  const settings: PodPart = {
    envVariables: texts({
      BACKUP_NAME: input.name,
      BACKUP_LOCATION: location.uri,
      KEEP_COUNT: input.count,
      ...(maxAge !== undefined && { KEEP_SECONDS: maxAge.toSeconds() }),
    }),
  };
  return [
    containerOf('dump', {
      script: ['dump_database.sh'],
      image: input.clientImage ?? IMAGES.postgres,
      connects: true,
      parts: [work, ...parts],
    }),
    containerOf('store', {
      script: ['store_backup.py'],
      connects: false,
      parts: [work, { of: input.of, ...location.access }, settings, ...parts],
    }),
  ];
}
