import { Testing } from 'cdk8s';
import { type IPostgresBackend, PgBouncer, type PgBouncerProps } from 'cdk8s-mlflow';
import type { Construct } from 'constructs';

import { anyBackend, chart, type Manifest, only } from './synth';

type Props = Partial<PgBouncerProps>;

/** What a PgBouncer `pgbouncer` synthesizes, object by object. */
export function pgBouncerManifests(
  props: Props = {},
  backend: (scope: Construct) => IPostgresBackend = anyBackend,
): Manifest[] {
  const scope = chart();
  new PgBouncer(scope, 'pgbouncer', { backend: backend(scope), ...props });
  return Testing.synth(scope);
}

/** The ConfigMap of pgbouncer.ini. */
export function configOf(manifests: Manifest[]): Manifest {
  return only(
    manifests.filter(({ data }) => data?.['pgbouncer.ini'] !== undefined),
    'ConfigMap',
  );
}

/** The settings of pgbouncer.ini, by name. */
export function pgBouncerConfig(
  props?: Props,
  backend?: (scope: Construct) => IPostgresBackend,
): Record<string, string> {
  const text: string = configOf(pgBouncerManifests(props, backend)).data['pgbouncer.ini'];
  return Object.fromEntries([...text.matchAll(/^(\w+) = ?(.*)$/gm)].map(([, name, value]) => [name, value]));
}
