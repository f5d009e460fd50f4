import { SizeRoundingBehavior } from 'cdk8s';

import { checkId, checkObjectName, checkWhole } from '../../validation/checks';
import type { Problems } from '../../validation/problems';
import type { PoolBudget } from '../capacity/pool-budget';
import { checkPoolerOptions, POOLER_PROPS } from '../capacity/pooler-options';
import { checkDatabase } from '../connection/endpoint';
import { checkMaxConnections, checkSettings } from '../connection/postgres-settings';

import type { CloudNativePostgresProps, CloudNativeStorageOptions } from './cloud-native-postgres-props';

const POOLER_SETTINGS = Object.fromEntries(
  Object.entries(POOLER_PROPS).map(([name, prop]) => [name, `pooler.${prop}`]),
);

/** Validates the props of a {@link CloudNativePostgres}. */
export function checkCloudNative(
  problems: Problems,
  id: string,
  props: CloudNativePostgresProps,
  budget: PoolBudget | undefined,
): void {
  checkId(problems, id);
  checkWhole(problems, 'instances', props.instances, { least: 1 });
  checkStorage(problems, 'storage', props.storage);
  checkStorage(problems, 'walStorage', props.walStorage);
  checkDatabase(problems, props.database);
  checkOwner(problems, props.owner);
  checkMaxConnections(problems, props.maxConnections);
  checkSettings(problems, 'settings', props.settings, 'postgresql.conf', { max_connections: 'maxConnections' });
  checkPlugins(problems, props);
  props.tls?._check(problems);
  (props.imagePullSecrets ?? []).forEach((name) => {
    checkObjectName(problems, 'imagePullSecrets', name);
  });
  if (props.pooler !== undefined) {
    checkWhole(problems, 'pooler.instances', props.pooler.instances, { least: 1 });
    checkPoolerOptions(problems, props.pooler, 'pooler.');
    checkSettings(problems, 'pooler.settings', props.pooler.settings, 'pgbouncer.ini', POOLER_SETTINGS);
    budget?.check(problems, id, 'pooler.');
  }
}

function checkStorage(problems: Problems, prop: string, storage: CloudNativeStorageOptions | undefined): void {
  const gibibytes = storage?.size?.toGibibytes({ rounding: SizeRoundingBehavior.NONE });
  if (gibibytes !== undefined && (!Number.isInteger(gibibytes) || gibibytes < 1)) {
    problems.add(`${prop}.size`, 'must be a whole number of GiB from 1', gibibytes);
  }
}

function checkOwner(problems: Problems, owner: string | undefined): void {
  if (owner === 'postgres') {
    problems.add('owner', 'must be a role of its own', owner, 'The operator gives the superuser no password.');
  }
}

function checkPlugins(problems: Problems, { plugins = [] }: CloudNativePostgresProps): void {
  const archivers = plugins.filter((plugin) => plugin.isWalArchiver === true).map((plugin) => plugin.name);
  if (archivers.length > 1) {
    problems.add('plugins', 'must have at most one with `isWalArchiver`', archivers.join(', '));
  }
}
