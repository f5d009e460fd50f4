import { Duration, Testing } from 'cdk8s';
import {
  ArtifactAccess,
  ArtifactRelocation,
  type ArtifactRelocationProps,
  AwsIdentity,
  ExistingFiles,
  FileSource,
  type IArtifactStore,
  Persistence,
  Rules,
  S3Artifacts,
  type S3ArtifactsProps,
  VolumeArtifacts,
} from 'cdk8s-mlflow';

import { anyBackend, chart, containerOf, env, type Manifest, only, server } from '../support/synth';

const onClaim = (name: string): IArtifactStore => new VolumeArtifacts({ persistence: Persistence.existingClaim(name) });
const inBucket = (bucket: string, props: Partial<S3ArtifactsProps> = {}): IArtifactStore =>
  new S3Artifacts({ bucket, identity: AwsIdentity.fromSecretName(bucket), ...props });
const direct = { access: ArtifactAccess.DIRECT };

function manifests(props: Partial<ArtifactRelocationProps> = {}): Manifest[] {
  const scope = chart();
  new ArtifactRelocation(scope, 'relocation', {
    backend: anyBackend(scope),
    source: onClaim('mlflow-artifacts'),
    target: inBucket('models'),
    ...props,
  });
  return Testing.synth(scope);
}

const podIn = (all: Manifest[]): Manifest => only(all, 'Job').spec.template.spec;
const settings = (props?: Partial<ArtifactRelocationProps>): Manifest =>
  env(containerOf(podIn(manifests(props)), 'relocate-artifacts'));
const rules = (props: Partial<ArtifactRelocationProps>): unknown => JSON.parse(settings(props).RELOCATION_RULES);

test('a native sidecar reads one store, and a Job writes the other', () => {
  const all = manifests();
  const pod = podIn(all);
  const [, reader] = pod.initContainers;
  expect([reader.name, reader.restartPolicy, pod.containers.length]).toEqual(['read-artifacts', 'Always', 1]);
  expect(env(reader)).toMatchObject({ RELOCATION_SOURCE: '/mlflow/artifacts', RELOCATION_EXCHANGE: '/exchange' });
  expect(env(reader)).not.toHaveProperty('PGPASSWORD');
  expect(reader.volumeMounts).toContainEqual({
    mountPath: '/mlflow/artifacts',
    name: 'source-artifacts',
    readOnly: true,
  });
  expect(settings()).toMatchObject({
    RELOCATION_TARGET: 's3://models',
    RELOCATION_EXISTING_FILES: 'refuse',
    RELOCATION_DRY_RUN: 'false',
    RELOCATION_DEADLINE_SECONDS: '600',
    RELOCATION_REQUIRED_RULES: '0',
  });
  expect(only(all, 'Job').spec.podFailurePolicy.rules[0].onExitCodes).toMatchObject({ values: [4, 5, 6] });
  const other = { existingFiles: ExistingFiles.REPLACE, dryRun: true, deadline: Duration.minutes(1) };
  expect(settings(other)).toMatchObject({
    RELOCATION_EXISTING_FILES: 'replace',
    RELOCATION_DRY_RUN: 'true',
    RELOCATION_DEADLINE_SECONDS: '60',
  });
});

test('two stores of one kind keep their logins and files apart', () => {
  const ca = (name: string): FileSource => FileSource.fromConfigMap(name, 'ca.crt');
  const pod = podIn(manifests({ source: inBucket('old', { ca: ca('a') }), target: inBucket('new', { ca: ca('b') }) }));
  const [, reader] = pod.initContainers;
  const secretOf = (container: Manifest): string => env(container).AWS_ACCESS_KEY_ID.secretKeyRef.name;
  expect([secretOf(reader), secretOf(pod.containers[0])]).toEqual(['old', 'new']);
  const cas = pod.volumes.filter(({ configMap, name }: Manifest) => configMap && name.endsWith('-ca'));
  expect(cas.map(({ name, configMap }: Manifest) => [name, configMap.name]).sort()).toEqual([
    ['source-artifacts-ca', 'a'],
    ['target-artifacts-ca', 'b'],
  ]);
  const volumes = podIn(manifests({ source: onClaim('old'), target: onClaim('new') })).volumes;
  const claims = volumes.flatMap((each: Manifest) => each.persistentVolumeClaim?.claimName ?? []);
  expect(claims.sort()).toEqual(['new', 'old']);
});

