import { setAzure, setGcs, setS3, setStoreOfUri, setVolume } from '../../parts/artifacts';
import { awsKeys, neededAwsKeys, neededAzureKey } from '../../parts/identities';
import { call, mlflow, value } from '../../../code/code';
import { claim } from '../../parts/pod';
import type { Release } from '../../release';
import type { Rule } from '../../rule';
import type { Values } from '../../values';
import { isData, plain } from '../../data';

const MINIO =
  'The library makes no object store in the cluster: run MinIO on its own, keep its volume (the chart would remove it), and give S3Artifacts its address as `endpoint`.';

/** The artifacts. */
export const ARTIFACT_RULES: readonly Rule[] = [
  {
    keys: 'artifactRoot.{proxiedArtifactStorage,defaultArtifactRoot,defaultArtifactsDestination,s3.{enabled,bucket,path,awsAccessKeyId,awsSecretAccessKey,existingSecret.{name,keyOfAccessKeyId,keyOfSecretAccessKey}},gcs.{enabled,bucket,path},azureBlob.{enabled,container,storageAccount,path,connectionString,accessKey}}',
    convert: (values, release) => {
      const at = (key: string): string => `artifactRoot.${key}`;
      const hasFlag = release.arguments.take('--serve-artifacts') !== undefined;
      const isProxied = values.flag(at('proxiedArtifactStorage')) || hasFlag;
      const kind = ['azureBlob', 's3', 'gcs'].find((each) => values.flag(at(`${each}.enabled`)));
      const root =
        release.arguments.take('--default-artifact-root') ??
        release.environment.takeText('MLFLOW_DEFAULT_ARTIFACT_ROOT');
      const destination =
        release.arguments.take('--artifacts-destination') ??
        release.environment.takeText('MLFLOW_ARTIFACTS_DESTINATION');
      const text = (key: string): string | undefined => values.text(at(key));
      if (kind === undefined) {
        const uri =
          destination ??
          root ??
          (isProxied ? text('defaultArtifactsDestination') : undefined) ??
          text('defaultArtifactRoot') ??
          '';
        values.any(at('defaultArtifactRoot'));
        if (!setStoreOfUri(release, ['artifactRoot'], uri, isProxied || destination !== undefined)) {
          if (values.flag('minio.enabled')) {
            setMinio(values, release, true);
          } else {
            setLocal(values, release, uri);
          }
        }
        return;
      }
      const keys = [at(kind)];
      const missing = values.text(at(kind === 'azureBlob' ? 'azureBlob.container' : `${kind}.bucket`)) === undefined;
      if (missing) {
        release.note('to do', keys, 'The values name no bucket: put it into the app.');
      }
      const from = { secret: `${release.names.server}-env-secret`, key: '' };
      if (kind === 's3') {
        const name = text('s3.existingSecret.name');
        const hasKeys = [text('s3.awsAccessKeyId'), text('s3.awsSecretAccessKey')].every((each) => each !== undefined);
        const idKey = text('s3.existingSecret.keyOfAccessKeyId');
        const secretKey = text('s3.existingSecret.keyOfSecretAccessKey');
        const identity =
          name !== undefined ? awsKeys(name, idKey, secretKey) : hasKeys ? neededAwsKeys(release, from) : undefined;
        if (values.flag('minio.enabled')) {
          setMinio(values, release, isProxied, name === undefined ? undefined : identity);
          return;
        }
        setS3(
          release,
          { keys, bucket: text('s3.bucket') ?? 'mlflow', prefix: folder(text('s3.path')), isProxied },
          { identity },
        );
      } else if (kind === 'gcs') {
        setGcs(
          release,
          { keys, bucket: text('gcs.bucket') ?? 'mlflow', prefix: folder(text('gcs.path')), isProxied },
          googleKey(values, release),
        );
      } else {
        const connection = text('azureBlob.connectionString');
        const accessKey = text('azureBlob.accessKey');
        const variable =
          connection !== undefined
            ? 'AZURE_STORAGE_CONNECTION_STRING'
            : accessKey !== undefined
              ? 'AZURE_STORAGE_ACCESS_KEY'
              : undefined;
        const credentials = variable && neededAzureKey(release, variable, { ...from, key: variable });
        setAzure(
          release,
          { keys, bucket: text('azureBlob.container') ?? 'mlflow', prefix: folder(text('azureBlob.path')), isProxied },
          text('azureBlob.storageAccount') ?? 'account',
          credentials,
        );
      }
    },
  },
  { keys: 'minio.{enabled,buckets,rootUser,rootPassword,existingSecret}', convert: () => undefined },
  { keys: 'minio.**', doInstead: MINIO },
];

