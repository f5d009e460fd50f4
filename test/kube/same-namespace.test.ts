import { ApiObject, App, Chart, Testing } from 'cdk8s';
import * as kplus from 'cdk8s-plus-28';
import {
  BitnamiPasswords,
  BitnamiPostgres,
  CloudNativePostgres,
  ClusterSettings,
  DatabaseMigration,
  ExistingSecretPostgres,
  ExternalPostgres,
  ExternalSecret,
  FileSource,
  HttpProxy,
  MlflowServer,
  PgBouncer,
  PostgresBackup,
  BackupLocation,
  Rules,
  SecretKey,
  SecretStoreReference,
} from 'cdk8s-mlflow';

import { server } from '../support/synth';

const external = { host: 'db.example.com', user: 'u', password: 'p' };
const passwords = BitnamiPasswords.fromLiterals({ password: 'p', postgresPassword: 'p' });

/** Synthesizes what is made of a chart for the database and one for its clients. */
function synthOf(
  make: (there: Chart, here: Chart) => void,
  [there, here]: [string | undefined, string | undefined] = ['db', 'team'],
): () => void {
  const app = new App({ outdir: Testing.app().outdir });
  make(new Chart(app, 'there', { namespace: there }), new Chart(app, 'here', { namespace: here }));
  return () => {
    app.synth();
  };
}

function refused(...texts: string[]): Error {
  return new Error(`Validation failed with the following errors:${texts.map((text) => `\n  ${text}`).join('')}`);
}

const OWN = 'A pod can only use those of its own namespace. Put both into charts of one namespace.';
const COPY = 'Or copy each Secret to the namespace of the pods, and acknowledge the rule';

test.each<[string, (there: Chart) => ConstructorParameters<typeof MlflowServer>[2]['backend'], string]>([
  ['an external one', (there) => new ExternalPostgres(there, 'postgres', external), 'postgres'],
  ['Bitnami', (there) => new BitnamiPostgres(there, 'postgres', { passwords }), 'postgres'],
  [
    'CloudNativePG, whose operator makes the Secret',
    (there) => new CloudNativePostgres(there, 'postgres', {}),
    'postgres-app" (Secret) and "postgres-ca',
  ],
])('a server whose database is in another namespace: %s', (_, backend, secret) => {
  const synth = synthOf((there, here) => {
    new MlflowServer(here, 'mlflow', { backend: backend(there), databaseMigration: DatabaseMigration.job() });
  });
  expect(synth).toThrow(
    refused(
      `[here/mlflow] same-namespace: pods in the namespace "team" need "${secret}" (Secret), which there/postgres makes in the namespace "db". ${OWN} ${COPY}.`,
    ),
  );
});

test('a chart without a namespace is another one', () => {
  const make = (there: Chart, here: Chart): void => {
    server(here, { backend: new ExternalPostgres(there, 'postgres', external) });
  };
  expect(synthOf(make, ['db', undefined])).toThrow(
    refused(
      `[here/mlflow] same-namespace: pods in a chart without a namespace need "postgres" (Secret), which there/postgres makes in the namespace "db". ${OWN} ${COPY}.`,
    ),
  );
  expect(synthOf(make, [undefined, 'team'])).toThrow(
    refused(
      `[here/mlflow] same-namespace: pods in the namespace "team" need "postgres" (Secret), which there/postgres makes in a chart without a namespace. ${OWN} ${COPY}.`,
    ),
  );
  expect(synthOf(make, [undefined, undefined])).not.toThrow();
  expect(synthOf(make, ['ml', 'ml'])).not.toThrow();
});

test('a pooler and a backup need the Secret, too', () => {
  const synth = synthOf((there, here) => {
    const backend = new ExternalPostgres(there, 'postgres', external);
    new PgBouncer(here, 'pooler', { backend });
    new PostgresBackup(here, 'backup', { backend, target: BackupLocation.volume() });
  });
  const text = `same-namespace: pods in the namespace "team" need "postgres" (Secret), which there/postgres makes in the namespace "db". ${OWN} ${COPY}.`;
  expect(synth).toThrow(refused(`[here/pooler] ${text}`, `[here/backup] ${text}`));
});

