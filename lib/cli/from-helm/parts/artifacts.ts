import { type Code, create, member, mlflow, struct, textMap, value } from '../../code/code';

import type { Release } from '../release';
import { isData } from '../data';
import { AWS_KEYS, awsIdentity, AZURE_KEYS, azureCredentials, googleIdentity, identityOr } from './identities';

/** A folder of an object store. */
export interface Bucket {
  readonly keys: readonly string[];
  readonly bucket: string;
  readonly prefix?: string;
  /** Whether clients go through the server. */
  readonly isProxied: boolean;
}

/** The name of a bucket, or a stand-in for one that is none, such as a placeholder. */
function bucketOf(release: Release, { keys, bucket }: Bucket): Code {
  if (/^[a-z0-9][-._a-z0-9]{1,61}[a-z0-9]$/.test(bucket)) {
    return value(bucket);
  }
  release.note(
    'to do',
    keys,
    `${bucket.replace(/:[^@]*@/, ':<password>@')} is no name of a bucket or a container: put it into the app.`,
  );
  return value('mlflow');
}

/** Sets artifacts in S3. `login` is the access key, unless the pods have an identity. */
export function setS3(
  release: Release,
  at: Bucket,
  login: { readonly identity?: Code; readonly endpoint?: string; readonly region?: string } = {},
): void {
  const { keys, prefix, isProxied } = at;
  const { environment } = release;
  const endpoint = (login.endpoint ?? environment.takeText('MLFLOW_S3_ENDPOINT_URL'))?.replace(/\/+$/, '');
  const addressing = environment.takeText('MLFLOW_BOTO_CLIENT_ADDRESSING_STYLE');
  const region = login.region ?? environment.takeText('AWS_DEFAULT_REGION') ?? environment.takeText('AWS_REGION');
  const uploads = jsonOf(environment.takeText('MLFLOW_S3_UPLOAD_EXTRA_ARGS'));
  const isUrl = endpoint === undefined || /^https?:\/\/[^/\s]+$/.test(endpoint);
  if (!isUrl) {
    release.note('to do', keys, `The endpoint ${endpoint} is no URL with scheme and without path: set \`endpoint\`.`);
  }
  release.set(
    'artifactRoot',
    create(
      mlflow('S3Artifacts'),
      struct(mlflow('S3ArtifactsProps'), {
        bucket: bucketOf(release, at),
        prefix: textOf(prefix),
        region: textOf(region),
        endpoint: isUrl ? textOf(endpoint) : undefined,
        addressing: ['path', 'virtual'].includes(addressing ?? '')
          ? member(mlflow('S3Addressing'), (addressing ?? '').toUpperCase())
          : undefined,
        ignoreTls: /^(true|1)$/i.test(environment.takeText('MLFLOW_S3_IGNORE_TLS') ?? '') ? value(true) : undefined,
        uploadExtraArgs: uploads === undefined ? undefined : textMap(uploads),
        identity: identityOr(release, login.identity, AWS_KEYS) ?? awsIdentity(release, keys),
        access: accessOf(isProxied),
      }),
    ),
  );
  noteAccess(release, keys, isProxied);
  if (environment.get('AWS_CA_BUNDLE') !== undefined) {
    const { key = '' } = environment.take('AWS_CA_BUNDLE') ?? {};
    release.note(
      'to do',
      key,
      'Give the CA of the store as `ca: FileSource.fromConfigMap(name, key)` of S3Artifacts: it is mounted in every pod that needs it.',
    );
  }
}

/** Sets artifacts in Google Cloud Storage. */
export function setGcs(release: Release, at: Bucket, identity?: Code): void {
  const { keys, prefix, isProxied } = at;
  release.set(
    'artifactRoot',
    create(
      mlflow('GcsArtifacts'),
      struct(mlflow('GcsArtifactsProps'), {
        bucket: bucketOf(release, at),
        prefix: textOf(prefix),
        identity: identity ?? googleIdentity(release, keys),
        access: accessOf(isProxied),
      }),
    ),
  );
  noteAccess(release, keys, isProxied);
}

/** Sets artifacts in Azure Blob Storage. */
export function setAzure(release: Release, at: Bucket, account: string, credentials?: Code): void {
  const { keys, prefix, isProxied } = at;
  release.set(
    'artifactRoot',
    create(
      mlflow('AzureBlobArtifacts'),
      struct(mlflow('AzureBlobArtifactsProps'), {
        account: value(account),
        container: bucketOf(release, at),
        prefix: textOf(prefix),
        credentials: identityOr(release, credentials, AZURE_KEYS) ?? azureCredentials(release, keys),
        access: accessOf(isProxied),
      }),
    ),
  );
  noteAccess(release, keys, isProxied);
}

/** Sets the store that a URI names. Returns whether it is one of an object store. */
export function setStoreOfUri(release: Release, keys: readonly string[], uri: string, isProxied: boolean): boolean {
  const [, scheme = '', authority = '', path = ''] = /^(\w+):\/\/([^/]*)\/?(.*)$/.exec(uri) ?? [];
  const prefix = path.replace(/^\/+|\/+$/g, '');
  const bucket = { keys, bucket: authority, prefix: prefix === '' ? undefined : prefix, isProxied };
  if (scheme === 's3') {
    setS3(release, bucket);
  } else if (scheme === 'gs') {
    setGcs(release, bucket);
  } else if (scheme === 'wasbs' || scheme === 'wasb') {
    const [container = '', host = ''] = authority.split('@');
    setAzure(release, { ...bucket, bucket: container }, host.split('.')[0] ?? '');
  } else {
    return false;
  }
  return true;
}

/** Sets artifacts on a volume. */
export function setVolume(release: Release, persistence?: Code, folder?: string): void {
  const fields = { persistence, defaultArtifactsDestination: textOf(folder) };
  const options =
    persistence === undefined && folder === undefined ? [] : [struct(mlflow('VolumeArtifactsProps'), fields)];
  release.set('artifactRoot', create(mlflow('VolumeArtifacts'), ...options));
}

function accessOf(isProxied: boolean): Code | undefined {
  return isProxied ? undefined : member(mlflow('ArtifactAccess'), 'DIRECT');
}

function noteAccess(release: Release, keys: readonly string[], isProxied: boolean): void {
  release.note(
    'changed',
    keys,
    isProxied
      ? 'Clients go through the server. Large files travel by URLs that the server signs, which clients must be able to reach: `transfers` says otherwise.'
      : 'Clients write to the store themselves, with credentials of their own, as before: ArtifactAccess.DIRECT. Without it, new experiments go through the server.',
  );
}

function jsonOf(text: string | undefined): Record<string, string> | undefined {
  try {
    const parsed: unknown = text === undefined ? undefined : JSON.parse(text);
    return isData(parsed)
      ? Object.fromEntries(Object.entries(parsed).map(([key, each]) => [key, String(each)]))
      : undefined;
  } catch {
    return undefined;
  }
}

function textOf(text: string | undefined): Code | undefined {
  return text === undefined || text === '' ? undefined : value(text);
}