/** Volumes of the pod that the app mounts by itself. */
export function takenVolumes(values: Values): string[] {
  const volume = artifactVolume(values);
  return [...(volume === undefined ? [] : [volume.name]), ...(googleKeyVolume(values)?.names ?? [])];
}

/** MinIO of the chart's sub-chart. */
function setMinio(values: Values, release: Release, isProxied: boolean, own?: ReturnType<typeof awsKeys>): void {
  const bucket = values.text('artifactRoot.s3.bucket') ?? values.maps('minio.buckets')[0]?.name;
  values.any('minio.rootUser');
  values.any('minio.rootPassword');
  const existing = values.text('minio.existingSecret');
  const identity =
    own ?? (existing === undefined ? neededAwsKeys(release) : awsKeys(existing, 'rootUser', 'rootPassword'));
  const endpoint = `http://${release.names.release}-minio:9000`;
  setS3(
    release,
    { keys: ['minio'], bucket: typeof bucket === 'string' ? bucket : 'mlflow', isProxied },
    { identity, endpoint },
  );
  release.note('to do', 'minio', MINIO);
}

/** Artifacts in the file system of the pod, or on a claim that is mounted there. */
function setLocal(values: Values, release: Release, path: string): void {
  const volume = artifactVolume(values);
  if (volume === undefined) {
    setVolume(release);
    release.note(
      'changed',
      'artifactRoot',
      'The chart kept artifacts in the pod, where each restart lost them, or on the disks of clients. The app keeps them on a claim of 10 GiB, which clients reach through the server: VolumeArtifacts, or an object store.',
    );
    return;
  }
  const inside = path.startsWith(`${volume.mountPath}/`)
    ? path.slice(volume.mountPath.length + 1).replace(/\/+$/, '')
    : undefined;
  release.artifactClaim = volume.claimName;
  setVolume(release, claim({ existing: volume.claimName }), inside);
  release.note(
    'changed',
    ['extraVolumes', 'artifactRoot'],
    `Clients reach the claim ${volume.claimName} through the server. Experiments that the database has already have paths of the old pod: ArtifactRelocation or SqliteImport rewrite them (docs/moving-in.md).`,
  );
}

interface MountedClaim {
  readonly name: string;
  readonly claimName: string;
  readonly mountPath: string;
}

/** The claim among the extra volumes that the artifacts are on. */
function artifactVolume(values: Values): MountedClaim | undefined {
  const mounts = values.maps('extraVolumeMounts');
  const claims = values.maps('extraVolumes').flatMap((volume): MountedClaim[] => {
    const mount = mounts.find(({ name }) => name === volume.name);
    const source = volume.persistentVolumeClaim;
    const path = mount?.mountPath;
    return isData(source) && typeof source.claimName === 'string' && typeof path === 'string'
      ? [{ name: String(volume.name), claimName: source.claimName, mountPath: path.replace(/\/+$/, '') }]
      : [];
  });
  const roots = [
    values.text('artifactRoot.defaultArtifactRoot'),
    values.text('artifactRoot.defaultArtifactsDestination'),
  ];
  const isObjectStore = ['azureBlob', 's3', 'gcs'].some((each) => values.flag(`artifactRoot.${each}.enabled`));
  return isObjectStore
    ? undefined
    : claims.find(({ mountPath }) =>
        roots.some((root) => root === mountPath || root?.startsWith(`${mountPath}/`) === true),
      );
}

/** The key file of a Google service account, which users of the chart mount themselves. */
function googleKeyVolume(
  values: Values,
): { readonly secretName: string; readonly key: string; readonly names: string[] } | undefined {
  const path = plain(values.map('extraEnvVars').GOOGLE_APPLICATION_CREDENTIALS);
  const mount = values
    .maps('extraVolumeMounts')
    .find(({ mountPath }) => typeof mountPath === 'string' && path.startsWith(mountPath));
  const volume = values.maps('extraVolumes').find(({ name }) => mount !== undefined && name === mount.name);
  if (path === '' || volume === undefined || !isData(volume.secret)) {
    return undefined;
  }
  return {
    secretName: String(volume.secret.secretName),
    key: path.split('/').at(-1) ?? 'key.json',
    names: [String(volume.name)],
  };
}

function googleKey(values: Values, release: Release): ReturnType<typeof call> | undefined {
  const volume = googleKeyVolume(values);
  if (volume === undefined) {
    return undefined;
  }
  release.environment.take('GOOGLE_APPLICATION_CREDENTIALS');
  const key = volume.key === 'key.json' ? [] : [value(volume.key)];
  return call(mlflow('GoogleIdentity'), 'fromSecretName', value(volume.secretName), ...key);
}

function folder(path: string | undefined): string | undefined {
  const trimmed = path?.replace(/^\/+|\/+$/g, '');
  return trimmed === '' ? undefined : trimmed;
}
