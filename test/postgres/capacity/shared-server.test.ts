import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { App, Chart, Testing } from 'cdk8s';
import {
  AwsIdentity,
  BackupLocation,
  ExistingSecretPostgres,
  MlflowServer,
  PgBouncer,
  PoolingProfile,
  PostgresBackup,
  PostgresExporter,
  Rules,
  S3Artifacts,
} from 'cdk8s-mlflow';
import { EnvValue } from 'cdk8s-plus-28';
import { Construct } from 'constructs';

import { addPoolerDemand } from '../../../lib/postgres/capacity/connection-demand';
import { PoolBudget } from '../../../lib/postgres/capacity/pool-budget';
import {
  type Backend,
  bitnami,
  cloudNative,
  cloudSql,
  existing,
  external,
  inSecret,
  own,
  OwnBackend,
  RDS,
  rds,
} from './server-backends';

const failed = 'Validation failed with the following errors:\n  ';
const newApp = (): App => new App({ outdir: Testing.app().outdir });

/** Synthesizes one server of 44 connections on each backend, each in a chart of its own. */
function synth(backends: readonly Backend[], namespaceOf: (i: number) => string | undefined = () => undefined): void {
  const app = newApp();
  Rules.of(app).acknowledge('unique-name', 'Charts without a namespace, to be applied to different ones.');
  backends.forEach((backend, i) => {
    const chart = new Chart(app, `team-${String(i + 1)}`, { namespace: namespaceOf(i) });
    new MlflowServer(chart, 'mlflow', { backend: backend(chart, 60) });
  });
  app.synth();
}

test.each<[string, Backend[], string]>([
  ['the same host', [external('db.example.com'), external('db.example.com')], 'db.example.com:5432'],
  ['upper case', [external('db.example.com'), external('DB.Example.com')], 'db.example.com:5432'],
  ['the dot of an absolute name', [external('db.example.com.'), external('db.example.com')], 'db.example.com:5432'],
  ['the default port', [external('db.example.com', 5432), external('db.example.com')], 'db.example.com:5432'],
  ['another kind of backend', [external(RDS), rds(RDS)], `${RDS}:5432`],
  ['a login in a Secret', [external('10.0.0.5'), existing('10.0.0.5')], '10.0.0.5:5432'],
  ['another spelling of an address', [external('2001:DB8:0::5'), external('2001:db8::5')], '[2001:db8::5]:5432'],
  ['a failover host in common', [external('a.io', 5432, ['b.io']), external('b.io', 5432, ['c.io'])], 'a.io:5432'],
  ['a host in a Secret', [inSecret('app', 'host'), inSecret('app')], 'the key host of the Secret app'],
  [
    'a proxy to the same instance',
    [cloudSql('shop:europe-west1:a'), cloudSql('shop:europe-west1:a')],
    'shop:europe-west1:a',
  ],
  ['a proxy of their own with a name', [own({ server: 'hr' }), own({ server: 'hr' })], 'hr'],
  ['short names where no namespace is known', [external('db'), external('db')], 'db:5432'],
])('backends are on one server by %s', (_, backends, name) => {
  expect(() => {
    synth(backends);
  }).toThrow(
    new Error(
      [
        `${failed}[team-2/mlflow] pool-fits-database: up to 88 connections exceed the 57 that ${name} offers to all of its backends together:`,
        '      team-1/postgres: 44 (mlflow: 1 pod x 44 with 2 workers)',
        '      team-2/postgres: 44 (mlflow: 1 pod x 44 with 2 workers)',
        '    Lower `pooling`, `workers` or `replicas`, raise `maxConnections`, or put a pooler between. The largest pool that fits is 6 + 1. `maxConnections` 91 fits all.',
      ].join('\n'),
    ),
  );
});

test.each<[string, Backend[]]>([
  ['other hosts', [external('a.example.com'), external('b.example.com')]],
  ['other ports', [external('db.example.com'), external('db.example.com', 5433)]],
  ['other keys of a Secret', [inSecret('app'), inSecret('app', 'pooler-host')]],
  ['other Secrets', [inSecret('a'), inSecret('b')]],
  ['other instances behind the same address', [cloudSql('shop:europe-west1:a'), cloudSql('shop:europe-west1:b')]],
  ['proxies that nobody named', [own({}), own({})]],
  ['servers of their own with the same name', [bitnami, bitnami]],
  ['clusters of their own with the same name', [cloudNative, cloudNative]],
])('backends are on servers of their own by %s', (_, backends) => {
  expect(() => {
    synth(backends);
  }).not.toThrow();
});

