import { Cron, Duration, Size, Testing } from 'cdk8s';
import { EnvValue, ServiceAccount } from 'cdk8s-plus-28';
import {
  ArtifactAccess,
  ArtifactTransfers,
  AwsIdentity,
  AzureBlobArtifacts,
  type AzureBlobArtifactsProps,
  AzureBlobCredentials,
  AzureIdentity,
  FileSource,
  GcsArtifacts,
  type GcsArtifactsProps,
  GoogleIdentity,
  type IArtifactStore,
  MlflowGarbageCollection,
  S3Addressing,
  S3Artifacts,
  type S3ArtifactsProps,
  VolumeArtifacts,
} from 'cdk8s-mlflow';

import { chart, container, env, only, podOf, server, serverManifests } from '../support/synth';

const s3: S3ArtifactsProps = { bucket: 'models', identity: AwsIdentity.fromSecretName('s3') };
const gcs: GcsArtifactsProps = { bucket: 'models', identity: GoogleIdentity.fromSecretName('gcs') };
const azure: AzureBlobArtifactsProps = {
  account: 'mlstore',
  container: 'models',
  credentials: AzureBlobCredentials.fromAccessKey('azure'),
};

test('where artifacts go, and where clients go themselves', () => {
  const uris = (store: IArtifactStore): unknown[] => {
    const mlflow = container(serverManifests({ artifactRoot: store }), 'mlflow');
    const destination = mlflow.args.find((each: string) => each.startsWith('--artifacts-destination='));
    return [destination.split('=')[1], env(mlflow).MLFLOW_DEFAULT_ARTIFACT_ROOT];
  };
  const proxied = 'mlflow-artifacts:/';
  const access = ArtifactAccess.DIRECT;
  const azureUri = 'wasbs://models@mlstore.blob.core.windows.net/a';
  expect(uris(new S3Artifacts({ ...s3, prefix: 'a/b' }))).toEqual(['s3://models/a/b', proxied]);
  expect(uris(new S3Artifacts({ ...s3, prefix: 'a/b', access }))).toEqual(['s3://models/a/b', 's3://models/a/b']);
  expect(uris(new GcsArtifacts(gcs))).toEqual(['gs://models', proxied]);
  expect(uris(new GcsArtifacts({ ...gcs, access }))).toEqual(['gs://models', 'gs://models']);
  expect(uris(new AzureBlobArtifacts({ ...azure, prefix: 'a' }))).toEqual([azureUri, proxied]);
  expect(uris(new AzureBlobArtifacts({ ...azure, prefix: 'a', access }))).toEqual([azureUri, azureUri]);
});

test('S3: all of it', () => {
  const manifests = serverManifests({
    artifactRoot: new S3Artifacts({
      bucket: 'models',
      identity: AwsIdentity.fromSecretName('minio', { accessKeyIdKey: 'user', secretAccessKeyKey: 'password' }),
      region: 'eu-central-1',
      endpoint: 'https://minio.storage.svc:9000',
      addressing: S3Addressing.PATH,
      ca: FileSource.fromConfigMap('minio-ca', 'ca.pem'),
      uploadExtraArgs: { ServerSideEncryption: 'aws:kms', SSEKMSKeyId: 'key' },
    }),
  });
  expect(env(container(manifests, 'mlflow'))).toMatchObject({
    AWS_ACCESS_KEY_ID: { secretKeyRef: { name: 'minio', key: 'user' } },
    AWS_SECRET_ACCESS_KEY: { secretKeyRef: { name: 'minio', key: 'password' } },
    AWS_DEFAULT_REGION: 'eu-central-1',
    MLFLOW_S3_ENDPOINT_URL: 'https://minio.storage.svc:9000',
    MLFLOW_BOTO_CLIENT_ADDRESSING_STYLE: 'path',
    AWS_CA_BUNDLE: '/etc/artifacts-ca/ca.crt',
    MLFLOW_S3_UPLOAD_EXTRA_ARGS: '{"ServerSideEncryption":"aws:kms","SSEKMSKeyId":"key"}',
  });
  expect(podOf(manifests).volumes).toContainEqual({
    name: 'artifacts-ca',
    configMap: { name: 'minio-ca', items: [{ key: 'ca.pem', path: 'ca.crt', mode: 0o440 }] },
  });
});

