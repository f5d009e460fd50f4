import { Testing } from 'cdk8s';
import { type IPostgresBackend, PostgresConnection, PostgresCredentials, PostgresTls } from 'cdk8s-mlflow';
import { EnvValue } from 'cdk8s-plus-28';
import { Construct } from 'constructs';

import { chart, container, env, podOf, server, serverManifests } from '../../support/synth';

class Backend extends Construct implements IPostgresBackend {
  public readonly connection: PostgresConnection;

  public constructor(scope: Construct, password?: EnvValue) {
    super(scope, 'postgres');
    this.connection = new PostgresConnection({
      host: EnvValue.fromValue('db'),
      port: EnvValue.fromValue('5432'),
      database: EnvValue.fromValue('mlflow'),
      credentials: new PostgresCredentials({ username: EnvValue.fromValue('mlflow'), password }),
      tls: PostgresTls.REQUIRE,
    });
  }
}

test('the server alone mounts the key of the Secret that its variable names', () => {
  const manifests = serverManifests();
  const mounted = { mountPath: '/etc/postgres-password', name: 'postgres-password', readOnly: true };
  expect(podOf(manifests).volumes).toContainEqual({
    name: 'postgres-password',
    secret: { secretName: 'db-login', items: [{ key: 'password', path: 'password', mode: 0o440 }] },
  });
  expect(container(manifests, 'mlflow').volumeMounts).toContainEqual(mounted);
  expect(env(container(manifests, 'mlflow')).DATABASE_PASSWORD_FILE).toBe('/etc/postgres-password/password');
  expect(container(manifests, 'init-mlflow').volumeMounts).not.toContainEqual(mounted);
});

test.each([
  ['no password', undefined],
  ['a password that is no key of a Secret', EnvValue.fromValue('in plain text')],
])('%s: no file', (_, password) => {
  const scope = chart();
  server(scope, { backend: new Backend(scope, password) });
  const manifests = Testing.synth(scope);
  expect(JSON.stringify(manifests.filter(({ kind }) => kind === 'Deployment'))).not.toContain('postgres-password');
});