test.each<[string, string[], Backend[], string | undefined]>([
  ['a short name', ['a', 'a'], [external('db'), external('db')], 'db.a:5432'],
  ['short names of other namespaces', ['a', 'b'], [external('db'), external('db')], undefined],
  ['a short name and the full one', ['a', 'b'], [external('db'), external('db.a.svc.cluster.local')], 'db.a:5432'],
  ['a short name and one of two parts', ['a', 'b'], [external('db'), external('db.a')], 'db.a:5432'],
  ['another domain of the cluster', ['a', 'b'], [external('db.c.svc.k8s.corp.'), external('db.c.svc')], 'db.c:5432'],
  ['a Secret', ['a', 'a'], [inSecret('app'), inSecret('app')], 'the key host of the Secret app in a'],
  ['Secrets of other namespaces', ['a', 'b'], [inSecret('app'), inSecret('app')], undefined],
  ['the Service of a BitnamiPostgres', ['a', 'b'], [bitnami, external('postgres.a.svc')], 'team-1/postgres'],
  ['the Service of a CloudNativePostgres', ['a', 'b'], [cloudNative, external('postgres-rw.a')], 'team-1/postgres'],
])('in namespaces, backends share a server by %s', (_, namespaces, backends, name) => {
  const synthesis = (): void => {
    synth(backends, (i) => namespaces[i]);
  };
  if (name === undefined) {
    expect(synthesis).not.toThrow();
  } else {
    expect(synthesis).toThrow(`up to 88 connections exceed the 57 that ${name} offers`);
  }
});

test('a backend of many namespaces stays one server, and joins those that they know it by', () => {
  const app = newApp();
  const backend = external('db')(new Chart(app, 'shared'), 130);
  ['a', 'b'].forEach((namespace) => {
    const chart = new Chart(app, namespace, { namespace });
    new MlflowServer(chart, 'mlflow', { backend });
    Rules.of(chart).acknowledge('same-namespace', 'The Secret is copied.');
  });
  new MlflowServer(new Chart(app, 'c', { namespace: 'c' }), 'mlflow', {
    backend: existing('db.b.svc')(new Chart(app, 'c-db')),
  });
  expect(() => {
    app.synth();
  }).toThrow('up to 132 connections exceed the 127 that ');
});

/** Thirty teams on one server, each in a chart and a namespace of its own. */
function thirtyTeams(maxConnections: number, pooling?: PoolingProfile): App {
  const app = newApp();
  for (let n = 1; n <= 30; n += 1) {
    const team = `team-${String(n).padStart(2, '0')}`;
    const chart = new Chart(app, team, { namespace: team });
    const backend = new ExistingSecretPostgres(chart, 'postgres', {
      host: 'postgres.example.com',
      database: team.replace('-', '_'),
      secretName: 'mlflow-database',
      maxConnections,
    });
    new MlflowServer(chart, 'mlflow', { backend, pooling });
  }
  return app;
}

test('thirty teams on one server of 200 connections are told what each takes, and what fits all', () => {
  const teams = Array.from({ length: 30 }, (_, i) => `team-${String(i + 1).padStart(2, '0')}`);
  expect(() => {
    thirtyTeams(200).synth();
  }).toThrow(
    new Error(
      [
        `${failed}[team-30/mlflow] pool-fits-database: up to 1320 connections exceed the 197 that postgres.example.com:5432 offers to all of its backends together:`,
        ...teams.map((team) => `      ${team}/postgres: 44 (mlflow: 1 pod x 44 with 2 workers)`),
        '    Lower `pooling`, `workers` or `replicas`, raise `maxConnections`, or put a pooler between. `maxConnections` 1323 fits all.',
      ].join('\n'),
    ),
  );
});