test('how long transfers may take, in the variables of MLflow', () => {
  const transfers = (store: IArtifactStore): Record<string, string> =>
    Object.fromEntries(
      Object.entries(env(container(serverManifests({ artifactRoot: store }), 'mlflow'))).filter(([name]) =>
        /PRESIGNED|TIMEOUT$|CHUNK/.test(name),
      ),
    );
  const transferTimeout = Duration.hours(1);
  const [uploadChunkSize, downloadChunkSize] = [Size.kibibytes(256), Size.mebibytes(8)];
  expect(transfers(new S3Artifacts({ ...s3, signedUrlLifetime: Duration.days(7) }))).toMatchObject({
    MLFLOW_PRESIGNED_DOWNLOAD_URL_TTL_SECONDS: '604800',
  });
  expect(transfers(new GcsArtifacts({ ...gcs, transferTimeout, uploadChunkSize, downloadChunkSize }))).toMatchObject({
    MLFLOW_ARTIFACT_UPLOAD_DOWNLOAD_TIMEOUT: '3600',
    MLFLOW_GCS_UPLOAD_CHUNK_SIZE: '262144',
    MLFLOW_GCS_DOWNLOAD_CHUNK_SIZE: '8388608',
  });
  expect(transfers(new AzureBlobArtifacts({ ...azure, transferTimeout }))).toMatchObject({
    MLFLOW_ARTIFACT_UPLOAD_DOWNLOAD_TIMEOUT: '3600',
  });
  for (const store of [new S3Artifacts(s3), new GcsArtifacts(gcs), new AzureBlobArtifacts(azure)]) {
    expect(Object.keys(transfers(store)).filter((name) => name.startsWith('MLFLOW'))).toEqual([]);
  }
});

test('how files travel, for each store', () => {
  const image = 'ghcr.io/mlflow/mlflow:v3.18.0-full';
  const rendered = (artifactRoot: IArtifactStore): unknown[] => {
    const mlflow = container(serverManifests({ artifactRoot, image }), 'mlflow');
    const { MLFLOW_ENABLE_PROXY_MULTIPART_UPLOAD: upload, MLFLOW_ENABLE_PROXY_MULTIPART_DOWNLOAD: download } =
      env(mlflow);
    return [upload, download, mlflow.args.includes('--artifacts-presigned-only')];
  };
  const [signed, through, mlflowDefault] = [
    ['true', 'true', false],
    ['false', 'false', false],
    [undefined, undefined, false],
  ];
  const transfers = ArtifactTransfers.throughServer();
  expect(rendered(new S3Artifacts(s3))).toEqual(signed);
  expect(rendered(new S3Artifacts({ ...s3, transfers: ArtifactTransfers.signedUrls() }))).toEqual(signed);
  expect(rendered(new S3Artifacts({ ...s3, transfers }))).toEqual(through);
  expect(rendered(new S3Artifacts({ ...s3, transfers: ArtifactTransfers.signedUrlsOnly() }))).toEqual([
    'true',
    'true',
    true,
  ]);
  const customerKey = { SSECustomerKey: 'k', SSECustomerAlgorithm: 'AES256' };
  expect(rendered(new S3Artifacts({ ...s3, uploadExtraArgs: customerKey }))).toEqual(mlflowDefault);
  expect(rendered(new GcsArtifacts(gcs))).toEqual(signed);
  expect(rendered(new GcsArtifacts({ ...gcs, transfers }))).toEqual(through);
  expect(rendered(new GcsArtifacts({ ...gcs, identity: GoogleIdentity.ambient() }))).toEqual(mlflowDefault);
  expect(rendered(new AzureBlobArtifacts(azure))).toEqual(signed);
  expect(rendered(new AzureBlobArtifacts({ ...azure, transfers }))).toEqual(through);
  expect(rendered(new VolumeArtifacts())).toEqual(mlflowDefault);
});

test('a garbage collection transfers nothing', () => {
  const scope = chart();
  new MlflowGarbageCollection(scope, 'gc', {
    server: server(scope, { artifactRoot: new S3Artifacts(s3) }),
    schedule: Cron.daily(),
    olderThan: Duration.days(30),
  });
  const pod = only(Testing.synth(scope), 'CronJob').spec.jobTemplate.spec.template.spec;
  const [variables] = pod.containers.map(env);
  expect(Object.keys(variables).filter((name) => name.includes('MULTIPART'))).toEqual([]);
});

