import { call, mlflow, type Code, value } from '../../../code/code';

import { setAzure, setGcs, setS3, setVolume } from '../../parts/artifacts';
import { awsKeys, neededAwsKeys, neededAzureKey } from '../../parts/identities';
import { setBitnamiPostgres } from '../../parts/bitnami-postgres';
import { setMissingPostgres, setPostgres } from '../../parts/database';
import { claim } from '../../parts/pod';
import { quantity, size } from '../../parts/quantities';
import type { Release } from '../../release';
import type { Rule } from '../../rule';
import type { Values } from '../../values';
import { shortened } from '../../chart';
import { POSTGRESQL_RULES } from '../postgresql-rules';

const MINIO =
  'The library makes no object store in the cluster. Keep the MinIO of the release (its Deployment and its claim, under Helm or by itself): the app uses it at its address. Another bucket is a matter of ArtifactRelocation.';

/** Database and artifacts. */
export const STORE_RULES: readonly Rule[] = [
  {
    keys: '{postgresql.enabled,externalDatabase.{host,port,user,password,database,existingSecret,existingSecretPasswordKey}}',
    convert: (values, release) => {
      setDatabase(values, release);
    },
  },
  { keys: 'externalDatabase.dialectDriver', leaveOut: 'psycopg2, as everywhere.' },
  {
    keys: 'global.{defaultStorageClass,storageClass,postgresql.auth.{username,database,existingSecret},postgresql.service.ports.postgresql}',
    convert: () => undefined,
  },
  {
    keys: 'global.postgresql.**',
    leaveOut: 'Passwords are in a Secret, by name: the comment of the app says how to make it.',
  },
  ...POSTGRESQL_RULES('postgresql'),
  {
    keys: '{minio.{enabled,defaultBuckets,auth.existingSecret,tls.enabled,service.ports.api},externalS3.{host,port,protocol,bucket,useCredentialsInSecret,accessKeyID,accessKeySecret,existingSecret,existingSecretAccessKeyIDKey,existingSecretKeySecretKey,serveArtifacts},externalGCS.{bucket,useCredentialsInSecret,existingSecret,existingSecretKey,serveArtifacts},externalAzureBlob.{storageAccount,containerName,accessKey,connectionString,useCredentialsInSecret,existingSecret,existingAccessKeyKey,existingConnectionStringKey,clientId,serveArtifacts},tracking.persistence.{enabled,mountPath,storageClass,accessModes,size,existingClaim}}',
    convert: (values, release) => {
      setArtifacts(values, release);
    },
  },
  {
    keys: 'externalGCS.googleCloudProject',
    doInstead: 'Set GOOGLE_CLOUD_PROJECT in `extraEnvVars`, if the credentials do not name it.',
  },
  {
    keys: 'externalAzureBlob.{tenantId,clientSecret,clientSecretKey}',
    doInstead:
      'AzureBlobCredentials takes a workload identity, an access key or a connection string; a client secret comes as AZURE_CLIENT_ID, AZURE_TENANT_ID and AZURE_CLIENT_SECRET in `extraEnvVars`.',
  },
  { keys: 'minio.**', doInstead: MINIO },
  {
    keys: 'tracking.persistence.{subPath,labels,annotations,selector,dataSource}',
    doInstead: '`Persistence.existingClaim(name)` takes a claim that you have made as you want it.',
  },
];

