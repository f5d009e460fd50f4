import { Duration, Testing } from 'cdk8s';
import { ExternalPostgres, PgBouncer, type TcpKeepaliveOptions } from 'cdk8s-mlflow';

import { chart, container, env, type Manifest, server } from '../../support/synth';

function synthesized(tcpKeepalive?: TcpKeepaliveOptions): Manifest[] {
  const scope = chart();
  const backend = new ExternalPostgres(scope, 'pg', { host: 'db', user: 'u', password: 'p', tcpKeepalive });
  server(scope, { backend: new PgBouncer(scope, 'pooler', { backend }) });
  return Testing.synth(scope);
}

function texts(manifests: Manifest[], file: string): string[] {
  return manifests.flatMap(({ data }) => (data as Record<string, string> | undefined)?.[file] ?? []);
}

test.each([
  ['the default', undefined, [30, 10, 3, 20000]],
  [
    'its own',
    { idle: Duration.minutes(1), interval: Duration.seconds(5), count: 4, userTimeout: Duration.seconds(8) },
    [60, 5, 4, 8000],
  ],
])('%s: in the service file of all containers, and in PgBouncer', (_, options, values) => {
  const manifests = synthesized(options);
  const [idle, interval, count, timeout] = values.map(String);
  const file = `[mlflow]\nkeepalives_idle=${idle}\nkeepalives_interval=${interval}\nkeepalives_count=${count}\ntcp_user_timeout=${timeout}\n`;
  // One for both ways: to the pooler, and around it.
  expect(texts(manifests, 'pg_service.conf')).toEqual([file]);
  expect(texts(manifests, 'pgbouncer.ini').join()).toContain(
    `tcp_keepidle = ${idle}\ntcp_keepintvl = ${interval}\ntcp_keepcnt = ${count}\ntcp_user_timeout = ${timeout}\n`,
  );
  const ofServer = manifests.filter(({ metadata }) => metadata.name !== 'pooler');
  for (const [name, folder] of [
    ['wait-for-database', '/etc/postgres-service'],
    ['init-mlflow', '/etc/postgres-direct-service'],
    ['mlflow', '/etc/postgres-service'],
  ] as const) {
    expect(env(container(ofServer, name))).toMatchObject({
      PGSERVICE: 'mlflow',
      PGSERVICEFILE: `${folder}/pg_service.conf`,
    });
    expect(container(ofServer, name).volumeMounts).toContainEqual(expect.objectContaining({ mountPath: folder }));
  }
});

test('bad values are errors, all at once', () => {
  expect(() =>
    synthesized({
      idle: Duration.millis(1500),
      interval: Duration.seconds(0),
      count: 0,
      userTimeout: Duration.millis(500),
    }),
  ).toThrow(
    [
      '[chart/pg] `tcpKeepalive.idle` must be a whole number of seconds from 1, got 1.5.',
      '[chart/pg] `tcpKeepalive.interval` must be a whole number of seconds from 1, got 0.',
      '[chart/pg] `tcpKeepalive.count` must be a whole number from 1 to 127, got 0.',
      '[chart/pg] `tcpKeepalive.userTimeout` must be a whole number of seconds from 1, got 0.5.',
    ].join('\n'),
  );
});