test('a Secret of an ExternalSecret counts, by a variable', () => {
  const synth = synthOf((there, here) => {
    const store = SecretStoreReference.fromSecretStoreName('vault');
    new ExternalSecret(there, 'keys', { store, keys: { token: { key: 'ml' } } });
    const secret = kplus.Secret.fromSecretName(here, 'by-name', 'keys');
    server(here, { extraEnvVars: { TOKEN: kplus.EnvValue.fromSecretValue({ secret, key: 'token' }) } });
  });
  expect(synth).toThrow(
    refused(
      `[here/mlflow] same-namespace: pods in the namespace "team" need "keys" (Secret), which there/keys makes in the namespace "db". ${OWN} ${COPY}.`,
    ),
  );
});

test('ConfigMaps, claims and ServiceAccounts have no copy to propose; one error names all', () => {
  const synth = synthOf((there, here) => {
    const settings = new kplus.ConfigMap(there, 'settings', { metadata: { name: 'x' } });
    const claim = new kplus.PersistentVolumeClaim(there, 'claim', {
      metadata: { name: 'data' },
      accessModes: [kplus.PersistentVolumeAccessMode.READ_WRITE_ONCE],
    });
    const serviceAccount = new kplus.ServiceAccount(there, 'account', { metadata: { name: 'robot' } });
    const deployment = new kplus.Deployment(here, 'app', { serviceAccount, isolate: false });
    const one = deployment.addContainer({ image: 'a:1', envFrom: [kplus.Env.fromConfigMap(settings)] });
    one.mount('/data', kplus.Volume.fromPersistentVolumeClaim(here, 'volume', claim));
    server(here);
  });
  const needs = (what: string, maker: string): string =>
    `[here/app] same-namespace: pods in the namespace "team" need ${what}, which ${maker} makes in the namespace "db". ${OWN}`;
  expect(synth).toThrow(
    refused(
      needs('"robot" (ServiceAccount)', 'there/account'),
      needs('"x" (ConfigMap)', 'there/settings'),
      needs('"data" (PersistentVolumeClaim)', 'there/claim'),
    ),
  );
});

test('an object of that name in both namespaces, and an optional one, are none', () => {
  const synth = synthOf((there, here) => {
    new ExternalPostgres(there, 'postgres', external);
    server(here, { backend: new ExternalPostgres(here, 'postgres', external) });
    const secret = new kplus.Secret(there, 'secret', { metadata: { name: 'optional' } });
    const value = kplus.EnvValue.fromSecretValue({ secret, key: 'a' }, { optional: true });
    new kplus.Deployment(here, 'app', { containers: [{ image: 'a:1', envVariables: { A: value } }] });
  });
  expect(synth).not.toThrow();
});

test('it can be acknowledged, for a Secret that exists in both', () => {
  const synth = synthOf((there, here) => {
    new kplus.Secret(there, 'login', { metadata: { name: 'login' } });
    const backend = new ExistingSecretPostgres(here, 'postgres', { host: 'db.example.com', secretName: 'login' });
    Rules.of(server(here, { backend })).acknowledge('same-namespace', 'A controller copies the Secret.');
  });
  expect(synth).not.toThrow();
});

const SPEC_OF_POD = { containers: [{ name: 'app', image: 'a:1' }] };
const BASIC_AUTH = { basicAuth: { username: { name: 'x', key: 'u' }, password: { name: 'x', key: 'p' } } };