function setDatabase(values: Values, release: Release): void {
  const at = (key: string): string => `externalDatabase.${key}`;
  if (values.flag('postgresql.enabled', true)) {
    release.databaseUser = 'bn_mlflow';
    release.databaseName = 'bitnami_mlflow';
    const { release: name } = release.names;
    const id = name.includes('postgresql') ? name : shortened(`${name}-postgresql`);
    const database = values.text('postgresql.auth.database') ?? release.databaseName;
    // The chart's script makes the database of the users in the same way.
    const scripts: Record<string, string> = values.flag('tracking.auth.enabled', true)
      ? { 'create-auth-database.sql': `CREATE DATABASE "${database}_auth";\n` }
      : {};
    setBitnamiPostgres(values, release, 'postgresql', id, scripts);
    return;
  }
  const host = values.text(at('host'));
  if (host === undefined) {
    setMissingPostgres(
      release,
      ['postgresql.enabled'],
      'The chart kept runs in files on its volume, without a database. SqliteImport moves them into PostgreSQL (docs/moving-in.md).',
    );
    return;
  }
  const existing = values.text(at('existingSecret'));
  const passwordKey = values.text(at('existingSecretPasswordKey')) ?? 'db-password';
  const chartSecret = existing ?? `${release.names.server.replace(/-tracking$/, '')}-externaldb`;
  setPostgres(release, {
    keys: ['externalDatabase'],
    host,
    port: values.whole(at('port')),
    database: values.text(at('database')) ?? 'bitnami_mlflow',
    user: values.text(at('user')) ?? 'bn_mlflow',
    hasPassword: values.any(at('password')) !== undefined,
    chartSecret: { secret: chartSecret, passwordKey },
  });
}

function setArtifacts(values: Values, release: Release): void {
  // The chart looks at the others only without MinIO: they then have no effect.
  const hasMinio = values.flag('minio.enabled', true);
  const s3 = hasMinio ? undefined : values.text('externalS3.host');
  const google = hasMinio ? undefined : values.text('externalGCS.bucket');
  const azure = hasMinio ? undefined : values.text('externalAzureBlob.storageAccount');
  if (hasMinio) {
    setMinio(values, release);
  } else if (s3 !== undefined) {
    setExternalS3(values, release, s3);
  } else if (google !== undefined) {
    const name = values.text('externalGCS.existingSecret');
    const key = values.text('externalGCS.existingSecretKey');
    const hasFile = values.flag('externalGCS.useCredentialsInSecret') && name !== undefined;
    const file = hasFile
      ? call(mlflow('GoogleIdentity'), 'fromSecretName', value(name), ...(key === undefined ? [] : [value(key)]))
      : undefined;
    setGcs(
      release,
      { keys: ['externalGCS'], bucket: google, isProxied: values.flag('externalGCS.serveArtifacts', true) },
      file,
    );
  } else if (azure !== undefined) {
    setExternalAzure(values, release, azure);
  } else {
    setTrackingVolume(values, release);
    return;
  }
  if (values.flag('tracking.persistence.enabled', true)) {
    ['mountPath', 'storageClass', 'accessModes', 'size', 'existingClaim'].forEach((key) =>
      values.any(`tracking.persistence.${key}`),
    );
    release.note(
      'left out',
      'tracking.persistence',
      'With PostgreSQL and an object store, the server keeps nothing on a volume. Its claim remains until you delete it.',
    );
  }
}

function setMinio(values: Values, release: Release): void {
  const { release: name } = release.names;
  const service = name.includes('minio') ? name : shortened(`${name}-minio`);
  const port = values.whole('minio.service.ports.api') ?? 80;
  const scheme = values.flag('minio.tls.enabled') ? 'https' : 'http';
  const isUsual = (scheme === 'http' && port === 80) || (scheme === 'https' && port === 443);
  const bucket = (values.text('minio.defaultBuckets') ?? 'mlflow').split(/[\s,:;]+/)[0] ?? 'mlflow';
  const secret = values.text('minio.auth.existingSecret') ?? service;
  setS3(
    release,
    { keys: ['minio'], bucket, isProxied: values.flag('externalS3.serveArtifacts', true) },
    {
      endpoint: `${scheme}://${service}${isUsual ? '' : `:${String(port)}`}`,
      identity: awsKeys(secret, 'root-user', 'root-password'),
    },
  );
  release.note('to do', 'minio', `${MINIO} Its access key is in the Secret ${secret}.`);
}

