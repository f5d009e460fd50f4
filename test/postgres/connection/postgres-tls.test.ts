import { Testing } from 'cdk8s';
import {
  CloudNativePostgres,
  ExternalPostgres,
  FileSource,
  PgBouncer,
  PostgresExporter,
  PostgresTls,
  RdsPostgres,
  TlsCertificate,
} from 'cdk8s-mlflow';

import { chart, container, containerOf, env, type Manifest, only, podOf, server } from '../../support/synth';

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
  for (const name of ['init-mlflow', 'mlflow']) {
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

test('the CAs of the system are a file that an init container writes with the image of MLflow', () => {
  const synthesized = manifests(PostgresTls.verifyFull());
  const [first, ...others] = podOf(synthesized).initContainers ?? [];
  expect(first).toMatchObject({
    name: 'write-postgres-system-ca',
    image: 'ghcr.io/mlflow/mlflow:v3.18.0-full',
    command: ['python', '-c', expect.any(String) as string, '/run/postgres-system-ca/ca-certificates.crt'],
    volumeMounts: [{ mountPath: '/run/postgres-system-ca', name: 'postgres-system-ca' }],
  });
  expect((others as { name: string }[]).map(({ name }) => name)).toEqual(['init-mlflow']);
  for (const name of ['init-mlflow', 'mlflow']) {
    expect(env(container(synthesized, name))).toMatchObject({
      PGSSLMODE: 'verify-full',
      PGSSLROOTCERT: '/run/postgres-system-ca/ca-certificates.crt',
    });
    expect(container(synthesized, name).volumeMounts).toContainEqual({
      mountPath: '/run/postgres-system-ca',
      name: 'postgres-system-ca',
      readOnly: true,
    });
  }
});

test('the CAs of the system for PgBouncer are a file, and for the exporter those that Go finds', () => {
  const scope = chart();
  const tls = PostgresTls.verifyFull();
  const backend = new ExternalPostgres(scope, 'pg', { host: 'db', user: 'u', password: 'p', tls });
  new PgBouncer(scope, 'pgbouncer', { backend, initImage: 'example.com/mlflow:1' });
  new PostgresExporter(scope, 'exporter', { backend });
  const synthesized = Testing.synth(scope);
  const pooler = only(synthesized, 'Deployment', 'pgbouncer').spec.template.spec;
  expect(pooler.initContainers).toMatchObject([
    { name: 'write-server-system-ca', image: 'example.com/mlflow:1' },
    { name: 'write-userlist' },
  ]);
  expect(JSON.stringify(synthesized)).toContain(
    'server_tls_sslmode = verify-full\\nserver_tls_ca_file = /run/server-system-ca/ca-certificates.crt',
  );
  const exporter = only(synthesized, 'Deployment', 'exporter').spec.template.spec;
  expect(exporter.initContainers).toBeUndefined();
  const variables = env(containerOf(exporter, 'postgres-exporter'));
  expect(variables).toMatchObject({ PGSSLMODE: 'verify-full' });
  expect(variables).not.toHaveProperty('PGSSLROOTCERT');
});

test('the CAs of the system cannot verify RDS or a Cluster of CloudNativePG', () => {
  const scope = chart();
  const tls = PostgresTls.verifyFull();
  const rds = (id: string, host: string): unknown => new RdsPostgres(scope, id, { host, user: 'u', tls });
  expect(() => rds('rds', 'a.b.eu-west-1.rds.amazonaws.com')).toThrow(
    new Error(
      '[chart/rds] `tls` must have a `ca`: no system trusts the CAs of RDS, except that of RDS Proxy. Use PostgresTls.verifyFull({ ca }) with the CA bundle of your region.',
    ),
  );
  expect(() => rds('proxy', 'a.proxy-b.eu-west-1.rds.amazonaws.com')).not.toThrow();
  expect(() => new CloudNativePostgres(scope, 'cluster', { tls })).toThrow(
    new Error(
      '[chart/cluster] `tls` must have a `ca`: the certificates of a Cluster are signed by a CA of its own. Leave `tls` out, which verifies them with that CA.',
    ),
  );
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
