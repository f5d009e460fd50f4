import { checkId, checkPort } from '../../validation/checks';
import { checkIsolation } from '../../kube/network/isolation';
import { checkPodOptions } from '../../kube/pod/pod-options';
import type { Problems } from '../../validation/problems';
import { checkDatabase } from '../connection/endpoint';
import { checkMaxConnections, checkSettings } from '../connection/postgres-settings';

import type { BitnamiPostgresProps } from './bitnami-postgres-props';
import { rolesOf } from './server-plan';

/** Validates the props of a {@link BitnamiPostgres}. */
export function checkBitnami(problems: Problems, id: string, props: BitnamiPostgresProps): void {
  checkId(problems, id);
  checkDatabase(problems, props.database);
  props.passwords._check(problems, rolesOf(props));
  props.architecture?._check(problems);
  props.persistence?._check(problems, 'persistence');
  if (props.architecture?._replicates === true && props.persistence?._kind === 'existing') {
    problems.say(
      '`persistence` must not be an existing claim with read replicas: each server needs a volume of its own.',
      'Use Persistence.newClaim().',
    );
  }
  checkPort(problems, 'servicePort', props.servicePort);
  checkMaxConnections(problems, props.maxConnections);
  checkSettings(problems, 'settings', props.settings, 'postgresql.conf', { max_connections: 'maxConnections' });
  for (const file of Object.keys(props.initScripts ?? {})) {
    if (!/^[-._a-zA-Z0-9]+\.sql$/.test(file)) {
      problems.add('initScripts', 'must have file names that end in .sql', file, 'The image runs nothing else as SQL.');
    }
  }
  checkIsolation(problems, props.isolation);
  checkPodOptions(problems, props);
}
