import * as kplus from 'cdk8s-plus-28';
import { Construct } from 'constructs';

import { checkIsolation } from '../../kube/network/isolation';
import { NetworkPeer } from '../../kube/network/network-peer';
import { labelsOf } from '../../kube/pod/labels';
import { serviceAccountOf } from '../../kube/pod/pod';
import { checkPodOptions } from '../../kube/pod/pod-options';
import { changeMark } from '../../kube/values/digest';
import { fromSecretKey, text } from '../../kube/values/env-values';
import { problemsOf } from '../../kube/construct';
import { checkId, checkPort } from '../../validation/checks';
import type { Problems } from '../../validation/problems';
import { checkConstruct } from '../../validation/arguments';
import { checkConnectionOptions } from '../connection/connection-options';
import { checkDatabase } from '../connection/endpoint';
import type { IPostgresBackend } from '../connection/postgres-backend';
import { serviceHost } from '../connection/other-namespace';
import { PostgresConnection } from '../connection/postgres-connection';
import { PostgresCredentials } from '../connection/postgres-credentials';
import {
  checkMaxConnections,
  checkSettings,
  DEFAULT_DATABASE,
  DEFAULT_MAX_CONNECTIONS,
  POSTGRES_PORT,
} from '../connection/postgres-settings';
import { PostgresTls } from '../connection/postgres-tls';

import { BitnamiArchitecture } from './bitnami-architecture';
import { type BitnamiRole, passwordSecret } from './bitnami-passwords';
import type { BitnamiPostgresProps } from './bitnami-postgres-props';
import { DatabaseServer } from './database-server';

const SUPERUSER = 'postgres';
const REPLICATION = { POSTGRES_REPLICATION_USER: 'repl_user' };

/**
 * PostgreSQL in the cluster, with the objects of Bitnami's chart.
 *
 * Choose it for trials, tests and small teams. For production, choose a managed database or an operator: they have
 * failover, point-in-time recovery and upgrades between major versions, which this has not.
 */
export class BitnamiPostgres extends Construct implements IPostgresBackend {
  public readonly connection: PostgresConnection;

  /** StatefulSet of the primary. */
  public readonly statefulSet: kplus.StatefulSet;

  /** Service of the primary. */
  public readonly service: kplus.Service;

  /** Service of the read replicas, if there are any. */
  public readonly readService?: kplus.Service;

  /** Secret with the passwords. */
  public readonly secret: kplus.ISecret;

  /** Claims of all servers, for monitoring; empty with `Persistence.none()`. */
  public readonly volumeClaims: kplus.IPersistentVolumeClaim[];

