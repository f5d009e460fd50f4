import { checkImage, checkObjectName } from '../../validation/checks';
import { checkRoute } from '../../kube/network/network-route';
import type { Problems } from '../../validation/problems';
import { checkDatabase } from '../connection/endpoint';
import { checkMaxConnections } from '../connection/postgres-settings';

import { CloudSqlIdentity } from './cloud-sql-identity';
import type { CloudSqlPostgresProps } from './cloud-sql-postgres-props';

// Projects of an organization begin with its domain: example.com:project.
const CONNECTION_NAME = /^([a-z0-9][-a-z0-9.]*:)?[a-z][-a-z0-9]*:[a-z]+(-[a-z]+)+\d+:[a-z][-a-z0-9]*$/;

// What the library sets itself, and what would show a secret to all who may read the pod.
const RESERVED: Record<string, string> = {
  '--auto-iam-authn': 'login',
  '-i': 'login',
  '--login-token': 'login',
  '--private-ip': 'ipType',
  '--psc': 'ipType',
  '--auto-ip': 'ipType',
  '--credentials-file': 'identity',
  '-c': 'identity',
  '--json-credentials': 'identity',
  '-j': 'identity',
  '--token': 'identity',
  '-t': 'identity',
  '--gcloud-auth': 'identity',
  '-g': 'identity',
  '--address': '',
  '-a': '',
  '--port': '',
  '-p': '',
  '--unix-socket': '',
  '-u': '',
  '--health-check': '',
  '--http-address': '',
  '--http-port': '',
};

/** What the props of a Cloud SQL database must look like. */
export function checkCloudSql(problems: Problems, id: string, props: CloudSqlPostgresProps): void {
  checkObjectName(problems, 'id', id);
  if (!CONNECTION_NAME.test(props.instanceConnectionName)) {
    problems.add(
      'instanceConnectionName',
      'must be project:region:instance',
      props.instanceConnectionName,
      "It is what `gcloud sql instances describe INSTANCE --format='value(connectionName)'` prints.",
    );
  }
  const { identity = CloudSqlIdentity.ambient() } = props;
  identity._check(problems);
  props.login._check(problems, identity);
  checkDatabase(problems, props.database);
  checkMaxConnections(problems, props.maxConnections);
  checkRoute(problems, 'route', props.route);
  checkImage(problems, 'image', props.image);
  (props.extraArgs ?? []).forEach((arg) => {
    checkArgument(problems, arg);
  });
}

function checkArgument(problems: Problems, arg: string): void {
  const [name = ''] = arg.split('=');
  const owner = RESERVED[name];
  if (!name.startsWith('-')) {
    problems.add('extraArgs', 'must be flags, each with its value (--name=value)', arg, 'A proxy serves one instance.');
  } else if (owner !== undefined) {
    problems.reserved(`extraArgs ${name}`, owner);
  }
}
