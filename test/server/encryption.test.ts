import { EnvValue } from 'cdk8s-plus-28';
import { type MlflowServerProps, SecretKey } from 'cdk8s-mlflow';

import { chart, container, env, server, serverManifests } from '../support/synth';

test('the keys come from Secrets that must exist; who prepares the database sees that the passphrase is not empty', () => {
  const manifests = serverManifests({
    encryption: {
      passphrase: SecretKey.fromSecretName('mlflow', 'passphrase'),
      webhookKey: SecretKey.fromSecretName('mlflow', 'webhooks'),
    },
  });
  const keys = {
    MLFLOW_CRYPTO_KEK_PASSPHRASE: { secretKeyRef: { name: 'mlflow', key: 'passphrase' } },
    MLFLOW_WEBHOOK_SECRET_ENCRYPTION_KEY: { secretKeyRef: { name: 'mlflow', key: 'webhooks' } },
  };
  expect(env(container(manifests, 'mlflow'))).toMatchObject(keys);
  const keysOf = (name: string): string[] =>
    Object.keys(env(container(manifests, name))).filter((each) => Object.keys(keys).includes(each));
  expect(keysOf('init-mlflow')).toEqual(['MLFLOW_CRYPTO_KEK_PASSPHRASE']);
});

const value = EnvValue.fromValue('x');

test.each<[Partial<MlflowServerProps>, string]>([
  [
    { encryption: { passphrase: SecretKey.fromSecretName('A', 'x') } },
    '`encryption.passphrase` must be the name of a Kubernetes object (lower-case letters, digits, dashes and dots), got "A".',
  ],
  [
    { encryption: { webhookKey: SecretKey.fromSecretName('a', 'b c') } },
    '`encryption.webhookKey` must be a key of a Secret (letters, digits, dashes, dots and underscores), got "b c".',
  ],
  [
    {
      encryption: { passphrase: SecretKey.fromSecretName('keys', 'kek') },
      extraEnvVars: { MLFLOW_CRYPTO_KEK_PASSPHRASE: value },
    },
    '`extraEnvVars.MLFLOW_CRYPTO_KEK_PASSPHRASE` must not be set: the library sets it itself. Use `encryption`.',
  ],
  [
    { extraArgs: ['--app-name=basic-auth'] },
    '`extraArgs --app-name=basic-auth` must not be set: the library sets it itself. Use `auth`.',
  ],
])('%#: refuses what would win silently', (props, message) => {
  expect(() => server(chart(), props)).toThrow(new Error(`[chart/mlflow] ${message}`));
});
