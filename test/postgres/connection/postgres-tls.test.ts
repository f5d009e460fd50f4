import { Testing } from 'cdk8s';
import { TlsCertificate, ExternalPostgres, FileSource, PostgresTls } from 'cdk8s-mlflow';

import { chart, container, env, type Manifest, podOf, server } from '../../support/synth';

function manifests(tls: PostgresTls): Manifest[] {
  const scope = chart();
  server(scope, { backend: new ExternalPostgres(scope, 'pg', { host: 'db', user: 'u', password: 'p', tls }) });
  return Testing.synth(scope);
}

test.each([
  [PostgresTls.DISABLE, 'disable'],
  [PostgresTls.PREFER, 'prefer'],
  [PostgresTls.REQUIRE, 'require'],
])('%#: a mode without files is one variable', (tls, mode) => {
  const variables = env(container(manifests(tls), 'mlflow'));
  expect(variables.PGSSLMODE).toBe(mode);
  expect(Object.keys(variables).filter((name) => /^PGSSL(ROOT)?(CERT|KEY)/.test(name))).toEqual([]);
});

test('a CA is a file on every container that connects', () => {
  const synthesized = manifests(PostgresTls.verifyCa({ ca: FileSource.fromConfigMap('my-ca', 'bundle.pem') }));
  for (const name of ['wait-for-database', 'init-mlflow', 'mlflow']) {
    expect(env(container(synthesized, name))).toMatchObject({
      PGSSLMODE: 'verify-ca',
      PGSSLROOTCERT: '/etc/postgres-tls/ca/ca.crt',
    });
    expect(container(synthesized, name).volumeMounts).toContainEqual({
      mountPath: '/etc/postgres-tls/ca',
      name: 'postgres-tls-ca',
      readOnly: true,
    });
  }
  expect(podOf(synthesized).volumes).toContainEqual({
    name: 'postgres-tls-ca',
    configMap: { name: 'my-ca', items: [{ key: 'bundle.pem', path: 'ca.crt', mode: 0o440 }] },
  });
});

test('a client certificate is two files, its key with a mode that libpq accepts', () => {
  const synthesized = manifests(
    PostgresTls.verifyFull({
      ca: FileSource.fromSecret('ca', 'ca.crt'),
      clientCertificate: TlsCertificate.fromSecretName('client'),
    }),
  );
  expect(env(container(synthesized, 'mlflow'))).toMatchObject({
    PGSSLMODE: 'verify-full',
    PGSSLCERT: '/etc/postgres-tls/certificate/tls.crt',
    PGSSLKEY: '/etc/postgres-tls/key/tls.key',
  });
  expect(podOf(synthesized).volumes).toContainEqual({
    name: 'postgres-tls-key',
    secret: { secretName: 'client', items: [{ key: 'tls.key', path: 'tls.key', mode: 0o440 }] },
  });
});

test.each([
  [
    PostgresTls.verifyCa({ ca: FileSource.fromSecret('Bad Name', 'ca.crt') }),
    '[chart/pg] `tls.ca` must be the name of a Kubernetes object (lower-case letters, digits, dashes and dots), got "Bad Name".',
  ],
  [
    PostgresTls.verifyCa({
      ca: FileSource.fromSecret('ca', 'ca.crt'),
      clientCertificate: new TlsCertificate(FileSource.fromSecret('c', 'tls.crt'), FileSource.fromSecret('c', 'a/b')),
    }),
    '[chart/pg] `tls.clientCertificate.privateKey` must be a key of a Secret (letters, digits, dashes, dots and underscores), got "a/b".',
  ],
])('%#: refuses a file that cannot exist', (tls, message) => {
  expect(() => manifests(tls)).toThrow(new Error(message));
});
