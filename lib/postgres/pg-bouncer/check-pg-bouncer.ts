import { checkId, checkPort, checkWhole } from '../../validation/checks';
import { checkImage } from '../../validation/image';
import { checkIsolation } from '../../kube/network/isolation';
import { checkPeers } from '../../kube/network/network-route';
import { checkContainer, checkPodOptions } from '../../kube/pod/pod-options';
import { checkResources } from '../../kube/pod/resources';
import type { Problems } from '../../validation/problems';

import type { PoolBudget } from '../capacity/pool-budget';
import { checkPoolerOptions, POOLER_PROPS } from '../capacity/pooler-options';
import { checkSettings } from '../connection/postgres-settings';

import type { PgBouncerProps } from './pg-bouncer-props';

// Settings that the library sets, with the prop for each; empty if there is none.
const OWNED_SETTINGS: Record<string, string> = {
  ...POOLER_PROPS,
  auth_query: 'authQuery',
  auth_user: 'authQuery',
  stats_users: 'metrics',
  max_db_connections: 'maxDatabaseConnections',
  client_tls_sslmode: 'clientTls',
  client_tls_cert_file: 'clientTls',
  client_tls_key_file: 'clientTls',
  server_tls_sslmode: 'backend.connection.tls',
  server_tls_ca_file: 'backend.connection.tls',
  server_tls_cert_file: 'backend.connection.tls',
  server_tls_key_file: 'backend.connection.tls',
  listen_addr: '',
  listen_port: '',
  unix_socket_dir: '',
  auth_type: '',
  auth_file: '',
  ignore_startup_parameters: '',
};

/** Validates the props of a PgBouncer. */
export function checkPgBouncer(problems: Problems, id: string, props: PgBouncerProps, budget: PoolBudget): void {
  checkId(problems, id);
  checkWhole(problems, 'replicas', props.replicas, { least: 1 });
  checkPoolerOptions(problems, props);
  checkWhole(problems, 'maxDatabaseConnections', props.maxDatabaseConnections, { least: 1 });
  checkPort(problems, 'servicePort', props.servicePort);
  checkAuthQuery(problems, props);
  checkSettings(problems, 'settings', props.settings, 'pgbouncer.ini', OWNED_SETTINGS);
  checkImage(problems, 'initImage', props.initImage);
  checkContainer(problems.at('metrics'), props.metrics ?? {});
  checkPeers(problems, 'metrics.scrapers', props.metrics?.scrapers);
  checkIsolation(problems, props.isolation);
  props.clientTls?.certificate._check(problems, 'clientTls.certificate');
  props.clientTls?.privateKey._check(problems, 'clientTls.privateKey');
  props.clientTls?.ca?._check(problems, 'clientTls.ca');
  checkPodOptions(problems, props);
  checkResources(problems, 'initResources', props.initResources);
  if (props.backend.connection.readWriteOnly) {
    problems.say(
      '`backend` must not be a list of hosts of which one accepts writes: PgBouncer stays at the first that answers, even a standby.',
      'Give one host that follows the primary: a Service, a DNS name or a proxy.',
    );
  }
  checkClientPassword(problems, props);
  budget.check(problems, props.backend.node.id);
}

function checkAuthQuery(problems: Problems, { authQuery, maxDatabaseConnections, backend }: PgBouncerProps): void {
  if (authQuery === undefined) {
    return;
  }
  if (backend.connection.credentials.password === undefined) {
    problems.say(
      '`authQuery` must not be set if `backend` logs in without a password: its proxy authenticates no other user.',
      'Leave it out.',
    );
  }
  if (/[\r\n]/.test(authQuery) || !/\$1\b/.test(authQuery)) {
    problems.add('authQuery', 'must be one line with $1 for the name of the user', authQuery);
  }
  if (maxDatabaseConnections === undefined) {
    problems.say(
      '`maxDatabaseConnections` must be set with `authQuery`: each user gets a pool of its own.',
      'Give at least `defaultPoolSize`.',
    );
  }
}

function checkClientPassword(problems: Problems, { backend, clientPassword }: PgBouncerProps): void {
  const { credentials, sidecar } = backend.connection;
  const { password } = credentials;
  clientPassword?._check(problems, 'clientPassword');
  if (sidecar?.passwordFile !== undefined) {
    problems.say(
      '`backend` must not have a password that expires: PgBouncer reads no password file.',
      "Use a backend with a password that does not expire, or a pooler of the database's provider as its `host`, without a PgBouncer.",
    );
    return;
  }
  if (clientPassword === undefined && password === undefined) {
    problems.say(
      '`clientPassword` must be set if `backend` logs in without a password: PgBouncer requires one of its clients.',
      'Give a key of a Secret that holds a long random text.',
    );
  } else if (clientPassword !== undefined && password !== undefined) {
    problems.say(
      '`clientPassword` must not be set if `backend` has a password: clients log in with that.',
      'Leave it out.',
    );
  }
}
