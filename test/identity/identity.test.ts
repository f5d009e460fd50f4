import { Testing } from 'cdk8s';
import {
  AwsIdentity,
  AzureBlobArtifacts,
  AzureBlobCredentials,
  AzureIdentity,
  BackupLocation,
  CloudSqlLogin,
  CloudSqlPostgres,
  FileSource,
  GcsArtifacts,
  GoogleIdentity,
  type IArtifactStore,
  NetworkPeer,
  PostgresBackup,
  PostgresTls,
  RdsPostgres,
  S3Artifacts,
} from 'cdk8s-mlflow';

import { edges } from '../support/edges';
import { chart, containerOf, env, type Manifest, only, server, serverManifests } from '../support/synth';

const ROLE = 'arn:aws:iam::123456789012:role/mlflow';
const ACCOUNT = 'mlflow@shop.iam.gserviceaccount.com';
const PRIVATE = { peers: [NetworkPeer.cidr('10.20.0.0/16')] };

/** A server with its artifacts, and a backup of its database, all with one identity. */
function aws(identity: AwsIdentity): { manifests: Manifest[]; serverPod: Manifest; backupPod: Manifest } {
  const scope = chart();
  const backend = new RdsPostgres(scope, 'postgres', {
    host: 'shop.cluster-abc.eu-west-1.rds.amazonaws.com',
    user: 'mlflow',
    identity,
    tls: PostgresTls.verifyFull({ ca: FileSource.fromConfigMap('rds-ca', 'bundle.pem') }),
  });
  const isolation = {};
  server(scope, { backend, artifactRoot: new S3Artifacts({ bucket: 'models', identity }), isolation });
  const target = BackupLocation.s3({ bucket: 'dumps', identity });
  new PostgresBackup(scope, 'backup', { backend, target, isolation });
  const manifests = Testing.synth(scope);
  return {
    manifests,
    serverPod: only(manifests, 'Deployment').spec.template.spec,
    backupPod: only(manifests, 'CronJob').spec.jobTemplate.spec.template.spec,
  };
}

function google(identity: GoogleIdentity): Manifest[] {
  const scope = chart();
  const backend = new CloudSqlPostgres(scope, 'postgres', {
    instanceConnectionName: 'shop:europe-west1:mlflow',
    login: CloudSqlLogin.iam('mlflow@shop.iam'),
    identity,
  });
  server(scope, { backend, artifactRoot: new GcsArtifacts({ bucket: 'models', identity }), isolation: {} });
  return Testing.synth(scope);
}

function annotations(manifests: Manifest[]): unknown[] {
  return manifests.filter((each) => each.kind === 'ServiceAccount').map((each) => each.metadata.annotations);
}

function containersWith(pod: Manifest, variable: string): string[] {
  const all = [...pod.initContainers, ...pod.containers];
  return all.filter((each: Manifest) => variable in env(each)).map((each: Manifest) => each.name);
}

/** Edges to elsewhere than DNS. */
function outward(manifests: Manifest[], name: string): string[] {
  return edges(manifests, name).filter((edge) => /^out (?!53)/.test(edge));
}

