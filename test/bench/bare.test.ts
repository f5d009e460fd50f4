import { Testing } from 'cdk8s';

import { type Manifest, only, scriptsOf } from '../support/synth';

import { bareChart } from './bare';
import { ourChart } from './ours';

test('the bare code that the benchmark compares with makes the same objects', () => {
  const byName = (a: Manifest, b: Manifest) => `${a.kind}/${a.name}`.localeCompare(`${b.kind}/${b.name}`);
  // Neither the order of objects nor that of variables means anything.
  const comparable = (manifests: Manifest[]) =>
    JSON.parse(
      JSON.stringify(manifests).replace(/("cdk8s.io\/metadata.addr"):"[^"]+"/g, '$1:""'),
      (key: string, value: Manifest) => (key === 'env' ? value.sort(byName) : value),
    ).sort(byName);
  const ours = Testing.synth(ourChart(Testing.app(), 1));
  const { name } = scriptsOf(ours).metadata;
  const revision = only(ours, 'Deployment').spec.template.metadata.annotations['cdk8s-mlflow/credentials-revision'];
  const bare = Testing.synth(bareChart(Testing.app(), 1, name as string, () => revision));
  expect(comparable(bare)).toEqual(comparable(ours));
});
