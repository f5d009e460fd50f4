import * as kplus from 'cdk8s-plus-28';
import type { Construct } from 'constructs';

import { labelsOf } from '../../kube/pod/labels';
import { NetworkPeer } from '../../kube/network/network-peer';
import type { NetworkRoute } from '../../kube/network/network-route';
import { Persistence } from '../../kube/values/persistence';
import { POSTGRES_PORT } from '../connection/postgres-settings';

import type { BitnamiRole } from './bitnami-passwords';
import type { BitnamiPostgresProps } from './bitnami-postgres-props';
import type { DatabaseServerProps } from './database-server';

/** The role that MLflow logs in as where none is named. */
export const SUPERUSER = 'postgres';

const REPLICATION_USER = 'repl_user';

/** Which servers there are, and what each of them is told. */
export interface ServerPlan {
  readonly primary: DatabaseServerProps;
  readonly read?: DatabaseServerProps;
  /** Whose password MLflow logs in with. */
  readonly loginRole: BitnamiRole;
  /** The ways to the servers through the network. */
  readonly route: NetworkRoute;
  readonly readRoute: NetworkRoute;
  /** Labels that let a pod reach the servers. */
  readonly clientLabels: Record<string, string>;
}

/** The passwords that a backend with these props needs. */
export function rolesOf(props: BitnamiPostgresProps): BitnamiRole[] {
  const login = props.username === undefined || props.username === SUPERUSER ? 'postgresPassword' : 'password';
  return props.architecture?._replicates === true ? [login, 'replicationPassword'] : [login];
}

/** Makes the ServiceAccount below `scope`, which all servers share. */
export function planServers(
  scope: Construct,
  passwordSecret: kplus.ISecret,
  props: BitnamiPostgresProps & Required<Pick<BitnamiPostgresProps, 'username' | 'database' | 'architecture'>>,
): ServerPlan {
  const { id } = scope.node;
  const { username, database, architecture } = props;
  const [loginRole = 'password'] = rolesOf(props);
  const clientLabels = { [`${id}-client`]: 'true' };
  const route = routeTo(id, 'primary');
  const readRoute = routeTo(id, 'read');
  const shared = {
    instance: id,
    serviceAccount: new kplus.ServiceAccount(scope, 'service-account', {
      metadata: { name: id, labels: labelsOf('postgresql', id, 'primary').all },
      automountToken: false,
    }),
    passwords: passwordVariables(props, loginRole),
    passwordSecret,
    persistence: props.persistence ?? Persistence.newClaim(),
  };
  const replication = { POSTGRES_REPLICATION_USER: REPLICATION_USER };
  const primary: DatabaseServerProps = {
    ...shared,
    name: id,
    component: 'primary',
    replicas: 1,
    clients: [clientLabels, ...(architecture._replicates ? [labelsOf('postgresql', id, 'read').selector] : [])],
    routes: [],
    initScripts: props.initScripts,
    env: {
      POSTGRES_USER: username,
      POSTGRES_DATABASE: database,
      ...(architecture._replicates && { POSTGRES_REPLICATION_MODE: 'master', ...replication }),
    },
  };
  if (!architecture._replicates) {
    return { primary, loginRole, route, readRoute, clientLabels };
  }
  const read: DatabaseServerProps = {
    ...shared,
    name: `${id}-read`,
    component: 'read',
    replicas: architecture.readReplicas,
    clients: [clientLabels],
    routes: [route],
    env: {
      POSTGRES_USER: username,
      POSTGRES_REPLICATION_MODE: 'slave',
      ...replication,
      POSTGRES_MASTER_HOST: id,
      POSTGRES_MASTER_PORT_NUMBER: String(props.servicePort ?? POSTGRES_PORT),
    },
  };
  return { primary, read, loginRole, route, readRoute, clientLabels };
}

function routeTo(id: string, component: DatabaseServerProps['component']): NetworkRoute {
  return { peers: [NetworkPeer.pods(labelsOf('postgresql', id, component).selector)], ports: [POSTGRES_PORT] };
}

function passwordVariables(props: BitnamiPostgresProps, loginRole: BitnamiRole): Record<string, string> {
  const { _keys: keys, _literals: literals } = props.passwords;
  const superuserToo = loginRole === 'password' && literals?.postgresPassword !== undefined;
  return {
    POSTGRES_PASSWORD: keys[loginRole],
    ...(superuserToo && { POSTGRES_POSTGRES_PASSWORD: keys.postgresPassword }),
    ...(rolesOf(props).includes('replicationPassword') && { POSTGRES_REPLICATION_PASSWORD: keys.replicationPassword }),
  };
}