describe('one identity for database, artifacts and backups', () => {
  test('is a role of AWS', () => {
    const { manifests, serverPod, backupPod } = aws(AwsIdentity.fromRole(ROLE));
    expect(annotations(manifests)).toEqual([
      { 'eks.amazonaws.com/role-arn': ROLE },
      { 'eks.amazonaws.com/role-arn': ROLE },
    ]);
    for (const pod of [serverPod, backupPod]) {
      expect(containersWith(pod, 'AWS_ACCESS_KEY_ID')).toEqual([]);
    }
    for (const name of ['mlflow', 'backup']) {
      expect(outward(manifests, name)).toEqual(['out 5432/TCP to anybody', 'out 443/TCP to anybody']);
    }
  });

  test('is an access key of AWS, for the containers that use it', () => {
    const { manifests, serverPod, backupPod } = aws(AwsIdentity.fromSecretName('aws'));
    expect(annotations(manifests)).toEqual([undefined, undefined]);
    expect(containersWith(serverPod, 'AWS_ACCESS_KEY_ID')).toEqual(['rds-token', 'mlflow']);
    expect(containersWith(backupPod, 'AWS_SECRET_ACCESS_KEY')).toEqual(['rds-token', 'store']);
  });

  test('is a service account of Google', () => {
    const manifests = google(GoogleIdentity.fromServiceAccount(ACCOUNT));
    expect(annotations(manifests)).toEqual([{ 'iam.gke.io/gcp-service-account': ACCOUNT }]);
    expect(outward(manifests, 'mlflow')).toEqual([
      'out 3307/TCP to anybody',
      'out 443/TCP to anybody',
      'out 80/TCP 988/TCP to 169.254.169.252/32',
      'out 80/TCP 988/TCP to 169.254.169.254/32',
    ]);
  });

  test('is a key file of Google, for the containers that use it', () => {
    const manifests = google(GoogleIdentity.fromSecretName('google'));
    const pod = only(manifests, 'Deployment').spec.template.spec;
    expect(annotations(manifests)).toEqual([undefined]);
    expect(containersWith(pod, 'GOOGLE_APPLICATION_CREDENTIALS')).toEqual(['cloud-sql-proxy', 'mlflow']);
    for (const name of ['cloud-sql-proxy', 'mlflow']) {
      const { GOOGLE_APPLICATION_CREDENTIALS: file } = env(containerOf(pod, name));
      const mount = containerOf(pod, name).volumeMounts.find((each: Manifest) => file.startsWith(each.mountPath));
      const volume = pod.volumes.find((each: Manifest) => each.name === mount.name);
      expect(volume.secret).toEqual({
        secretName: 'google',
        items: [{ key: 'key.json', path: 'key.json', mode: 0o440 }],
      });
      expect(file).toBe(`${mount.mountPath}/key.json`);
    }
    expect(outward(manifests, 'mlflow')).toEqual(['out 3307/TCP to anybody', 'out 443/TCP to anybody']);
  });
});

const s3 = (identity: AwsIdentity): IArtifactStore => new S3Artifacts({ bucket: 'models', identity, route: PRIVATE });
const azure = (credentials: AzureBlobCredentials): IArtifactStore =>
  new AzureBlobArtifacts({ account: 'mlstore', container: 'models', credentials, route: PRIVATE });
const entra = (identity: AzureIdentity): IArtifactStore => azure(AzureBlobCredentials.fromIdentity(identity));

test.each<[string, IArtifactStore, string[]]>([
  ['STS', s3(AwsIdentity.fromRole(ROLE)), ['out 443/TCP to anybody']],
  ['STS at a private endpoint', s3(AwsIdentity.fromRole(ROLE, { stsRoute: PRIVATE })), []],
  [
    'STS at a private endpoint, or the metadata of the node',
    s3(AwsIdentity.ambient({ stsRoute: PRIVATE })),
    [
      'out 80/TCP to 169.254.170.23/32',
      'out 80/TCP to 169.254.169.254/32',
      'out 80/TCP to fd00:ec2::23/128',
      'out 80/TCP to fd00:ec2::254/128',
    ],
  ],
  ['nothing, with an access key of AWS', s3(AwsIdentity.fromSecretName('aws')), []],
  ['Entra ID', entra(AzureIdentity.fromClientId('0123')), ['out 443/TCP to anybody']],
  ['Entra ID at a private endpoint', entra(AzureIdentity.fromClientId('0123', { entraRoute: PRIVATE })), []],
  ['nothing, with an access key of Azure', azure(AzureBlobCredentials.fromAccessKey('azure')), []],
])('isolated pods reach, besides a store at a private endpoint, %s', (_, artifactRoot, expected) => {
  const manifests = serverManifests({ artifactRoot, isolation: {} });
  expect(outward(manifests, 'mlflow').slice(1)).toEqual(['out 443/TCP to 10.20.0.0/16', ...expected]);
});

test('an ambient identity of Azure labels the pods, whose ServiceAccount has the annotation', () => {
  const manifests = serverManifests({ artifactRoot: entra(AzureIdentity.ambient()) });
  expect(annotations(manifests)).toEqual([undefined]);
  expect(only(manifests, 'Deployment').spec.template.metadata.labels).toMatchObject({
    'azure.workload.identity/use': 'true',
  });
});

test.each<[string, IArtifactStore, string]>([
  [
    'a route to STS without a port',
    s3(AwsIdentity.ambient({ stsRoute: { ports: [] } })),
    '`artifactRoot.identity.stsRoute.ports` must name at least one port, got none.',
  ],
  [
    'a route to Entra ID without a peer',
    entra(AzureIdentity.ambient({ entraRoute: { peers: [] } })),
    '`artifactRoot.credentials.entraRoute.peers` must name at least one peer, got none. Leave it out for any address.',
  ],
])('refuses %s', (_, artifactRoot, text) => {
  expect(() => serverManifests({ artifactRoot })).toThrow(new Error(`[chart/mlflow] ${text}`));
});