test.each<{ version: string; artifactRoot: IArtifactStore; message: string; extraEnvVars?: Record<string, EnvValue> }>([
  {
    version: '3.18.0',
    artifactRoot: new S3Artifacts({
      ...s3,
      uploadExtraArgs: { SSECustomerKey: 'k' },
      transfers: ArtifactTransfers.signedUrls(),
    }),
    message:
      'signedUrls() with the upload argument SSECustomerKey: clients would learn the key. Leave it out and set the argument in `artifactRoot.uploadExtraArgs`, or encrypt with a key that the store keeps.',
  },
  {
    version: '3.18.0',
    artifactRoot: new S3Artifacts(s3),
    message:
      'signedUrls() with the upload argument SSECustomerKey: clients would learn the key. Leave it out and set the argument in `artifactRoot.uploadExtraArgs`, or encrypt with a key that the store keeps.',
    extraEnvVars: { MLFLOW_S3_UPLOAD_EXTRA_ARGS: EnvValue.fromValue('{"SSECustomerKey": "k"}') },
  },
  {
    version: '3.18.0',
    artifactRoot: new S3Artifacts({
      ...s3,
      uploadExtraArgs: { ChecksumAlgorithm: 'SHA256' },
      transfers: ArtifactTransfers.signedUrlsOnly(),
    }),
    message:
      'signedUrlsOnly() with the upload argument ChecksumAlgorithm: MLflow signs no such uploads. Leave out one of them.',
  },
  {
    version: '3.18.0',
    artifactRoot: new GcsArtifacts({ ...gcs, transfers: ArtifactTransfers.signedUrlsOnly() }),
    message:
      'signedUrlsOnly() with gs://models: MLflow signs downloads from S3 only. Use ArtifactTransfers.signedUrls().',
  },
  {
    version: '3.18.0',
    artifactRoot: new AzureBlobArtifacts({ ...azure, transfers: ArtifactTransfers.signedUrlsOnly() }),
    message:
      'signedUrlsOnly() with wasbs://models@mlstore.blob.core.windows.net: MLflow signs downloads from S3 only. Use ArtifactTransfers.signedUrls().',
  },
  {
    version: '3.17.2',
    artifactRoot: new S3Artifacts({ ...s3, transfers: ArtifactTransfers.signedUrlsOnly() }),
    message: 'signedUrlsOnly() with MLflow 3.17, which has no such option. Use MLflow 3.18 or later.',
  },
  {
    version: '3.17.2',
    artifactRoot: new S3Artifacts({ ...s3, transfers: ArtifactTransfers.throughServer() }),
    message:
      'throughServer() with MLflow 3.17, which offers signed URLs to every client. Use MLflow 3.18 or later, or leave it out and set MLFLOW_ENABLE_PROXY_MULTIPART_UPLOAD=false and MLFLOW_ENABLE_PROXY_MULTIPART_DOWNLOAD=false for the clients.',
  },
  {
    version: '3.18.0',
    artifactRoot: new GcsArtifacts({
      ...gcs,
      identity: GoogleIdentity.fromServiceAccount('mlflow@project.iam.gserviceaccount.com'),
      transfers: ArtifactTransfers.signedUrls(),
    }),
    message:
      'signedUrls() with GoogleIdentity.fromServiceAccount(): MLflow signs by the key of a key file, and large uploads would fail. Leave it out, or use GoogleIdentity.fromSecretName().',
  },
])('MLflow $version, $#: refuses transfers that cannot be', ({ version, artifactRoot, message, ...props }) => {
  const image = `ghcr.io/mlflow/mlflow:v${version}-full`;
  expect(() => serverManifests({ artifactRoot, image, ...props })).toThrow(
    new Error(`[chart/mlflow] \`artifactRoot.transfers\` must not be ArtifactTransfers.${message}`),
  );
});

test('what an image does not say is not refused, nor what older clients decide', () => {
  const manifests = (image: string, transfers: ArtifactTransfers) =>
    serverManifests({ image, artifactRoot: new S3Artifacts({ ...s3, transfers }) });
  for (const image of [`mlflow@sha256:${'0'.repeat(64)}`, 'registry.example/team/tracking:3.1', 'mlflow:v4.0.0']) {
    manifests(image, ArtifactTransfers.signedUrlsOnly());
    manifests(image, ArtifactTransfers.throughServer());
  }
  manifests('ghcr.io/mlflow/mlflow:v3.14.0', ArtifactTransfers.throughServer());
});

