import { Duration, Testing } from 'cdk8s';
import { ExternalSecret, type ExternalSecretProps, SecretStoreReference } from 'cdk8s-mlflow';

import { chart, only } from '../../support/synth';

const store = SecretStoreReference.fromSecretStoreName('vault');

const DEFAULTS = { conversionStrategy: 'Default', decodingStrategy: 'None', metadataPolicy: 'None' };

function synth(props: Partial<ExternalSecretProps> = {}, id = 'login') {
  const scope = chart();
  const secret = new ExternalSecret(scope, id, { store, keys: { password: { key: 'db', property: 'p' } }, ...props });
  return { secret, resource: only(Testing.synth(scope), 'ExternalSecret') };
}

test('asks the operator for a Secret of its own name', () => {
  const { secret, resource } = synth();
  expect(secret.secretName).toBe('login');
  expect(resource).toMatchObject({ apiVersion: 'external-secrets.io/v1', metadata: { name: 'login' } });
  expect(resource.spec).toEqual({
    refreshInterval: '3600s',
    secretStoreRef: { kind: 'SecretStore', name: 'vault' },
    target: { name: 'login' },
    data: [{ secretKey: 'password', remoteRef: { key: 'db', property: 'p', ...DEFAULTS } }],
  });
});

test('takes a store of the cluster, versions and an interval', () => {
  const { resource } = synth({
    store: SecretStoreReference.fromClusterSecretStoreName('aws'),
    keys: { a: { key: 'whole' }, b: { key: 'old', version: '3' } },
    refreshInterval: Duration.minutes(5),
  });
  expect(resource.spec).toMatchObject({
    refreshInterval: '300s',
    secretStoreRef: { kind: 'ClusterSecretStore', name: 'aws' },
    data: [
      { secretKey: 'a', remoteRef: { key: 'whole' } },
      { secretKey: 'b', remoteRef: { key: 'old', version: '3' } },
    ],
  });
});

test('everything that is wrong is told at once', () => {
  expect(() =>
    synth(
      {
        store: SecretStoreReference.fromSecretStoreName('A'),
        keys: { 'a b': { key: '' } },
        refreshInterval: Duration.seconds(0),
      },
      'No',
    ),
  ).toThrow(
    new Error(
      [
        '`keys.a b.key` must be given, got an empty string. If it comes from an environment variable, set that before the synthesis.',
        '`id` must be the name of a Kubernetes object (lower-case letters, digits, dashes and dots), got "No".',
        '`store` must be the name of a Kubernetes object (lower-case letters, digits, dashes and dots), got "A".',
        '`keys` must be a key of a Secret (letters, digits, dashes, dots and underscores), got "a b".',
        '`refreshInterval` must be a whole number of seconds from 1, got 0.',
      ]
        .map((line) => `[chart/No] ${line}`)
        .join('\n'),
    ),
  );
  expect(() => synth({ keys: {} })).toThrow(new Error('[chart/login] `keys` must name at least one key, got none.'));
});
