import { Testing } from 'cdk8s';

import { only } from '../support/synth';

import { bareChart } from './bare';
import { ourChart } from './ours';

test('the bare code that the benchmark compares with makes the same objects', () => {
  const withoutAddress = (manifests: unknown[]) =>
    JSON.parse(JSON.stringify(manifests).replace(/("cdk8s.io\/metadata.addr"):"[^"]+"/g, '$1:""'));
  const ours = Testing.synth(ourChart(Testing.app(), 1));
  const { name } = only(ours, 'ConfigMap').metadata;
  const revision = only(ours, 'Deployment').spec.template.metadata.annotations['cdk8s-mlflow/credentials-revision'];
  const bare = Testing.synth(
    bareChart(
      Testing.app(),
      1,
      () => name,
      () => revision,
    ),
  );
  expect(withoutAddress(bare)).toEqual(withoutAddress(ours));
});
