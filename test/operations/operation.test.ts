import { Testing } from 'cdk8s';
import { NetworkPeer, PgBouncer } from 'cdk8s-mlflow';
import { Construct } from 'constructs';

import { labelsOf } from '../../lib/kube/pod/labels';
import { oneShotJob } from '../../lib/kube/pod/job';
import { checkOperation, Operation, type OperationProps } from '../../lib/operations/operation';
import { ScriptFiles } from '../../lib/scripts/scripts';
import { Problems } from '../../lib/validation/problems';
import { closed, edges } from '../support/edges';
import { anyBackend, chart, type Manifest, only } from '../support/synth';

function synth(props: OperationProps): Manifest[] {
  const scope = chart();
  const { connection } = new PgBouncer(scope, 'pgbouncer', { backend: anyBackend(scope) });
  const construct = new Construct(scope, 'care');
  const problems = new Problems(construct);
  checkOperation(problems, 'care', props);
  const pod = problems.finish(() => {
    const operation = new Operation(
      construct,
      problems,
      labelsOf('mlflow', 'care', 'care'),
      props,
      connection,
      ScriptFiles.named('x.py'),
    );
    return operation.pod({ containers: [operation.container('work', { script: ['x.py'], connects: true })] });
  });
  oneShotJob(construct, 'job', pod, { name: 'care' });
  return Testing.synth(scope);
}

test('an isolated one reaches the database itself, past a pooler, and nobody reaches it', () => {
  const manifests = synth({ isolation: { egress: [{ peers: [NetworkPeer.cidr('192.0.2.0/24')], ports: [443] }] } });
  expect(closed(manifests, 'care')).toEqual(['Ingress', 'Egress']);
  expect(edges(manifests, 'care')).toEqual([
    'out 53/UDP 53/TCP to k8s-app=kube-dns of metadata.name=kube-system',
    'out 5432/TCP to anybody',
    'out 443/TCP to 192.0.2.0/24',
  ]);
  const { matchLabels } = only(manifests, 'NetworkPolicy', 'care').spec.podSelector;
  expect(only(manifests, 'Job').spec.template.metadata.labels).toMatchObject(matchLabels);
});

test('any other has no policy', () => {
  expect(synth({}).filter((m) => m.kind === 'NetworkPolicy' && m.metadata.name === 'care')).toEqual([]);
});

test('refuses a way to nobody', () => {
  expect(() => synth({ isolation: { dns: { peers: [] } } })).toThrow(
    new Error(
      '[chart/care] `isolation.dns.peers` must name at least one peer, got none. Leave it out for any address.',
    ),
  );
});
