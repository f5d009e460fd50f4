import {
  ExistingSecretPostgres,
  FileSource,
  type IPostgresBackend,
  PgBouncer,
  PostgresTls,
  TlsCertificate,
} from 'cdk8s-mlflow';
import type { Construct } from 'constructs';

import { chart, containerOf, type Manifest, podOf } from '../../support/synth';
import { pgBouncerConfig, pgBouncerManifests } from '../../support/pg-bouncer';

const plain = (scope: Construct): IPostgresBackend =>
  new ExistingSecretPostgres(scope, 'postgres', { host: 'db', secretName: 'login' });

const tls = PostgresTls.verifyFull({
  ca: FileSource.fromConfigMap('ca', 'ca.pem'),
  clientCertificate: TlsCertificate.fromSecretName('client'),
});

test('encrypts the way to the database as the backend says', () => {
  const withTls = (scope: Construct) =>
    new ExistingSecretPostgres(scope, 'postgres', { host: 'db', secretName: 'login', tls });
  expect(pgBouncerConfig({}, withTls)).toMatchObject({
    server_tls_sslmode: 'verify-full',
    server_tls_ca_file: '/etc/server-tls/ca/ca.crt',
    server_tls_cert_file: '/etc/server-tls/certificate/tls.crt',
    server_tls_key_file: '/etc/server-tls/key/tls.key',
  });
  const mounts = containerOf(podOf(pgBouncerManifests({}, withTls)), 'pgbouncer').volumeMounts;
  expect(mounts.map((m: Manifest) => m.mountPath)).toEqual([
    '/etc/pgbouncer',
    '/run/pgbouncer',
    '/etc/server-tls/ca',
    '/etc/server-tls/certificate',
    '/etc/server-tls/key',
  ]);
});

const clientTls = {
  certificate: FileSource.fromSecret('pooler-tls', 'tls.crt'),
  privateKey: FileSource.fromSecret('pooler-tls', 'tls.key'),
};

test('shows clients a certificate, and then insists on it', () => {
  expect(pgBouncerConfig({ clientTls })).toMatchObject({
    client_tls_sslmode: 'require',
    client_tls_cert_file: '/etc/client-tls/certificate/tls.crt',
    client_tls_key_file: '/etc/client-tls/key/tls.key',
  });
  const { volumes } = podOf(pgBouncerManifests({ clientTls }));
  expect(volumes.filter(({ name }: Manifest) => name.startsWith('client-tls'))).toEqual([
    {
      name: 'client-tls-certificate',
      secret: { secretName: 'pooler-tls', items: [{ key: 'tls.crt', path: 'tls.crt', mode: 0o440 }] },
    },
    {
      name: 'client-tls-key',
      secret: { secretName: 'pooler-tls', items: [{ key: 'tls.key', path: 'tls.key', mode: 0o440 }] },
    },
  ]);
});

test.each([
  ['none', undefined, 'disable'],
  ['a certificate', clientTls, 'require'],
  ['a certificate and its CA', { ...clientTls, ca: FileSource.fromConfigMap('ca', 'ca.crt') }, 'verify-full'],
])('with %s, MLflow connects with %#', (_, given, mode) => {
  const scope = chart();
  const { connection } = new PgBouncer(scope, 'pgbouncer', { backend: plain(scope), clientTls: given });
  expect(connection.tls.mode).toBe(mode);
});
