import { Testing } from 'cdk8s';
import { ExternalPostgres, MlflowServer } from 'cdk8s-mlflow';

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
