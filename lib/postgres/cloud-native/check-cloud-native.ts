import { checkPodOptions } from '../../kube/pod/pod-options';
import { checkResources } from '../../kube/pod/resources';
import { checkStorageClass, checkVolumeSize } from '../../kube/values/persistence';
import { checkId, checkObjectName, checkWhole } from '../../validation/checks';
import { checkImage } from '../../validation/image';
import type { Problems } from '../../validation/problems';
import type { PoolBudget } from '../capacity/pool-budget';
import { checkPoolerOptions, POOLER_PROPS } from '../capacity/pooler-options';
import { checkConnectionOptions } from '../connection/connection-options';
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
  checkStorageClass(problems, 'storage.storageClassName', props.storage?.storageClassName);
  checkVolumeSize(problems, 'walStorage.size', props.walStorage?.size);
  checkStorageClass(problems, 'walStorage.storageClassName', props.walStorage?.storageClassName);
  checkDatabase(problems, props.database);
  checkOwner(problems, props.owner);
  checkImage(problems, 'imageName', props.imageName);
  checkMaxConnections(problems, props.maxConnections);
  checkConnectionOptions(problems, props);
  checkSettings(problems, 'settings', props.settings, 'postgresql.conf', { max_connections: 'maxConnections' });
  checkPlugins(problems, props);
  props.tls?._check(problems);
  if (props.tls?._usesSystemCa === true) {
    problems.say(
      '`tls` must have a `ca`: the certificates of a Cluster are signed by a CA of its own.',
      'Leave `tls` out, which verifies them with that CA.',
    );
  }
  checkPodOptions(problems, props);
  if (props.pooler !== undefined) {
    checkWhole(problems, 'pooler.instances', props.pooler.instances, { least: 1 });
    checkPoolerOptions(problems, props.pooler, 'pooler.');
    checkResources(problems, 'pooler.resources', props.pooler.resources);
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
  plugins.forEach(({ name }, i) => {
    checkObjectName(problems, `plugins[${String(i)}].name`, name);
  });
  if (archivers.length > 1) {
    problems.add('plugins', 'must have at most one with `isWalArchiver`', archivers.join(', '));
  }
}