test('docs/databases.md shows an error as it is', () => {
  const app = newApp();
  Object.entries({ vision: 2, text: 1 }).forEach(([team, replicas]) => {
    const chart = new Chart(app, `team-${team}`, { namespace: team });
    const store = { bucket: team, region: 'eu-west-1', identity: AwsIdentity.ambient() };
    new MlflowServer(chart, 'mlflow', {
      backend: existing('postgres.example.com')(chart, 100),
      replicas,
      artifactRoot: replicas === 1 ? undefined : new S3Artifacts(store),
    });
  });
  const page = readFileSync(join(__dirname, '../../../docs/databases.md'), 'utf8');
  const [error = ''] = /\[team-text\/mlflow\] pool-fits-database: [^`]*(.*\n)+?\n/.exec(page) ?? [];
  expect(() => {
    app.synth();
  }).toThrow(new Error(failed + error.trimEnd().replaceAll('\n    ', '\n')));
});

test('what is told fits all', () => {
  const errors = (maxConnections: number, pooling?: PoolingProfile): string[] => {
    const app = thirtyTeams(maxConnections, pooling);
    return app.node.findAll().flatMap((each) => (each instanceof MlflowServer ? each.node.validate() : []));
  };
  expect(errors(1323)).toEqual([]);
  expect(errors(1322)).toEqual([
    expect.stringMatching(/The largest pool that fits is 9 \+ 1\. `maxConnections` 1323 fits all\.$/),
  ]);
  expect(errors(1322, new PoolingProfile({ poolSize: 9, maxOverflow: 1 }))).toEqual([]);
});

test('each takes all that connects to its database', () => {
  const app = newApp();
  const [one, two] = ['one', 'two'].map((team) => new Chart(app, team, { namespace: team })) as [Chart, Chart];
  const backend = existing('db.example.com')(one, 100);
  new MlflowServer(one, 'mlflow', { backend });
  new PostgresBackup(one, 'backup', { backend, target: BackupLocation.volume() });
  new PostgresExporter(one, 'exporter', { backend });
  // The clients of a pooler are not those of the server.
  const pooler = new PgBouncer(two, 'pooler', { backend: external('db.example.com')(two), defaultPoolSize: 25 });
  new MlflowServer(two, 'mlflow', { backend: pooler, threads: 5 });
  expect(() => {
    app.synth();
  }).toThrow(
    new Error(
      [
        `${failed}[one/mlflow] pool-fits-database: up to 126 connections exceed the 97 that db.example.com:5432 offers to all of its backends together:`,
        '      one/postgres: 48 (mlflow: 1 pod x 44 with 2 workers; backup: 2 at its time; exporter: 2 for metrics)',
        '      two/postgres: 78 (pooler: 3 pods x 25; mlflow: 3 for the migration)',
        '    Lower `pooling`, `workers` or `replicas`, raise `maxConnections`, or put a pooler between. The largest pool that fits is 2 + 1. The largest `defaultPoolSize` that fits is 15. `maxConnections` 129 fits all.',
      ].join('\n'),
    ),
  );
});

test('poolers without a given size share what the server leaves', () => {
  const app = newApp();
  const poolers = ['one', 'two'].map((team) => {
    const chart = new Chart(app, team, { namespace: team });
    const pooler = new PgBouncer(chart, 'pooler', { backend: existing('db.example.com')(chart, 100) });
    new MlflowServer(chart, 'mlflow', { backend: pooler, threads: 3 });
    return pooler;
  });
  expect(() => {
    app.synth();
  }).not.toThrow();
  // (100 - 3 reserved - 2 migrations of 3) / (2 poolers of 3 pods).
  expect(poolers.map(({ connection }) => connection.serverConnections)).toEqual([15, 15]);
});

test('one server has one limit', () => {
  const app = newApp();
  [100, undefined, 200].forEach((limit, i) => {
    const chart = new Chart(app, `team-${String(i)}`);
    new MlflowServer(chart, `mlflow-${String(i)}`, { backend: existing('db')(chart, limit) });
  });
  expect(() => {
    app.synth();
  }).toThrow(
    new Error(
      `${failed}[team-2/mlflow-2] pool-fits-database: \`maxConnections\` must be the same in all backends on db:5432, got 100 of team-0/postgres and 200 of team-2/postgres. It is the limit of the whole server (SHOW max_connections), which all of its databases share. Give each backend that number.`,
    ),
  );
});

test('it is enough if one backend knows the limit', () => {
  expect(() => {
    synth([(chart) => external('db')(chart), external('db')]);
  }).toThrow('up to 88 connections exceed the 57 that db:5432 offers');
});

test('servers of different apps have nothing in common', () => {
  expect(() => {
    synth([external('db')]);
    synth([external('db')]);
  }).not.toThrow();
});

test('a thousand poolers of one server are counted in a moment', () => {
  const chart = new Chart(newApp(), 'chart');
  for (let n = 0; n < 1000; n += 1) {
    const scope = new Construct(chart, `team-${String(n)}`);
    const { connection } = new OwnBackend(scope, { host: EnvValue.fromValue('db.io'), maxConnections: 10_000 });
    addPoolerDemand(connection, scope, new PoolBudget(1, {}, connection));
  }
  const start = process.cpuUsage();
  expect(chart.node.children.flatMap(({ node }) => node.validate())).toEqual([]);
  expect(process.cpuUsage(start).user).toBeLessThan(3e6);
});
