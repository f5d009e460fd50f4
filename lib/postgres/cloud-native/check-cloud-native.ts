import { SizeRoundingBehavior } from 'cdk8s';

import { checkId, checkObjectName, checkWhole } from '../../validation/checks';
import type { Problems } from '../../validation/problems';
import { checkDatabase } from '../connection/endpoint';
import { checkMaxConnections } from '../connection/external-endpoint';
import { checkPoolBudget, type PoolBudget } from '../capacity/pool-budget';

import type { CloudNativePostgresProps, CloudNativeStorageOptions } from './cloud-native-postgres-props';

const POOLER_PROPS: Record<string, string> = {
  default_pool_size: 'pooler.defaultPoolSize',
  reserve_pool_size: 'pooler.reservePoolSize',
  max_client_conn: 'pooler.maxClientConnections',
};

/** What the props of a {@link CloudNativePostgres} must look like. */
export function checkCloudNative(
  problems: Problems,
  id: string,
  props: CloudNativePostgresProps,
  poolBudget: PoolBudget,
): void {
  checkId(problems, id);
  checkWhole(problems, 'instances', props.instances, { least: 1 });
  checkStorage(problems, 'storage', props.storage);
  checkStorage(problems, 'walStorage', props.walStorage);
  checkDatabase(problems, props.database);
  checkOwner(problems, props.owner);
  checkMaxConnections(problems, props.maxConnections);
  checkSettings(problems, 'settings', props.settings, { max_connections: 'maxConnections' });
  checkPlugins(problems, props);
  props.tls?._check(problems);
  (props.imagePullSecrets ?? []).forEach((name) => {
    checkObjectName(problems, 'imagePullSecrets', name);
  });
  if (props.pooler !== undefined) {
    checkWhole(problems, 'pooler.instances', props.pooler.instances, { least: 1 });
    checkWhole(problems, 'pooler.defaultPoolSize', props.pooler.defaultPoolSize, { least: 1 });
    checkWhole(problems, 'pooler.reservePoolSize', props.pooler.reservePoolSize, { least: 0 });
    checkWhole(problems, 'pooler.maxClientConnections', props.pooler.maxClientConnections, { least: 1 });
    checkSettings(problems, 'pooler.settings', props.pooler.settings, POOLER_PROPS);
    checkPoolBudget(problems, id, poolBudget, 'pooler.');
  }
}

function checkStorage(problems: Problems, prop: string, storage: CloudNativeStorageOptions | undefined): void {
  const gibibytes = storage?.size?.toGibibytes({ rounding: SizeRoundingBehavior.NONE });
  if (gibibytes !== undefined && (!Number.isInteger(gibibytes) || gibibytes < 1)) {
    problems.add(`${prop}.size`, 'must be a whole number of GiB from 1', gibibytes);
  }
}

function checkOwner(problems: Problems, owner: string | undefined): void {
  if (owner === '' || owner === 'postgres') {
    problems.add('owner', 'must be a role of its own', owner, 'The operator gives the superuser no password.');
  }
}

function checkSettings(
  problems: Problems,
  prop: string,
  settings: Record<string, string> | undefined,
  ownProps: Record<string, string>,
): void {
  for (const name of Object.keys(settings ?? {})) {
    const own = ownProps[name];
    if (own !== undefined) {
      problems.say(`\`${prop}\` must not name ${name}.`, `Use \`${own}\`.`);
    } else if (!/^[a-z][a-z0-9_]*(\.[a-z0-9_]+)*$/.test(name)) {
      problems.add(prop, 'must have names of settings', name);
    }
  }
}

function checkPlugins(problems: Problems, { plugins = [] }: CloudNativePostgresProps): void {
  const archivers = plugins.filter((plugin) => plugin.isWalArchiver === true).map((plugin) => plugin.name);
  if (archivers.length > 1) {
    problems.add('plugins', 'must have at most one with `isWalArchiver`', archivers.join(', '));
  }
}