test.each<[string, string, string, object]>([
  ['pods', 'v1', 'Pod', { ...SPEC_OF_POD, imagePullSecrets: [{ name: 'x' }] }],
  [
    'pods',
    'batch/v1',
    'CronJob',
    { jobTemplate: { spec: { template: { spec: { containers: [{ envFrom: [{ secretRef: { name: 'x' } }] }] } } } } },
  ],
  [
    'pods',
    'apps/v1',
    'Deployment',
    { template: { spec: { volumes: [{ projected: { sources: [{ secret: { name: 'x' } }] } }] } } },
  ],
  ['Ingress', 'networking.k8s.io/v1', 'Ingress', { tls: [{ hosts: ['a.example.com'], secretName: 'x' }] }],
  ['ServiceMonitor', 'monitoring.coreos.com/v1', 'ServiceMonitor', { endpoints: [BASIC_AUTH] }],
  ['Cluster', 'postgresql.cnpg.io/v1', 'Cluster', { bootstrap: { initdb: { secret: { name: 'x' } } } }],
  ['Cluster', 'postgresql.cnpg.io/v1', 'Cluster', { certificates: { serverTLSSecret: 'y', serverCASecret: 'x' } }],
])('an object as it is written counts: a Secret of %s (%s %s)', (who, apiVersion, kind, spec) => {
  const synth = synthOf((there, here) => {
    new kplus.Secret(there, 'secret', { metadata: { name: 'x' } });
    new ApiObject(here, 'user', { apiVersion, kind, spec });
    server(here);
  });
  const [what, it] =
    who === 'pods'
      ? ['pods in the namespace "team" need', 'A pod']
      : [`the ${who} in the namespace "team" needs`, 'It'];
  expect(synth).toThrow(
    refused(
      `[here/user] same-namespace: ${what} "x" (Secret), which there/secret makes in the namespace "db". ${it} can only use those of its own namespace. Put both into charts of one namespace. ${COPY}.`,
    ),
  );
});

test('pull secrets of a server count', () => {
  const synth = synthOf((there, here) => {
    new kplus.Secret(there, 'secret', { metadata: { name: 'registry' } });
    server(here, { imagePullSecrets: ['registry'] });
  });
  expect(synth).toThrow(
    refused(
      `[here/mlflow] same-namespace: pods in the namespace "team" need "registry" (Secret), which there/secret makes in the namespace "db". ${OWN} ${COPY}.`,
    ),
  );
});

test('what ClusterSettings add to pods counts: pull secrets, CAs, the URL of a proxy', () => {
  const need = (user: string, what: string, maker: string): string =>
    `[here/${user}] same-namespace: pods in the namespace "team" need ${what}, which there/${maker} makes in the namespace "db". ${OWN}`;
  const texts = (user: string): string[] => [
    `${need(user, '"proxy" (Secret)', 'proxy')} ${COPY}.`,
    `${need(user, '"registry" (Secret)', 'registry')} ${COPY}.`,
    need(user, '"cas" (ConfigMap)', 'cas'),
  ];
  for (const isFirst of [true, false]) {
    const synth = synthOf((there, here) => {
      for (const [kind, name] of [
        ['Secret', 'registry'],
        ['ConfigMap', 'cas'],
        ['Secret', 'proxy'],
      ] as const) {
        new ApiObject(there, name, { apiVersion: 'v1', kind, metadata: { name } });
      }
      const apply = (): void => {
        ClusterSettings.of(here).apply({
          imagePullSecrets: ['registry'],
          trustedCa: FileSource.fromConfigMap('cas', 'ca.crt'),
          httpProxy: HttpProxy.fromSecret(SecretKey.fromSecretName('proxy', 'url')),
        });
      };
      if (isFirst) {
        apply();
      }
      server(here);
      new kplus.Deployment(here, 'app', { containers: [{ image: 'a:1' }] });
      if (!isFirst) {
        apply();
      }
    });
    expect(synth).toThrow(refused(...texts('mlflow'), ...texts('app')));
  }
});

test('a pod with pull secrets of its own does not need those of ClusterSettings', () => {
  const synth = synthOf((there, here) => {
    new kplus.Secret(there, 'secret', { metadata: { name: 'registry' } });
    ClusterSettings.of(here).apply({ imagePullSecrets: ['registry'] });
    server(here, { imagePullSecrets: ['mine'] });
  });
  expect(synth).not.toThrow();
});

test('a Secret that a controller makes, and one of a reference with a namespace, are none', () => {
  const synth = synthOf((there, here) => {
    new kplus.Secret(there, 'secret', { metadata: { name: 'x' } });
    new ApiObject(here, 'certificate', {
      apiVersion: 'cert-manager.io/v1',
      kind: 'Certificate',
      spec: { secretName: 'x' },
    });
    const certificateRefs = [{ kind: 'Secret', name: 'x', namespace: 'db' }];
    const spec = { listeners: [{ tls: { certificateRefs } }] };
    new ApiObject(here, 'gateway', { apiVersion: 'gateway.networking.k8s.io/v1', kind: 'Gateway', spec });
    server(here);
  });
  expect(synth).not.toThrow();
});