function setExternalS3(values: Values, release: Release, host: string): void {
  const at = (key: string): string => `externalS3.${key}`;
  const port = values.whole(at('port')) ?? 443;
  const protocol = values.text(at('protocol')) ?? 'https';
  const isUsual = (protocol === 'http' && port === 80) || (protocol === 'https' && port === 443);
  const existing = values.text(at('existingSecret'));
  const idKey = values.text(at('existingSecretAccessKeyIDKey')) ?? 'root-user';
  const secretKey = values.text(at('existingSecretKeySecretKey')) ?? 'root-password';
  const usesKeys = values.flag(at('useCredentialsInSecret'), true);
  values.any(at('accessKeySecret'));
  const isAmazon = /(^|\.)amazonaws\.com$/.test(host);
  const region = isAmazon ? /s3[.-]([a-z]{2}-[a-z]+-\d)/.exec(host)?.[1] : undefined;
  const hasKeys =
    values.any(at('accessKeyID')) !== undefined || release.environment.get('AWS_ACCESS_KEY_ID') === undefined;
  const keys = !usesKeys
    ? undefined
    : existing !== undefined
      ? awsKeys(existing, idKey, secretKey)
      : // Without keys of their own, the variables of the pod have them.
        hasKeys
        ? neededAwsKeys(release)
        : undefined;
  const bucket = values.text(at('bucket'));
  if (bucket === undefined) {
    release.note('to do', at('bucket'), 'The values name no bucket: put it into the app.');
  }
  setS3(
    release,
    { keys: ['externalS3'], bucket: bucket ?? 'mlflow', isProxied: values.flag(at('serveArtifacts'), true) },
    {
      region,
      endpoint: isAmazon ? undefined : `${protocol}://${host}${isUsual ? '' : `:${String(port)}`}`,
      identity: keys,
    },
  );
}

function setExternalAzure(values: Values, release: Release, account: string): void {
  const at = (key: string): string => `externalAzureBlob.${key}`;
  const existing = values.text(at('existingSecret'));
  const connectionKey = values.text(at('existingConnectionStringKey'));
  const accessKey = values.text(at('existingAccessKeyKey'));
  const clientId = values.text(at('clientId'));
  const hasConnection = values.any(at('connectionString')) !== undefined;
  const hasKey = values.any(at('accessKey')) !== undefined;
  const usesSecret = values.flag(at('useCredentialsInSecret'));
  const factory = (name: string, ...args: Code[]): Code => call(mlflow('AzureBlobCredentials'), name, ...args);
  const credentials =
    existing !== undefined && usesSecret
      ? accessKey !== undefined && connectionKey === undefined
        ? factory('fromAccessKey', value(existing), value(accessKey))
        : factory('fromConnectionString', value(existing), value(connectionKey ?? 'connection-string'))
      : hasConnection
        ? neededAzureKey(release, 'AZURE_STORAGE_CONNECTION_STRING')
        : hasKey
          ? neededAzureKey(release, 'AZURE_STORAGE_ACCESS_KEY')
          : clientId !== undefined
            ? factory('fromIdentity', call(mlflow('AzureIdentity'), 'fromClientId', value(clientId)))
            : undefined;
  const container = values.text(at('containerName')) ?? 'mlflow';
  setAzure(
    release,
    { keys: ['externalAzureBlob'], bucket: container, isProxied: values.flag(at('serveArtifacts'), true) },
    account,
    credentials,
  );
}

function setTrackingVolume(values: Values, release: Release): void {
  const at = (key: string): string => `tracking.persistence.${key}`;
  if (!values.flag(at('enabled'), true)) {
    setVolume(release, call(mlflow('Persistence'), 'none'));
    return;
  }
  values.any(at('mountPath'));
  const bytes = quantity(values.text(at('size')) ?? '8Gi');
  if (bytes === undefined) {
    values.problem(at('size'), 'a quantity such as 8Gi', values.text(at('size')));
    return;
  }
  const existing =
    values.text(at('existingClaim')) ?? (release.names.takesOver === true ? release.names.server : undefined);
  release.artifactClaim = existing;
  const persistence = claim({
    existing,
    size: existing === undefined ? size(Math.ceil(bytes / 2 ** 30) * 2 ** 30) : undefined,
    storageClassName: values.text(at('storageClass')) ?? values.text('global.defaultStorageClass'),
    accessModes: values.texts(at('accessModes')),
  });
  setVolume(release, persistence, 'mlartifacts');
}