test('S3: TLS is given up only when said', () => {
  const ignoring = (ignoreTls?: boolean) =>
    env(container(serverManifests({ artifactRoot: new S3Artifacts({ ...s3, ignoreTls }) }), 'mlflow'));
  expect(ignoring(true).MLFLOW_S3_IGNORE_TLS).toBe('true');
  expect(ignoring()).not.toHaveProperty('MLFLOW_S3_IGNORE_TLS');
});

test('workload identities are annotations of the ServiceAccount, and need no Secret', () => {
  const annotations = (artifactRoot: IArtifactStore) => {
    const manifests = serverManifests({ artifactRoot });
    return [
      only(manifests, 'ServiceAccount').metadata.annotations,
      Object.keys(env(container(manifests, 'mlflow'))).filter((name) => /AWS|AZURE|GOOGLE/.test(name)),
    ];
  };
  const role = 'arn:aws:iam::123456789012:role/mlflow';
  const account = 'mlflow@project.iam.gserviceaccount.com';
  expect(annotations(new S3Artifacts({ ...s3, identity: AwsIdentity.fromRole(role) }))).toEqual([
    { 'eks.amazonaws.com/role-arn': role },
    [],
  ]);
  expect(annotations(new GcsArtifacts({ ...gcs, identity: GoogleIdentity.fromServiceAccount(account) }))).toEqual([
    { 'iam.gke.io/gcp-service-account': account },
    [],
  ]);
  const client = new AzureBlobArtifacts({
    ...azure,
    credentials: AzureBlobCredentials.fromIdentity(AzureIdentity.fromClientId('0123')),
  });
  expect(annotations(client)).toEqual([{ 'azure.workload.identity/client-id': '0123' }, []]);
  const pod = only(serverManifests({ artifactRoot: client }), 'Deployment').spec.template.metadata;
  expect(pod.labels).toMatchObject({ 'azure.workload.identity/use': 'true' });
  expect(annotations(new S3Artifacts({ ...s3, identity: AwsIdentity.ambient() }))).toEqual([undefined, []]);
});

test('GCS: the key is a file', () => {
  const manifests = serverManifests({ artifactRoot: new GcsArtifacts(gcs) });
  expect(env(container(manifests, 'mlflow')).GOOGLE_APPLICATION_CREDENTIALS).toBe('/etc/artifacts-key/key.json');
  expect(podOf(manifests).volumes).toContainEqual({
    name: 'artifacts-key',
    secret: { secretName: 'gcs', items: [{ key: 'key.json', path: 'key.json', mode: 0o440 }] },
  });
});

test('Azure: a connection string or a key', () => {
  const variables = (credentials: AzureBlobCredentials) =>
    env(container(serverManifests({ artifactRoot: new AzureBlobArtifacts({ ...azure, credentials }) }), 'mlflow'));
  expect(variables(AzureBlobCredentials.fromConnectionString('a', 'k')).AZURE_STORAGE_CONNECTION_STRING).toEqual({
    secretKeyRef: { name: 'a', key: 'k' },
  });
  expect(variables(AzureBlobCredentials.fromAccessKey('a')).AZURE_STORAGE_ACCESS_KEY).toEqual({
    secretKeyRef: { name: 'a', key: 'AZURE_STORAGE_ACCESS_KEY' },
  });
});

const objectName = 'must be the name of a Kubernetes object (lower-case letters, digits, dashes and dots)';

