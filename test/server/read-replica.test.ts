import { Testing } from 'cdk8s';
import { BitnamiArchitecture, BitnamiPasswords, BitnamiPostgres, ExternalPostgres } from 'cdk8s-mlflow';

import { chart, container, env, server } from '../support/synth';

const URI = 'postgresql+psycopg2:///?host=$(READ_REPLICA_HOST)&target_session_attrs=any';

test('reads go to the replicas where they are asked to', () => {
  const scope = chart();
  const props = { host: 'primary', readHost: 'replicas', user: 'u', password: 'p' };
  const backend = new ExternalPostgres(scope, 'pg', props);
  server(scope, { backend, readFromReplica: true }, 'reading');
  server(scope, { backend }, 'careful');
  const [reading, careful] = Testing.synth(scope).filter((m) => m.kind === 'Deployment');
  const variables = env(container([reading], 'mlflow'));
  expect(variables).toMatchObject({ READ_REPLICA_HOST: 'replicas', MLFLOW_READ_REPLICA_BACKEND_STORE_URI: URI });
  const names = Object.keys(variables);
  expect(names.indexOf('READ_REPLICA_HOST')).toBeLessThan(names.indexOf('MLFLOW_READ_REPLICA_BACKEND_STORE_URI'));
  expect(env(container([careful], 'mlflow'))).not.toHaveProperty('READ_REPLICA_HOST');
});

test('BitnamiPostgres has them by itself', () => {
  const scope = chart();
  const backend = new BitnamiPostgres(scope, 'postgres', {
    architecture: BitnamiArchitecture.replication(),
    passwords: BitnamiPasswords.fromSecretName('passwords'),
  });
  server(scope, { backend, readFromReplica: true });
  expect(env(container(Testing.synth(scope), 'mlflow')).READ_REPLICA_HOST).toBe('postgres-read');
});

test('without replicas it is an error', () => {
  expect(() => server(chart(), { readFromReplica: true })).toThrow(
    new Error(
      '[chart/mlflow] `readFromReplica` needs read replicas, and "postgres" has none. Set its `readHost`, or use BitnamiArchitecture.replication().',
    ),
  );
});

test('a bad host is an error', () => {
  expect(() => new ExternalPostgres(chart(), 'pg', { host: 'a', readHost: 'b:1', user: 'u', password: 'p' })).toThrow(
    new Error('[chart/pg] `readHost` must be a host name or an address, without port or brackets, got "b:1".'),
  );
});
