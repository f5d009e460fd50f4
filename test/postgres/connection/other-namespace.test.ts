import { Chart, Testing } from 'cdk8s';
import {
  BitnamiArchitecture,
  BitnamiPasswords,
  BitnamiPostgres,
  CloudNativePostgres,
  type IPostgresBackend,
  MlflowAuth,
  PgBouncer,
  PostgresExporter,
  Rules,
  SecretKey,
} from 'cdk8s-mlflow';

import { edges } from '../../support/edges';
import { container, env, type Manifest, only, server } from '../../support/synth';

const passwords = BitnamiPasswords.fromSecretName('login');

function bitnami(chart: Chart): BitnamiPostgres {
  const architecture = BitnamiArchitecture.replication();
  return new BitnamiPostgres(chart, 'db', { passwords, architecture, maxConnections: 200, isolation: {} });
}

/** A database in a chart of the namespace "data", and what is made of it in a chart of this namespace. */
function synthOf(
  backend: (chart: Chart) => IPostgresBackend,
  make: (chart: Chart, backend: IPostgresBackend) => void,
  namespace?: string,
): { readonly there: Manifest[]; readonly here: Manifest[] } {
  const app = Testing.app();
  const there = new Chart(app, 'there', { namespace: 'data' });
  const here = new Chart(app, 'here', { namespace });
  make(here, backend(there));
  return { there: Testing.synth(there), here: Testing.synth(here) };
}

const key = (name: string): SecretKey => SecretKey.fromSecretName('auth', name);

test('from another namespace, hosts are full names, and network policies name both namespaces', () => {
  const { there, here } = synthOf(
    bitnami,
    (chart, backend) => {
      const auth = MlflowAuth.basic({ adminPassword: key('a'), flaskSecretKey: key('b'), readFromReplica: true });
      server(chart, { backend, readFromReplica: true, isolation: {}, auth, encryption: { passphrase: key('c') } });
      server(chart, { backend }, 'second');
      new PostgresExporter(chart, 'exporter', { backend });
    },
    'team',
  );
  const variables = env(
    only(here, 'Deployment', 'mlflow').spec.template.spec.containers.find((c: Manifest) => c.name === 'mlflow'),
  );
  expect(variables).toMatchObject({ PGHOST: 'db.data', READ_REPLICA_HOST: 'db-read.data' });
  expect(JSON.stringify(here.filter(({ kind }) => kind === 'ConfigMap').map(({ data }) => data))).toContain(
    'host=db-read.data',
  );
  expect(env(only(here, 'Deployment', 'exporter').spec.template.spec.containers[0])).toMatchObject({
    PGHOST: 'db.data',
  });
  expect(edges(here, 'mlflow').filter((edge) => edge.includes('5432'))).toEqual([
    'out 5432/TCP to component=primary,instance=db,name=postgresql of metadata.name=data',
    'out 5432/TCP to component=read,instance=db,name=postgresql of metadata.name=data',
  ]);
  const fromTeam = 'in 5432/TCP from db-client=true of metadata.name=team';
  expect(edges(there, 'db').filter((edge) => edge.startsWith('in'))).toEqual([
    'in 5432/TCP from db-client=true',
    'in 5432/TCP from component=read,instance=db,name=postgresql',
    fromTeam,
  ]);
  expect(edges(there, 'db-read').filter((edge) => edge.startsWith('in'))).toEqual([
    'in 5432/TCP from db-client=true',
    fromTeam,
  ]);
});

test('in the same namespace, they are short', () => {
  const { there, here } = synthOf(
    bitnami,
    (chart, backend) => {
      server(chart, { backend, isolation: {} });
    },
    'data',
  );
  expect(env(container(here, 'mlflow'))).toMatchObject({ PGHOST: 'db' });
  expect(edges(here, 'mlflow')).toContain('out 5432/TCP to component=primary,instance=db,name=postgresql');
  expect(edges(there, 'db-read').filter((edge) => edge.startsWith('in'))).toEqual(['in 5432/TCP from db-client=true']);
});

test('a pooler, and the database that migrations reach around it', () => {
  const { there, here } = synthOf(
    (chart) => new PgBouncer(chart, 'pooler', { backend: bitnami(chart) }),
    (chart, backend) => {
      server(chart, { backend, isolation: {} });
    },
    'team',
  );
  expect(env(container(here, 'mlflow'))).toMatchObject({ PGHOST: 'pooler.data' });
  expect(env(container(here, 'init-mlflow'))).toMatchObject({ PGHOST: 'db.data' });
  expect(edges(here, 'mlflow').filter((edge) => edge.includes('out') && !edge.includes('53/'))).toEqual([
    'out 6432/TCP to component=pooler,instance=pooler,name=pgbouncer of metadata.name=data',
    'out 5432/TCP to component=primary,instance=db,name=postgresql of metadata.name=data',
  ]);
  expect(edges(there, 'pooler')).toContain('in 6432/TCP from pooler-client=true of metadata.name=team');
  expect(edges(there, 'db')).toContain('in 5432/TCP from db-client=true of metadata.name=team');
});

test('CloudNativePG, for a chart without a namespace', () => {
  const { there, here } = synthOf(
    (chart) => new CloudNativePostgres(chart, 'db', { pooler: {} }),
    (chart, backend) => {
      Rules.of(chart).acknowledge('same-namespace', 'A controller copies the Secrets.');
      server(chart, { backend, isolation: {} });
    },
  );
  expect(env(container(here, 'mlflow'))).toMatchObject({ PGHOST: 'db-pooler-rw.data' });
  // With verify-full, the name has to be in the certificate that the pooler presents.
  const { serverAltDNSNames } = only(there, 'Cluster').spec.certificates;
  expect(serverAltDNSNames).toEqual(['db-pooler-rw', 'db-pooler-rw.data']);
  expect(edges(here, 'mlflow').filter((edge) => edge.includes('cnpg'))).toEqual([
    'out 5432/TCP to cnpg.io/poolerName=db-pooler-rw of metadata.name=data',
    'out 5432/TCP to cnpg.io/cluster=db,cnpg.io/podRole=instance of metadata.name=data',
  ]);
});