test.each<[IArtifactStore, string]>([
  [
    new S3Artifacts({ ...s3, signedUrlLifetime: Duration.days(8) }),
    '`artifactRoot.signedUrlLifetime` must be 7 days at most, got "8 days".',
  ],
  [
    new S3Artifacts({ ...s3, signedUrlLifetime: Duration.millis(1) }),
    '`artifactRoot.signedUrlLifetime` must be a whole number of seconds from 1, got 0.001.',
  ],
  [
    new GcsArtifacts({ ...gcs, uploadChunkSize: Size.kibibytes(255) }),
    '`artifactRoot.uploadChunkSize` must be a multiple of 256 KiB, got "255 KiB".',
  ],
  [
    new GcsArtifacts({ ...gcs, downloadChunkSize: Size.mebibytes(0.1) }),
    '`artifactRoot.downloadChunkSize` must be a multiple of 256 KiB, got "102.4 KiB".',
  ],
  [
    new GcsArtifacts({ ...gcs, transferTimeout: Duration.seconds(0) }),
    '`artifactRoot.transferTimeout` must be a whole number of seconds from 1, got 0.',
  ],
  [
    new AzureBlobArtifacts({ ...azure, transferTimeout: Duration.seconds(0) }),
    '`artifactRoot.transferTimeout` must be a whole number of seconds from 1, got 0.',
  ],
  [
    new S3Artifacts({ ...s3, bucket: 's3://models' }),
    '`artifactRoot.bucket` must be the name of a bucket, without s3://, got "s3://models".',
  ],
  [
    new S3Artifacts({ ...s3, prefix: '/a' }),
    '`artifactRoot.prefix` must be a folder without a slash at its ends, got "/a".',
  ],
  [
    new S3Artifacts({ ...s3, endpoint: 'minio:9000' }),
    '`artifactRoot.endpoint` must be a URL with scheme and without path, got "minio:9000".',
  ],
  [
    new S3Artifacts({ ...s3, ignoreTls: true, ca: FileSource.fromSecret('ca', 'ca.crt') }),
    '`artifactRoot.ignoreTls` must not be set with `ca`: one trusts any certificate, the other only those of a CA. Leave one of them out.',
  ],
  [
    new S3Artifacts({ ...s3, ca: FileSource.fromSecret('CA', 'ca.crt') }),
    `\`artifactRoot.ca\` ${objectName}, got "CA".`,
  ],
  [
    new S3Artifacts({ ...s3, identity: AwsIdentity.fromRole('mlflow') }),
    '`artifactRoot.identity` must be the ARN of a role (arn:aws:iam::123456789012:role/name), got "mlflow".',
  ],
  [
    new GcsArtifacts({ ...gcs, bucket: 'gs://x' }),
    '`artifactRoot.bucket` must be the name of a bucket, without gs://, got "gs://x".',
  ],
  [
    new GcsArtifacts({ ...gcs, identity: GoogleIdentity.fromServiceAccount('me') }),
    '`artifactRoot.identity` must be a Google service account (name@project.iam.gserviceaccount.com), got "me".',
  ],
  [
    new AzureBlobArtifacts({ ...azure, account: 'A' }),
    '`artifactRoot.account` must be the name of a storage account, got "A".',
  ],
  [
    new AzureBlobArtifacts({ ...azure, container: 'a--b' }),
    '`artifactRoot.container` must be the name of a container, got "a--b".',
  ],
  [
    new AzureBlobArtifacts({ ...azure, credentials: AzureBlobCredentials.fromAccessKey('A') }),
    `\`artifactRoot.credentials\` ${objectName}, got "A".`,
  ],
])('%#: refuses what cannot be', (artifactRoot, message) => {
  expect(() => serverManifests({ artifactRoot })).toThrow(new Error(`[chart/mlflow] ${message}`));
});

test('an identity on somebody else’s ServiceAccount, or a second value, is an error', () => {
  const scope = chart();
  const serviceAccount = ServiceAccount.fromServiceAccountName(scope, 'sa', 'own');
  const identity = AwsIdentity.fromRole('arn:aws:iam::123456789012:role/mlflow');
  expect(() => server(scope, { serviceAccount, artifactRoot: new S3Artifacts({ ...s3, identity }) })).toThrow(
    new Error(
      '[chart/mlflow] `serviceAccount` must not be set if `artifactRoot` has an identity for the ServiceAccount. Leave it out, or annotate your own ServiceAccount and give `artifactRoot` ambient credentials.',
    ),
  );
  const extraEnvVars = { AWS_ACCESS_KEY_ID: EnvValue.fromValue('x') };
  expect(() => serverManifests({ artifactRoot: new S3Artifacts(s3), extraEnvVars })).toThrow(
    new Error(
      '[chart/mlflow] `extraEnvVars.AWS_ACCESS_KEY_ID` must not be set: the library sets it itself. Use `artifactRoot`.',
    ),
  );
  expect(Testing.synth(chart())).toEqual([]);
});
