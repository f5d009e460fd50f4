import { checkPodOptions } from '../../kube/pod/pod-options';
import { checkVolumeSize } from '../../kube/values/persistence';
import { checkId, checkWhole } from '../../validation/checks';
import type { Problems } from '../../validation/problems';
import type { PoolBudget } from '../capacity/pool-budget';
import { checkPoolerOptions, POOLER_PROPS } from '../capacity/pooler-options';
import { checkDatabase } from '../connection/endpoint';
import { checkMaxConnections, checkSettings } from '../connection/postgres-settings';

import type { CloudNativePostgresProps } from './cloud-native-postgres-props';

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
  checkVolumeSize(problems, 'storage.size', props.storage?.size);
  checkVolumeSize(problems, 'walStorage.size', props.walStorage?.size);
  checkDatabase(problems, props.database);
  checkOwner(problems, props.owner);
  checkMaxConnections(problems, props.maxConnections);
  checkSettings(problems, 'settings', props.settings, 'postgresql.conf', { max_connections: 'maxConnections' });
  checkPlugins(problems, props);
  props.tls?._check(problems);
  checkPodOptions(problems, props);
  if (props.pooler !== undefined) {
    checkWhole(problems, 'pooler.instances', props.pooler.instances, { least: 1 });
    checkPoolerOptions(problems, props.pooler, 'pooler.');
    checkSettings(problems, 'pooler.settings', props.pooler.settings, 'pgbouncer.ini', POOLER_SETTINGS);
    budget?.check(problems, id, 'pooler.');
  }
}

function checkOwner(problems: Problems, owner: string | undefined): void {
  if (owner === 'postgres') {
    problems.add(
      'owner',
      'must be a role other than the superuser',
      owner,
      'The operator gives the superuser no password.',
    );
  }
}

function checkPlugins(problems: Problems, { plugins = [] }: CloudNativePostgresProps): void {
  const archivers = plugins.filter((plugin) => plugin.isWalArchiver === true).map((plugin) => plugin.name);
  if (archivers.length > 1) {
    problems.add('plugins', 'must have at most one with `isWalArchiver`', archivers.join(', '));
  }
}
