import { ApiObject, JsonPatch, Testing } from 'cdk8s';
import { k8s } from 'cdk8s-plus-28';
import { BitnamiPasswords, BitnamiPostgres } from 'cdk8s-mlflow';

import { chart, only } from '../../support/synth';

/** The storage that the claim template requests, with this value in a patch. */
function patchedStorage(storage: unknown): unknown {
  const scope = chart();
  const postgres = new BitnamiPostgres(scope, 'postgres', {
    passwords: BitnamiPasswords.fromLiterals({ postgresPassword: 'secret' }),
  });
  ApiObject.of(postgres.statefulSet).addJsonPatch(
    JsonPatch.replace('/spec/volumeClaimTemplates/0/spec/resources/requests/storage', storage),
  );
  return only(Testing.synth(scope), 'StatefulSet').spec.volumeClaimTemplates[0].spec.resources.requests.storage;
}

test('a patch of a quantity is of the generated type', () => {
  expect(patchedStorage(k8s.Quantity.fromString('30Gi'))).toBe('30Gi');
});

// If this fails, cdk8s-plus-28 renders plain values, too, and README.md need not warn of them.
test('cdk8s-plus-28 drops a plain quantity', () => {
  expect(patchedStorage('30Gi')).toBeUndefined();
});
