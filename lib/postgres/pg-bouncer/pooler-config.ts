import type { PoolBudget } from '../capacity/pool-budget';
import { POOLER_TIMEOUTS } from '../capacity/pooler-options';
import { poolerKeepalive } from '../connection/tcp-keepalive';
import { quotedName } from '../connection/schema';

import type { PgBouncerProps } from './pg-bouncer-props';

/** Port of PgBouncer in its pod. */
export const POOLER_PORT = 6432;

/** User that reads PgBouncer's statistics. */
export const STATS_USER = 'pgbouncer_exporter';

/** Folder of the files with secrets, which no ConfigMap may hold. */
export const SECRET_FOLDER = '/run/pgbouncer';

/** Folder of the certificate that PgBouncer shows to its clients, and of its key. */
export const CLIENT_TLS_FOLDER = '/etc/client-tls';

// What DISCARD ALL does, which would undo connect_query and can stand beside no other statement. For session mode.
const RESET =
  'CLOSE ALL; SET SESSION AUTHORIZATION DEFAULT; RESET ALL; DEALLOCATE ALL; UNLISTEN *; SELECT pg_advisory_unlock_all(); DISCARD PLANS; DISCARD TEMP; DISCARD SEQUENCES;';

/** The text of `pgbouncer.ini`, which contains no secret. `serverTls`: libpq's variables for the connection to the database. */
export function poolerConfig(
  props: PgBouncerProps,
  budget: PoolBudget,
  serverTls: Record<string, string | undefined>,
): string {
  const { schema } = props.backend.connection;
  const settings = {
    listen_addr: '*',
    listen_port: POOLER_PORT,
    // No Unix socket: it needs a folder to write to, and has no clients.
    unix_socket_dir: '',
    auth_type: 'scram-sha-256',
    auth_file: `${SECRET_FOLDER}/userlist.txt`,
    auth_query: props.authQuery,
    // By default, PgBouncer refuses these parameters, which psycopg2 and PGOPTIONS send.
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
    client_tls_sslmode: props.clientTls === undefined ? 'disable' : 'require',
    client_tls_cert_file: props.clientTls && `${CLIENT_TLS_FOLDER}/certificate/tls.crt`,
    client_tls_key_file: props.clientTls && `${CLIENT_TLS_FOLDER}/key/tls.key`,
    server_reset_query: schema === undefined ? undefined : `${RESET} SET search_path = ${quotedName(schema)}`,
    ...POOLER_TIMEOUTS,
    ...poolerKeepalive(props.backend.connection.tcpKeepalive),
    // Otherwise each probe writes a line into the log.
    log_connections: 0,
    log_disconnections: 0,
    ...props.settings,
  };
  const lines = Object.entries(settings).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name} = ${String(value)}`.trimEnd()],
  );
  return [`%include ${SECRET_FOLDER}/databases.ini`, '', '[pgbouncer]', ...lines, ''].join('\n');
}
