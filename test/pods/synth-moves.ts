import { type Chart, Duration } from 'cdk8s';
import {
  ArtifactAccess,
  ArtifactRelocation,
  AwsIdentity,
  DatabaseMove,
  type ExistingFiles,
  ExternalPostgres,
  type IArtifactStore,
  Persistence,
  S3Addressing,
  S3Artifacts,
  VolumeArtifacts,
} from 'cdk8s-mlflow';

/** A claim, or a bucket with the login in a Secret. */
interface StoreCase {
  readonly claim?: string;
  readonly bucket?: string;
  readonly endpoint?: string;
  readonly secret?: string;
  readonly direct?: boolean;
}

interface RelocationCase {
  readonly source?: StoreCase;
  readonly target?: StoreCase;
  readonly dryRun?: boolean;
  readonly deadline?: number;
  readonly existingFiles?: ExistingFiles;
}

function storeOf({ claim, bucket = '', endpoint, secret = 's3', direct }: StoreCase): IArtifactStore {
  return claim === undefined
    ? new S3Artifacts({
        bucket,
        prefix: 'team',
        endpoint,
        addressing: S3Addressing.PATH,
        region: 'us-east-1',
        identity: AwsIdentity.fromSecretName(secret),
        access: direct === true ? ArtifactAccess.DIRECT : ArtifactAccess.PROXIED,
      })
    : new VolumeArtifacts({ persistence: Persistence.existingClaim(claim) });
}

function database(chart: Chart, host = 'database'): ExternalPostgres {
  return new ExternalPostgres(chart, host, { host, user: 'mlflow', password: 'a-password' });
}

/** Adds the relocation of a case to its chart. */
export function addRelocation(chart: Chart, { source = {}, target = {}, deadline, ...options }: RelocationCase): void {
  new ArtifactRelocation(chart, 'relocation', {
    ...options,
    backend: database(chart),
    source: storeOf(source),
    target: storeOf(target),
    deadline: deadline === undefined ? undefined : Duration.seconds(deadline),
  });
}

/** Adds a move from the database `old-database` to `database`. */
export function addMove(chart: Chart): void {
  new DatabaseMove(chart, 'move', { source: database(chart, 'old-database'), target: database(chart) });
}
