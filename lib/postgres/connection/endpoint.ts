import { isIP } from 'node:net';

import type * as kplus from 'cdk8s-plus-28';

import { checkPort } from '../../validation/checks';
import { text } from '../../kube/values/env-values';
import type { Problems } from '../../validation/problems';

import { DEFAULT_DATABASE, POSTGRES_PORT } from './postgres-settings';

/** The address of a database, in plain text. */
export interface Endpoint {
  readonly host: string;
  readonly failoverHosts?: string[];
  readonly readHost?: string;
  readonly port?: number;
  readonly database?: string;
}

const HOST_NAME = /^[a-zA-Z0-9_]([-a-zA-Z0-9_.]*[a-zA-Z0-9_])?\.?$/;

/** Validates the address of a database. */
export function checkEndpoint(problems: Problems, endpoint: Endpoint): void {
  checkHost(problems, 'host', endpoint.host);
  (endpoint.failoverHosts ?? []).forEach((host, i) => {
    checkHost(problems, `failoverHosts[${String(i)}]`, host);
  });
  if (endpoint.readHost !== undefined) {
    checkHost(problems, 'readHost', endpoint.readHost);
  }
  checkPort(problems, 'port', endpoint.port);
  checkDatabase(problems, endpoint.database);
}

/** Validates the name of a database. */
export function checkDatabase(problems: Problems, database: string | undefined, prop = 'database'): void {
  // PostgreSQL cuts names at 63 bytes without a word (NAMEDATALEN).
  if (database !== undefined && Buffer.byteLength(database) > 63) {
    problems.add(prop, 'must have 1 to 63 bytes', database);
  }
}

/** The address as the values of a connection. */
export function endpointValues(endpoint: Endpoint): Record<'host' | 'port' | 'database', kplus.EnvValue> {
  const hosts = [endpoint.host, ...(endpoint.failoverHosts ?? [])];
  return {
    host: text(hosts.join(',')),
    port: text(endpoint.port ?? POSTGRES_PORT),
    database: text(endpoint.database ?? DEFAULT_DATABASE),
  };
}

function checkHost(problems: Problems, prop: string, host: string): void {
  if (host.includes('://')) {
    problems.add(
      prop,
      'must be a host name or an address, not a URL',
      host,
      'User, password, port and database have props of their own.',
    );
  } else if (host.includes(',')) {
    problems.add(prop, 'must be one host', host, 'Name the further hosts in `failoverHosts`.');
  } else if (isIP(host) === 0 && !HOST_NAME.test(host)) {
    problems.add(prop, 'must be a host name or an address, without port or brackets', host);
  }
}