test.each<[string, Partial<ArtifactRelocationProps>, [string, string, string][]]>([
  [
    'a volume to a bucket behind the server',
    {},
    [
      ['/mlflow/artifacts', 'mlflow-artifacts:/', 's3://models'],
      ['file:///mlflow/artifacts', 'mlflow-artifacts:/', 's3://models'],
    ],
  ],
  [
    'a bucket of clients to another',
    { source: inBucket('old', direct), target: inBucket('new', { ...direct, prefix: 'a' }) },
    [['s3://old', 's3://new/a', 's3://new/a']],
  ],
  [
    'a bucket behind the server to one of clients',
    { source: inBucket('old'), target: inBucket('new', direct) },
    [
      ['s3://old', 's3://new', 's3://new'],
      ['mlflow-artifacts:/', 's3://new', 's3://new'],
    ],
  ],
  [
    'a volume to another, with a prefix of its own',
    {
      target: onClaim('new'),
      artifactLocations: [{ oldPrefix: '/mlruns', newPrefix: 'mlflow-artifacts:/' }],
    },
    [
      ['/mlruns', 'mlflow-artifacts:/', 'file:///mlflow/artifacts'],
      ['/mlflow/artifacts', 'mlflow-artifacts:/', 'file:///mlflow/artifacts'],
      ['file:///mlflow/artifacts', 'mlflow-artifacts:/', 'file:///mlflow/artifacts'],
    ],
  ],
])('%s: the locations that change', (_, props, expected) => {
  expect(rules(props)).toEqual(expected);
});

const another = 'Move to another bucket, prefix or claim.';
const beside = 'Move to another bucket, or to a prefix beside the old one.';
const claimName = 'Name the claim of the server: Persistence.existingClaim(name).';

test.each<[Partial<ArtifactRelocationProps>, string]>([
  [
    { target: onClaim('mlflow-artifacts') },
    `\`target\` must be another store than \`source\`, got the same one. ${another}`,
  ],
  [
    { source: inBucket('aaa'), target: inBucket('aaa', { prefix: 'b' }) },
    `\`target\` must not be below \`source\` (s3://aaa), got s3://aaa/b. ${beside}`,
  ],
  [
    { source: inBucket('aaa', { prefix: 'b' }), target: inBucket('aaa') },
    `\`source\` must not be below \`target\` (s3://aaa), got s3://aaa/b. ${beside}`,
  ],
  [
    { source: new VolumeArtifacts() },
    `\`source\` must not make a new claim, which would be removed from the app with the relocation. ${claimName}`,
  ],
  [
    { source: new VolumeArtifacts({ persistence: Persistence.none() }) },
    '`source` must not be on the disk of a pod, where no other pod can reach it. Name the claim of the volume, or an object store.',
  ],
  [
    { artifactLocations: [{ oldPrefix: '/a', newPrefix: '/a/b' }] },
    '`artifactLocations` must not name a prefix that is both old and new, got /a/b: a second attempt would change it again. The new prefix of files in `target` is mlflow-artifacts:/.',
  ],
  [
    { target: inBucket('aaa', { prefix: '/x' }) },
    '`target.prefix` must be a folder without a slash at its ends, got "/x".',
  ],
])('%# what cannot be is an error', (props, text) => {
  expect(() => manifests(props)).toThrow(new Error(`[chart/relocation] ${text}`));
});

test('the same bucket at another address is another store', () => {
  const target = inBucket('aaa', { endpoint: 'https://minio' });
  expect(() => manifests({ source: inBucket('aaa'), target })).not.toThrow();
});

test('another region or identity makes no other store', () => {
  const target = inBucket('aaa', { region: 'eu-central-1', identity: AwsIdentity.fromRole('arn:aws:iam::1:role/r') });
  expect(() => manifests({ source: inBucket('aaa'), target })).toThrow('must be another store than `source`');
});

test('no server runs meanwhile, unless files are only counted', () => {
  const scope = chart();
  const backend = anyBackend(scope);
  server(scope, { backend });
  const stores = { source: onClaim('a'), target: inBucket('bbb') };
  new ArtifactRelocation(scope, 'count', { backend, ...stores, dryRun: true });
  expect(() => Testing.synth(scope)).not.toThrow();
  const relocation = new ArtifactRelocation(scope, 'relocation', { backend, ...stores });
  expect(() => Testing.synth(scope)).toThrow(
    'no-server-while-relocating: no server may run on "postgres" during a relocation, got chart/mlflow with `replicas` 1. Set its `replicas` to 0 for the relocation, and remove the relocation from the app afterwards.',
  );
  Rules.of(relocation).acknowledge('no-server-while-relocating', 'test');
  expect(() => Testing.synth(scope)).not.toThrow();
});
