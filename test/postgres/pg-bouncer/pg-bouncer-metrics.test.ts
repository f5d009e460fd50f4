import { Testing } from 'cdk8s';
import { ExistingSecretPostgres, FileSource, PgBouncer, type PgBouncerProps } from 'cdk8s-mlflow';

import { configOf } from '../../support/pg-bouncer';
import { chart, containerOf, env, type Manifest, only, podOf } from '../../support/synth';

function synth(props: Partial<PgBouncerProps>): Manifest[] {
  const scope = chart();
  const backend = new ExistingSecretPostgres(scope, 'postgres', { host: 'db', secretName: 'login' });
  new PgBouncer(scope, 'pgbouncer', { backend, ...props });
  return Testing.synth(scope);
}

const ini = (manifests: Manifest[]): string => configOf(manifests).data['pgbouncer.ini'];

describe('metrics', () => {
  const manifests = synth({ metrics: {} });

  test('come from a container with a login of its own, of which no manifest knows the password', () => {
    const exporter = containerOf(podOf(manifests), 'metrics');
    expect(exporter).toMatchObject({
      image: 'docker.io/prometheuscommunity/pgbouncer-exporter:v0.11.0',
      args: [
        '--web.listen-address=:9127',
        '--pgBouncer.connectionString=postgres://pgbouncer_exporter@127.0.0.1:6432/pgbouncer?sslmode=disable',
      ],
      volumeMounts: [{ mountPath: '/run/pgbouncer', name: 'secrets', readOnly: true }],
    });
    expect(env(exporter)).toEqual({ PGPASSFILE: '/run/pgbouncer/stats.pgpass' });
    expect(env(containerOf(podOf(manifests), 'write-userlist'))).toMatchObject({
      PGBOUNCER_STATS_USER: 'pgbouncer_exporter',
    });
    expect(ini(manifests)).toContain('stats_users = pgbouncer_exporter\n');
  });

  test('are on the Service, and open to Prometheus', () => {
    expect(only(manifests, 'Service').spec.ports).toContainEqual({ name: 'metrics', port: 9127, targetPort: 9127 });
    expect(only(manifests, 'NetworkPolicy').spec.ingress).toEqual([
      expect.objectContaining({ ports: [{ port: 6432, protocol: 'TCP' }] }),
      {
        from: [
          {
            namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'monitoring' } },
            podSelector: { matchLabels: { 'app.kubernetes.io/name': 'prometheus' } },
          },
        ],
        ports: [{ port: 9127, protocol: 'TCP' }],
      },
    ]);
  });

  test('are encrypted on the way within the pod, where PgBouncer takes nothing else', () => {
    const certificate = FileSource.fromSecret('pooler', 'tls.crt');
    const encrypted = synth({ metrics: {}, clientTls: { certificate, privateKey: certificate } });
    expect(containerOf(podOf(encrypted), 'metrics').args[1]).toMatch(/sslmode=require$/);
  });

  test('are not there unless asked for', () => {
    expect(podOf(synth({})).containers.map((c: Manifest) => c.name)).toEqual(['pgbouncer']);
    expect(ini(synth({}))).not.toContain('stats_users');
  });
});
