import type { Problems } from '../../validation/problems';
import { nearest } from '../../validation/spelling';

import { checkSchema, type SchemaOptions } from './schema';
import { checkTcpKeepalive, keepaliveParameters, type TcpKeepaliveOptions } from './tcp-keepalive';

/** Parameters of libpq, and the schema. */
export interface LibpqOptions extends SchemaOptions {
  /**
   * Further parameters of libpq, by name, such as `{ connect_timeout: '15' }` for a database far away. They reach whatever connects
   * by libpq to this database: servers, migrations and operations; not a pooler, its clients or PostgresExporter. Each libpq has to
   * know them: an older one, in an image of your own, refuses the connection.
   * @default - none
   * @see https://www.postgresql.org/docs/17/libpq-connect.html#LIBPQ-PARAMKEYWORDS
   */
  readonly parameters?: Record<string, string>;
}

/** Options of a connection over the network. */
export interface ConnectionOptions extends LibpqOptions {
  /**
   * When a connection counts as dead whose peer no longer answers.
   * @default - 20 s after data that nobody acknowledges, one minute on an idle connection
   */
  readonly tcpKeepalive?: TcpKeepaliveOptions;
}

/** Parameters of libpq 17, which MLflow's image has, without a prop of their own. */
const PARAMETERS = [
  'channel_binding',
  'client_encoding',
  'connect_timeout',
  'gssdelegation',
  'gssencmode',
  'gsslib',
  'krbsrvname',
  'load_balance_hosts',
  'require_auth',
  'ssl_max_protocol_version',
  'ssl_min_protocol_version',
  'sslcertmode',
  'sslcompression',
  'sslnegotiation',
  'sslsni',
];

const BACKEND = 'The backend sets it by props of its own.';
const TLS = 'Use `tls`.';
const KEEPALIVE = 'Use `tcpKeepalive`.';
const APPLICATION = 'The library sets it itself, to tell its programs apart.';
const NO_FILE = 'Pods do not have the file that it names.';

/** The other parameters of libpq, with the way out for each. */
const OWNED: Readonly<Record<string, string>> = {
  application_name: APPLICATION,
  dbname: BACKEND,
  fallback_application_name: APPLICATION,
  host: BACKEND,
  hostaddr: BACKEND,
  keepalives: KEEPALIVE,
  keepalives_count: KEEPALIVE,
  keepalives_idle: KEEPALIVE,
  keepalives_interval: KEEPALIVE,
  options:
    'Use `schema` for the search_path. Set others for the role in PostgreSQL, which reaches pooled connections, too: ALTER ROLE … SET.',
  passfile: BACKEND,
  password: BACKEND,
  port: BACKEND,
  replication: 'MLflow needs no replication connection.',
  requirepeer: 'It is for Unix sockets, and pods connect by TCP.',
  service: 'The library sets it itself.',
  sslcert: TLS,
  sslcrl: NO_FILE,
  sslcrldir: NO_FILE,
  sslkey: TLS,
  sslmode: TLS,
  sslpassword: 'It would be in a ConfigMap: use a key without a passphrase.',
  sslrootcert: TLS,
  target_session_attrs: BACKEND,
  tcp_user_timeout: 'Use `tcpKeepalive.userTimeout`.',
  user: BACKEND,
};

/** Validates the options. */
export function checkConnectionOptions(problems: Problems, options: ConnectionOptions): void {
  checkTcpKeepalive(problems, options.tcpKeepalive);
  checkLibpqOptions(problems, options);
}

/** Validates the options. */
export function checkLibpqOptions(problems: Problems, { schema, parameters = {} }: LibpqOptions): void {
  checkSchema(problems, schema);
  for (const [name, value] of Object.entries(parameters)) {
    const wayOut = OWNED[name];
    if (wayOut !== undefined) {
      problems.say(`\`${problems.name('parameters')}\` must not name ${name}.`, wayOut);
    } else if (!PARAMETERS.includes(name)) {
      const meant = nearest(name, PARAMETERS);
      problems.add(
        'parameters',
        'must have names of parameters of libpq 17',
        name,
        meant === undefined ? undefined : `Did you mean ${meant}?`,
      );
    } else if (!/^\S([^\r\n]{0,500}\S)?$/.test(value)) {
      problems.add(`parameters.${name}`, 'must be one line of at most 502 characters without spaces around it', value);
    }
  }
}

/**
 * The text of a service file. libpq prefers it to its environment variables, and takes from these what it leaves out.
 * @see https://www.postgresql.org/docs/current/libpq-pgservice.html
 */
export function serviceFile(service: string, { tcpKeepalive, parameters }: ConnectionOptions): string {
  const all = { ...keepaliveParameters(tcpKeepalive), ...parameters };
  return [`[${service}]`, ...Object.entries(all).map(([name, value]) => `${name}=${String(value)}`), ''].join('\n');
}
