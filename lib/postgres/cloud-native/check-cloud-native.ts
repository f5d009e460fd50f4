import { checkPodOptions } from '../../kube/pod/pod-options';
import { checkResources } from '../../kube/pod/resources';
import { checkStorageClass, checkVolumeSize } from '../../kube/values/persistence';
import { checkLabels } from '../../kube/values/metadata';
import { checkId, checkObjectName, checkSeconds, checkWhole } from '../../validation/checks';
import { checkImage } from '../../validation/image';
import type { Problems } from '../../validation/problems';
import type { PoolBudget } from '../capacity/pool-budget';
import { checkPoolerOptions, POOLER_PROPS } from '../capacity/pooler-options';
import { checkConnectionOptions } from '../connection/connection-options';
import { checkDatabase } from '../connection/endpoint';
import { checkMaxConnections, checkSettings } from '../connection/postgres-settings';

import type { CloudNativePostgresProps } from './cloud-native-postgres-props';
import { checkSizes } from './check-sizes';
import { FIXED_SETTINGS, POOLER_SETTINGS } from './operator-settings';

const OWNED_POOLER_SETTINGS = Object.fromEntries(
  Object.entries(POOLER_PROPS).map(([name, prop]) => [name, `pooler.${prop}`]),
);

const OWN_DATABASES = ['postgres', 'template0', 'template1'];
const OWN_ROLES = /^(streaming_replica|public|none|pg_.*|cnpg_.*)$/;

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
  checkDatabaseAndOwner(problems, props);
  checkImageName(problems, props.imageName);
  checkMaxConnections(problems, props.maxConnections);
  checkWhole(problems, 'synchronousReplication.standbys', props.synchronousReplication?.standbys, { least: 1 });
  const { instances = 3, synchronousReplication } = props;
  if (synchronousReplication !== undefined && (synchronousReplication.standbys ?? 1) >= instances) {
    problems.add(
      'synchronousReplication.standbys',
      `must be less than \`instances\` (${String(instances)}), one of which is the primary`,
      synchronousReplication.standbys ?? 1,
    );
  }
  checkLabels(problems, 'podMonitor.labels', props.podMonitor?.labels);
  checkSeconds(problems, 'podMonitor.interval', props.podMonitor?.interval);
  checkConnectionOptions(problems, props);
  checkSettings(problems, 'settings', props.settings, 'postgresql.conf', { max_connections: 'maxConnections' });
  checkAccepted(problems, 'settings', props.settings, (name) => !FIXED_SETTINGS.has(name));
  checkSizes(problems, props);
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
    checkSettings(problems, 'pooler.settings', props.pooler.settings, 'pgbouncer.ini', OWNED_POOLER_SETTINGS);
    checkAccepted(problems, 'pooler.settings', props.pooler.settings, (name) => POOLER_SETTINGS.has(name));
    budget?.check(problems, id, 'pooler.');
  }
}

/** Validates the names of a database and of the role that owns it. */
export function checkDatabaseAndOwner(
  problems: Problems,
  { database, owner }: Pick<CloudNativePostgresProps, 'database' | 'owner'>,
): void {
  checkDatabase(problems, database);
  if (database !== undefined && OWN_DATABASES.includes(database)) {
    problems.add('database', 'must be another than those that PostgreSQL comes with', database);
  }
  checkDatabase(problems, owner, 'owner');
  if (owner === 'postgres') {
    problems.add(
      'owner',
      'must be a role other than the superuser',
      owner,
      'The operator gives the superuser no password.',
    );
  } else if (owner !== undefined && OWN_ROLES.test(owner)) {
    problems.add('owner', 'must not be a role of PostgreSQL or of the operator', owner);
  }
}

/** The operator reads the version of PostgreSQL from the tag. */
function checkImageName(problems: Problems, image: string | undefined): void {
  checkImage(problems, 'imageName', image);
  if (image !== undefined && !/:\d[^/:]*$/.test(image.replace(/@.*/, ''))) {
    problems.add(
      'imageName',
      'must have a tag that begins with the version of PostgreSQL, such as 18.1, by which the operator recognizes upgrades',
      image,
      'A digest may follow the tag.',
    );
  }
}

/** The operator's webhook refuses the others. */
function checkAccepted(
  problems: Problems,
  prop: string,
  settings: Record<string, string> = {},
  isAccepted: (name: string) => boolean,
): void {
  // What is no name at all is told already, and what has a prop of its own.
  const names = Object.keys(settings).filter(
    (name) => /^[a-z][a-z0-9_.]*$/.test(name) && !(name in OWNED_POOLER_SETTINGS),
  );
  const refused = names.filter((name) => !isAccepted(name));
  if (refused.length > 0) {
    problems.add(prop, 'must not have settings that the operator refuses', refused.join(', '), 'Leave them out.');
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
