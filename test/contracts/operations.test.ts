import { Testing } from 'cdk8s';
import { NetworkPeer, PgBouncer } from 'cdk8s-mlflow';

import { closed, edges } from '../support/edges';
import { anyBackend, chart, env, type Manifest, only } from '../support/synth';

import { type OperationCase, OPERATIONS } from './registered';

/** What an operation reaches besides its database. */
const FURTHER_SERVERS: Record<string, string[]> = { MySqlImport: ['out 3306/TCP to anybody'] };

describe.each(Object.entries(OPERATIONS))('%s', (name, make) => {
  function synth(props: OperationCase = {}): Manifest[] {
    const scope = chart();
    make(scope, new PgBouncer(scope, 'pgbouncer', { backend: anyBackend(scope) }), props);
    return Testing.synth(scope);
  }

  function templateOf(manifests: Manifest[]): Manifest {
    const isIts = ({ kind, metadata }: Manifest): boolean =>
      (kind === 'CronJob' && metadata.name === 'it') || (kind === 'Job' && /^it-[0-9a-f]{8}$/.test(metadata.name));
    const found = manifests.filter(isIts);
    expect(found).toHaveLength(1);
    const [{ spec }] = found;
    return (spec.jobTemplate?.spec ?? spec).template;
  }

  function containersOf({ initContainers = [], containers }: Manifest): Manifest[] {
    return [...initContainers, ...containers];
  }

  // What the operations of a server do not ask for themselves is a prop of their server.
  const path = ['MlflowGarbageCollection', 'MigrationRollback', 'MlflowTraceArchival'].includes(name)
    ? 'chart/mlflow'
    : 'chart/it';

  test('keeps to the restricted Pod Security Standard, with requests and limits', () => {
    const { spec } = templateOf(synth());
    expect(spec).toMatchObject({
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      restartPolicy: 'Never',
      securityContext: { runAsNonRoot: true },
    });
    for (const { securityContext, resources } of containersOf(spec)) {
      expect(securityContext).toMatchObject({
        runAsNonRoot: true,
        readOnlyRootFilesystem: true,
        allowPrivilegeEscalation: false,
        capabilities: { drop: ['ALL'] },
      });
      expect(Object.keys(resources.requests)).toEqual(expect.arrayContaining(['cpu', 'memory']));
      expect(Object.keys(resources.limits)).toEqual(expect.arrayContaining(['cpu', 'memory']));
    }
  });

  test('connects to the database itself, past a pooler, with a password from a Secret', () => {
    const connected = containersOf(templateOf(synth()).spec)
      .map(env)
      .filter(({ PGHOST }) => PGHOST !== undefined);
    expect(connected.length).toBeGreaterThan(0);
    for (const { PGHOST, PGPASSWORD } of connected) {
      expect(PGHOST).toBe('db');
      expect(PGPASSWORD).toEqual({ secretKeyRef: { name: expect.any(String), key: expect.any(String) } });
    }
  });

  test('takes an image, logins to its registry and a priority class', () => {
    const image = 'mirror/mlflow:1';
    const { spec } = templateOf(synth({ image, imagePullSecrets: ['registry'], priorityClassName: 'low' }));
    expect(spec).toMatchObject({ imagePullSecrets: [{ name: 'registry' }], priorityClassName: 'low' });
    expect(containersOf(spec).map((each) => each.image)).toContain(image);
  });

  test('an isolated one reaches the database itself, past a pooler, and nobody reaches it', () => {
    const manifests = synth({ isolation: { egress: [{ peers: [NetworkPeer.cidr('192.0.2.0/24')], ports: [443] }] } });
    expect(closed(manifests, 'it')).toEqual(['Ingress', 'Egress']);
    expect(edges(manifests, 'it')).toEqual([
      'out 53/UDP 53/TCP to k8s-app=kube-dns of metadata.name=kube-system',
      'out 5432/TCP to anybody',
      ...(FURTHER_SERVERS[name] ?? []),
      'out 443/TCP to 192.0.2.0/24',
    ]);
    const { matchLabels } = only(manifests, 'NetworkPolicy', 'it').spec.podSelector;
    expect(templateOf(manifests).metadata.labels).toMatchObject(matchLabels);
  });

  test('any other has no policy', () => {
    expect(synth().filter((m) => m.kind === 'NetworkPolicy' && m.metadata.name === 'it')).toEqual([]);
  });

  test('refuses a way to nobody', () => {
    expect(() => synth({ isolation: { dns: { peers: [] } } })).toThrow(
      new Error(
        `[${path}] \`isolation.dns.peers\` must name at least one peer, got none. Leave it out for any address.`,
      ),
    );
  });

  test('refuses names that cannot be', () => {
    expect(() => synth({ image: '', imagePullSecrets: ['A_B'] })).toThrow(
      new Error(
        [
          '`image` must be given or left out, got an empty string. If it comes from an environment variable, set that before the synthesis.',
          '`imagePullSecrets` must be the name of a Kubernetes object (lower-case letters, digits, dashes and dots), got "A_B".',
        ]
          .map((line) => `[${path}] ${line}`)
          .join('\n'),
      ),
    );
  });
});