  public constructor(scope: Construct, id: string, props: BitnamiPostgresProps) {
    super(...checkConstruct('BitnamiPostgres', scope, id, props));
    const { username = SUPERUSER, database = DEFAULT_DATABASE, servicePort = POSTGRES_PORT, passwords } = props;
    const { readReplicas, _replicates: isReplicated } = props.architecture ?? BitnamiArchitecture.standalone();
    const problems = problemsOf(this);
    checkProps(problems, id, props);
    problems.throwIfAny();

    this.secret = passwordSecret(this, passwords);
    const clientLabels = { [`${id}-client`]: 'true' };
    const client = NetworkPeer.pods(clientLabels);
    const primaryLabels = labelsOf('postgresql', id, 'primary');
    const replica = NetworkPeer.pods(labelsOf('postgresql', id, 'read').selector);
    const primaryClients = isReplicated ? [client, replica] : [client];
    const readClients = [client];
    const route = { peers: [NetworkPeer.pods(primaryLabels.selector)], ports: [POSTGRES_PORT] };
    const shared = {
      ...props,
      serviceAccount: serviceAccountOf(this, primaryLabels),
      passwordSecret: this.secret,
      passwordKeys: passwordKeys(props),
    };
    const primary = new DatabaseServer(this, 'primary', {
      ...shared,
      replicas: 1,
      clients: primaryClients,
      routes: [],
      env: {
        POSTGRES_USER: username,
        POSTGRES_DATABASE: database,
        ...(isReplicated && { POSTGRES_REPLICATION_MODE: 'master', ...REPLICATION }),
      },
    });
    const read = isReplicated
      ? new DatabaseServer(this, 'read', {
          ...shared,
          initScripts: undefined,
          replicas: readReplicas,
          clients: readClients,
          routes: [route],
          env: {
            POSTGRES_USER: username,
            POSTGRES_REPLICATION_MODE: 'slave',
            ...REPLICATION,
            POSTGRES_MASTER_HOST: id,
            POSTGRES_MASTER_PORT_NUMBER: String(servicePort),
          },
        })
      : undefined;
    this.statefulSet = primary.statefulSet;
    this.service = primary.service;
    this.readService = read?.service;
    this.volumeClaims = [...primary.claimNames, ...(read?.claimNames ?? [])].map((name) =>
      kplus.PersistentVolumeClaim.fromClaimName(this, `claim-${name}`, name),
    );

    const loginRole = loginRoleOf(props);
    const literal = passwords._literals?.[loginRole];
    this.connection = new PostgresConnection({
      host: serviceHost(this, this.service.name, primaryClients, readClients),
      port: text(this.service.port),
      database: text(database),
      schema: props.schema,
      credentials: new PostgresCredentials({
        username: text(username),
        password: fromSecretKey(this.secret.name, passwords._keys[loginRole]),
        revision: literal === undefined ? undefined : changeMark(this.node.path, literal),
      }),
      tls: props.tls ?? PostgresTls.PREFER,
      tcpKeepalive: props.tcpKeepalive,
      parameters: props.parameters,
      readHost: this.readService && text(this.readService.name),
      maxConnections: props.maxConnections ?? DEFAULT_MAX_CONNECTIONS,
      server: this.node.path,
      clientLabels,
      route,
      readRoute: { ...route, peers: [replica] },
    });
  }
}

function checkProps(problems: Problems, id: string, props: BitnamiPostgresProps): void {
  const { architecture, persistence, initScripts = {} } = props;
  checkId(problems, id);
  checkDatabase(problems, props.database);
  const isReplicated = architecture?._replicates === true;
  props.passwords._check(problems, [loginRoleOf(props), ...(isReplicated ? ['replicationPassword' as const] : [])]);
  architecture?._check(problems);
  persistence?._check(problems, 'persistence');
  if (isReplicated && persistence?._kind === 'existing') {
    problems.say(
      '`persistence` must not be an existing claim with read replicas: each server needs a volume of its own.',
      'Use Persistence.newClaim().',
    );
  }
  checkPort(problems, 'servicePort', props.servicePort);
  checkMaxConnections(problems, props.maxConnections);
  checkConnectionOptions(problems, props);
  checkSettings(problems, 'settings', props.settings, 'postgresql.conf', { max_connections: 'maxConnections' });
  for (const file of Object.keys(initScripts).filter((each) => !/^(?!\.\.)[-._a-zA-Z0-9]{1,249}\.sql$/.test(each))) {
    problems.add('initScripts', 'must have file names that end in .sql', file, 'The image runs nothing else as SQL.');
  }
  checkIsolation(problems, props.isolation);
  checkPodOptions(problems, props);
}

/** The role that MLflow logs in as, by the name of its password. */
function loginRoleOf({ username = SUPERUSER }: BitnamiPostgresProps): BitnamiRole {
  return username === SUPERUSER ? 'postgresPassword' : 'password';
}

function passwordKeys(props: BitnamiPostgresProps): Record<string, string> {
  const { _keys: keys, _literals: literals } = props.passwords;
  const loginRole = loginRoleOf(props);
  const hasSuperuserToo = loginRole === 'password' && literals?.postgresPassword !== undefined;
  return {
    POSTGRES_PASSWORD: keys[loginRole],
    ...(hasSuperuserToo && { POSTGRES_POSTGRES_PASSWORD: keys.postgresPassword }),
    ...(props.architecture?._replicates === true && { POSTGRES_REPLICATION_PASSWORD: keys.replicationPassword }),
  };
}
