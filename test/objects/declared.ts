import { Testing } from 'cdk8s';
import { type BasicAuthOptions, MlflowAuth, MlflowObjects, type MlflowServerProps, SecretKey } from 'cdk8s-mlflow';
import type { Construct } from 'constructs';

import { chart, type Manifest, only, server } from '../support/synth';

const key = (name: string): SecretKey => SecretKey.fromSecretName('auth', name);

/** Props of a server with users. */
export function basicAuth(options: Partial<BasicAuthOptions> = {}): Partial<MlflowServerProps> {
  return {
    auth: MlflowAuth.basic({ adminPassword: key('admin'), flaskSecretKey: key('flask'), ...options }),
    encryption: { passphrase: key('passphrase') },
  };
}

/** A server of these props with a Job `objects`, and what `declare` adds to it. */
export function declared(
  declare: (scope: Construct, objects: MlflowObjects) => void,
  props: Partial<MlflowServerProps> = {},
): Manifest[] {
  const scope = chart('ml');
  declare(scope, new MlflowObjects(scope, 'objects', { server: server(scope, props) }));
  return Testing.synth(scope);
}

/** The pod of the Job. */
export function jobOf(manifests: Manifest[]): Manifest {
  return only(manifests, 'Job').spec.template.spec;
}

/** The declarations that the Job reads. */
export function objectsIn(manifests: Manifest[]): Manifest[] {
  const { data } = only(
    manifests.filter(({ metadata }) => metadata.name.startsWith('objects-objects-')),
    'ConfigMap',
  );
  return JSON.parse(data['objects.json'] as string) as Manifest[];
}
