import { Testing } from 'cdk8s';
import { CloudNativePostgres, ClusterSettings, ExternalPostgres, MlflowServer } from 'cdk8s-mlflow';

import { chart, only } from '../../support/synth';

test('a pull secret that is given twice is named once, as a server-side apply requires', () => {
  const scope = chart();
  new MlflowServer(scope, 'mlflow', {
    backend: new ExternalPostgres(scope, 'postgres', { host: 'db', user: 'mlflow', password: 'Secret-123' }),
    imagePullSecrets: ['registry', 'mirror', 'registry'],
  });
  const { spec } = only(Testing.synth(scope), 'Deployment').spec.template;
  expect(spec.imagePullSecrets).toEqual([{ name: 'registry' }, { name: 'mirror' }]);
});

test('so is one of the cluster, and one of an operator', () => {
  const scope = chart();
  ClusterSettings.of(scope).apply({ imagePullSecrets: ['registry', 'registry'] });
  const backend = new CloudNativePostgres(scope, 'postgres', { instances: 1 });
  new CloudNativePostgres(scope, 'other', { instances: 1, imagePullSecrets: ['mirror', 'mirror'] });
  new MlflowServer(scope, 'mlflow', { backend });
  const manifests = Testing.synth(scope);
  const clusters = manifests.filter(({ kind }) => kind === 'Cluster');
  expect([only(manifests, 'Deployment').spec.template, ...clusters].map(({ spec }) => spec.imagePullSecrets)).toEqual([
    [{ name: 'registry' }],
    [{ name: 'registry' }],
    [{ name: 'mirror' }],
  ]);
});
