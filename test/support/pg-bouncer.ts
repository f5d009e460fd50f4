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

/** The settings of pgbouncer.ini, by name. */
export function pgBouncerConfig(
  props?: Props,
  backend?: (scope: Construct) => IPostgresBackend,
): Record<string, string> {
  const text: string = only(pgBouncerManifests(props, backend), 'ConfigMap').data['pgbouncer.ini'];
  return Object.fromEntries([...text.matchAll(/^(\w+) = ?(.*)$/gm)].map(([, name, value]) => [name, value]));
}
