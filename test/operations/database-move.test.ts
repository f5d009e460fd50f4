import { Duration, Testing } from 'cdk8s';
import { DatabaseMove, type DatabaseMoveProps, ExternalPostgres, PostgresTls, RdsPostgres, Rules } from 'cdk8s-mlflow';
import type { Chart } from 'cdk8s';

import { chart, containerOf, env, type Manifest, only, server } from '../support/synth';

const at = (scope: Chart, host: string, schema?: string): ExternalPostgres =>
  new ExternalPostgres(scope, host, { host, user: 'u', password: `${host}-password`, schema });

const inDatabase = (scope: Chart, id: string, host: string, database?: string): ExternalPostgres =>
  new ExternalPostgres(scope, id, { host, user: 'u', password: `${id}-password`, database });

function manifests(props: (scope: Chart) => Partial<DatabaseMoveProps> = () => ({})): Manifest[] {
  const scope = chart();
  new DatabaseMove(scope, 'move', { source: at(scope, 'old'), target: at(scope, 'new'), ...props(scope) });
  return Testing.synth(scope);
}

const podIn = (all: Manifest[]): Manifest => only(all, 'Job').spec.template.spec;

test('dumps one database, restores into the other, and looks at the first again', () => {
  const all = manifests(() => ({ image: 'own/mlflow:1', clientImage: 'own/postgres:18' }));
  const pod = podIn(all);
  const ran = [...pod.initContainers, ...pod.containers].map((c: Manifest) => [
    c.name,
    c.image,
    c.command.at(-1).split('/').at(-1),
    env(c).PGHOST,
  ]);
  expect(ran).toEqual([
    ['wait-for-source', 'own/mlflow:1', 'wait_for_database.py', 'old'],
    ['wait-for-database', 'own/mlflow:1', 'wait_for_database.py', 'new'],
    ['dump', 'own/postgres:18', 'dump_database.sh', 'old'],
    ['restore', 'own/postgres:18', 'move_database.sh', 'new'],
    ['verify-source', 'own/postgres:18', 'verify_source.sh', 'old'],
  ]);
  expect(env(containerOf(pod, 'dump'))).toMatchObject({ SERVERS_DEADLINE_SECONDS: '600', WITH_DIGESTS: 'on' });
  expect(only(all, 'Job').spec).toMatchObject({ backoffLimit: 2, activeDeadlineSeconds: 6 * 3600 });
  expect(only(all, 'Job').spec.podFailurePolicy.rules.map((rule: Manifest) => rule.onExitCodes)).toEqual([
    { containerName: 'wait-for-source', operator: 'In', values: [1] },
    { containerName: 'wait-for-database', operator: 'In', values: [1] },
    { containerName: 'dump', operator: 'In', values: [4] },
    { containerName: 'restore', operator: 'In', values: [3, 4] },
    { containerName: 'verify-source', operator: 'In', values: [4] },
  ]);
  const limited = manifests(() => ({ deadline: Duration.hours(1) }));
  expect(only(limited, 'Job').spec.activeDeadlineSeconds).toBe(3600);
});

const rds = (scope: Chart, id: string): RdsPostgres =>
  new RdsPostgres(scope, id, { host: `${id}.abc.eu-west-1.rds.amazonaws.com`, user: 'u', tls: PostgresTls.REQUIRE });

test.each<[(scope: Chart) => Partial<DatabaseMoveProps>, string]>([
  [
    (scope) => {
      const target = at(scope, 'same');
      return { source: target, target };
    },
    '`target` must be another database than `source`, got the same one.',
  ],
  [
    (scope) => ({
      source: inDatabase(scope, 'a', 'DB.example.com.'),
      target: inDatabase(scope, 'b', 'db.example.com'),
    }),
    '`target` must be another database than `source`, got the same one.',
  ],
  [
    (scope) => ({ source: rds(scope, 'a'), target: rds(scope, 'b') }),
    '`source` and `target` must not both connect through a sidecar "rds-token": a pod has one container of a name. Give one of them as a backend with a password: ExternalPostgres or ExistingSecretPostgres.',
  ],
  [
    (scope) => ({ source: at(scope, 'a', 'one') }),
    '`target` must have the schema of `source`, one, got none: a dump keeps the names of schemas. Leave `schema` out of both, or set it to the same name. Rename it after the move: ALTER SCHEMA ... RENAME TO.',
  ],
])('%# what cannot be is an error', (props, text) => {
  expect(() => manifests(props)).toThrow(text);
});

test('another database of one server is another database', () => {
  const both = (scope: Chart): Partial<DatabaseMoveProps> => ({
    source: inDatabase(scope, 'a', 'db', 'one'),
    target: inDatabase(scope, 'b', 'db', 'two'),
  });
  expect(() => manifests(both)).not.toThrow();
});

test('no server runs on either meanwhile', () => {
  const scope = chart();
  const [source, target] = [at(scope, 'old'), at(scope, 'new')];
  server(scope, { backend: source });
  const move = new DatabaseMove(scope, 'move', { source, target });
  expect(() => Testing.synth(scope)).toThrow(
    'no-server-while-moving: no server may run on "old" during a move, got chart/mlflow with `replicas` 1. Set its `replicas` to 0 for the move, and remove the move from the app afterwards.',
  );
  Rules.of(move).acknowledge('no-server-while-moving', 'test');
  expect(() => Testing.synth(scope)).not.toThrow();
  server(scope, { backend: target }, 'other');
  expect(() => Testing.synth(scope)).not.toThrow();
});
