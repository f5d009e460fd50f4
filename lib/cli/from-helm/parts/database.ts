import { call, construct, type Code, member, mlflow, struct, value } from '../../code/code';

import { entryOf } from '../data';
import type { NeededKey, Release } from '../release';

/** The address of a database, with its login. */
export interface Database {
  /** Keys of the values that say it. */
  readonly keys: readonly string[];
  readonly host: string;
  readonly port?: number;
  readonly database?: string;
  readonly user?: string;
  /** Whether a password stands in the values. The app does not repeat it. */
  readonly hasPassword: boolean;
  readonly secret?: { readonly name: string; readonly usernameKey?: string; readonly passwordKey?: string };
  /** Keys of the chart's own Secret. */
  readonly chartSecret?: { readonly secret: string; readonly usernameKey?: string; readonly passwordKey: string };
  readonly sslMode?: string;
}

/** Host of a database that the user has yet to make. */
const MISSING_HOST = 'postgres.example.com';

const HOST = /^[a-zA-Z0-9_.:-]+$/;

const TLS_MODES: Record<string, string> = { disable: 'DISABLE', allow: 'PREFER', prefer: 'PREFER', require: 'REQUIRE' };

/** Sets the backend: a PostgreSQL that exists, with its login in a Secret. */
export function setPostgres(release: Release, database: Database): void {
  const sslMode = database.sslMode ?? release.environment.takeText('PGSSLMODE');
  const secretName = database.secret?.name ?? needLogin(release, database);
  const { usernameKey, passwordKey } = database.secret ?? {};
  const isHost = HOST.test(database.host);
  if (!isHost) {
    release.note('to do', database.keys, `${database.host} is no host: put that of the database into the app.`);
  }
  release.setBackend(
    construct(
      mlflow('ExistingSecretPostgres'),
      'postgres',
      struct(mlflow('ExistingSecretPostgresProps'), {
        host: value(isHost ? database.host : MISSING_HOST),
        port: database.port === undefined || database.port === 5432 ? undefined : value(database.port),
        database:
          database.database === undefined || database.database === 'mlflow' ? undefined : value(database.database),
        secretName: value(secretName),
        usernameKey: usernameKey === undefined || usernameKey === 'username' ? undefined : value(usernameKey),
        passwordKey: passwordKey === undefined || passwordKey === 'password' ? undefined : value(passwordKey),
        tls: tlsOf(release, sslMode, database),
      }),
    ),
  );
  noteMigration(release, database.keys);
}

/** Sets a backend that the user has yet to make: the chart kept its data elsewhere. */
export function setMissingPostgres(release: Release, keys: readonly string[], reason: string): void {
  release.need({ name: `${release.names.server}-database`, keys: loginKeys({ user: 'mlflow' }) });
  release.setBackend(
    construct(
      mlflow('ExistingSecretPostgres'),
      'postgres',
      struct(mlflow('ExistingSecretPostgresProps'), {
        host: value(MISSING_HOST),
        secretName: value(`${release.names.server}-database`),
      }),
    ),
    `${reason} Put the host of a PostgreSQL here.`,
  );
  release.note('to do', keys, `${reason} Make a PostgreSQL, and put its host into the app.`, true);
  noteMigration(release, keys);
}

/** A database by a URI of SQLAlchemy. */
export function databaseOfUri(
  uri: string,
): (Omit<Database, 'keys' | 'hasPassword'> & { password: string }) | undefined {
  const match =
    /^postgres(?:ql)?(?:\+\w+)?:\/\/(?:([^:@/]*)(?::([^@]*))?@)?(\[[^\]]+\]|[^:/?]*)(?::(\d+))?\/([^?]*)(?:\?(.*))?$/.exec(
      uri,
    );
  if (match === null) {
    return undefined;
  }
  const [, user = '', password = '', host = '', port, database = '', query = ''] = match;
  return {
    host: host.replace(/^\[|\]$/g, ''),
    port: port === undefined ? undefined : Number(port),
    database: database === '' ? undefined : decoded(database),
    user: user === '' ? undefined : decoded(user),
    password,
    sslMode: new URLSearchParams(query).get('sslmode') ?? undefined,
  };
}

/** The passwords of a BitnamiPostgres, in a Secret that exists. */
export function bitnamiPasswords(secretName: string, keys: Record<string, Code | undefined>): Code {
  const options = struct(mlflow('BitnamiPasswordKeys'), keys);
  const args = options.kind === 'struct' && options.fields.length > 0 ? [options] : [];
  return call(mlflow('BitnamiPasswords'), 'fromSecretName', value(secretName), ...args);
}

export function noteMigration(release: Release, keys: readonly string[]): void {
  release.note(
    'changed',
    keys,
    'Every pod checks the database and its privileges, and upgrades the schema under a lock, before it serves. `databaseMigration: DatabaseMigration.off()` leaves the schema to you.',
  );
}

function needLogin(release: Release, { user, chartSecret }: Database): string {
  return release.need({ name: `${release.names.server}-database`, keys: loginKeys({ user, chartSecret }) });
}

function loginKeys({ user, chartSecret }: Pick<Database, 'user' | 'chartSecret'>): NeededKey[] {
  const from = (key: string | undefined): NeededKey['from'] =>
    chartSecret === undefined || key === undefined ? undefined : { secret: chartSecret.secret, key };
  return [
    {
      key: 'username',
      value: user ?? 'the role of MLflow',
      isLiteral: user !== undefined,
      from: user === undefined ? from(chartSecret?.usernameKey) : undefined,
    },
    { key: 'password', value: 'the password of the role', from: from(chartSecret?.passwordKey) },
  ];
}

function tlsOf(release: Release, sslMode: string | undefined, { host, keys }: Database): Code | undefined {
  const tls = mlflow('PostgresTls');
  if (sslMode === undefined) {
    const isInside = !host.includes('.') || /\.svc(\.|$)/.test(host);
    release.note(
      'changed',
      keys,
      isInside
        ? 'The connection is encrypted if the server can (PostgresTls.PREFER), as libpq does by default.'
        : 'The connection must be encrypted (PostgresTls.REQUIRE, the default outside of the cluster); libpq would fall back to plain text.',
    );
    return isInside ? member(tls, 'PREFER') : undefined;
  }
  if (sslMode === 'verify-full' || sslMode === 'verify-ca') {
    release.environment.take('PGSSLROOTCERT');
    release.note(
      'to do',
      keys,
      `sslmode=${sslMode}: give the CA as \`ca\`, from a ConfigMap or a Secret. Without one, the CAs of the image count.`,
    );
    return call(tls, 'verifyFull');
  }
  const mode = entryOf(TLS_MODES, sslMode) ?? 'REQUIRE';
  return mode === 'REQUIRE' ? undefined : member(tls, mode);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
