import type { PgBouncerProps } from './pg-bouncer-props';
import type { PoolBudget } from '../capacity/pool-budget';
import { POOLER_TIMEOUTS } from '../capacity/pooler-options';

/** The port that PgBouncer listens on in its pod. */
export const POOLER_PORT = 6432;

/** The user that reads PgBouncer's own statistics. */
export const STATS_USER = 'pgbouncer_exporter';

/** Where the configuration and the script are mounted. */
export const CONFIG_FOLDER = '/etc/pgbouncer';

/** Where the script writes what no ConfigMap may hold. */
export const SECRET_FOLDER = '/run/pgbouncer';

/** What decides on the text of `pgbouncer.ini`, besides the props. */
export interface PoolerConfigInput {
  readonly budget: PoolBudget;
  /** The variables of libpq for the connection to the database. */
  readonly serverTls: Record<string, string | undefined>;
  /** Where the certificate and the key for clients are mounted. */
  readonly clientTls?: { readonly certificate: string; readonly privateKey: string };
}

/** The text of `pgbouncer.ini`: nothing in it is secret. */
export function poolerConfig(props: PgBouncerProps, input: PoolerConfigInput): string {
  const { budget, serverTls, clientTls } = input;
  const settings = {
    listen_addr: '*',
    listen_port: POOLER_PORT,
    // A socket needs a folder to write to, and nobody uses it.
    unix_socket_dir: '',
    auth_type: 'scram-sha-256',
    auth_file: `${SECRET_FOLDER}/userlist.txt`,
    auth_query: props.authQuery,
    // psycopg2 and PGOPTIONS send these, which PgBouncer refuses unless told otherwise.
    ignore_startup_parameters: 'extra_float_digits,options',
    stats_users: props.metrics && STATS_USER,
    pool_mode: budget.poolMode,
    default_pool_size: budget.defaultPoolSize,
    reserve_pool_size: budget.reservePoolSize,
    max_client_conn: budget.maxClientConnections,
    max_db_connections: props.maxDatabaseConnections,
    server_tls_sslmode: serverTls.PGSSLMODE,
    server_tls_ca_file: serverTls.PGSSLROOTCERT,
    server_tls_cert_file: serverTls.PGSSLCERT,
    server_tls_key_file: serverTls.PGSSLKEY,
    client_tls_sslmode: clientTls === undefined ? 'disable' : 'require',
    client_tls_cert_file: clientTls?.certificate,
    client_tls_key_file: clientTls?.privateKey,
    ...POOLER_TIMEOUTS,
    // A line for each probe says nothing.
    log_connections: 0,
    log_disconnections: 0,
    ...props.settings,
  };
  const lines = Object.entries(settings).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name} = ${String(value)}`.trimEnd()],
  );
  return [`%include ${SECRET_FOLDER}/databases.ini`, '', '[pgbouncer]', ...lines, ''].join('\n');
}
