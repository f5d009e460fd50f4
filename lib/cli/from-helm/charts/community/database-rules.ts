import { expanded } from '../../variables';
import { setBitnamiPostgres } from '../../parts/bitnami-postgres';
import { databaseOfUri, setMissingPostgres, setPostgres } from '../../parts/database';
import { POSTGRESQL_RULES } from '../postgresql-rules';
import type { Rule } from '../../rule';

const NO_MYSQL =
  'The library runs MLflow on PostgreSQL only. Move the data into one before: docs/moving-in.md says how.';

/** The database. */
export const DATABASE_RULES: readonly Rule[] = [
  {
    keys: 'backendStore.{postgres.{enabled,host,port,database,user,password},existingDatabaseSecret.{name,usernameKey,passwordKey},defaultSqlitePath,mysql.enabled,mssql.enabled}',
    convert: (values, release) => {
      const at = (key: string): string => `backendStore.${key}`;
      const given =
        release.arguments.take('--backend-store-uri') ?? release.environment.takeText('MLFLOW_BACKEND_STORE_URI');
      const uri = given === undefined ? undefined : expanded(release, given);
      const other = ['mysql', 'mssql'].find((name) => values.flag(at(`${name}.enabled`)));
      if (values.flag(at('postgres.enabled'))) {
        const name = values.text(at('existingDatabaseSecret.name'));
        const user = values.text(at('postgres.user'));
        const password = values.text(at('postgres.password'));
        const host = values.text(at('postgres.host'));
        const usernameKey = values.text(at('existingDatabaseSecret.usernameKey'));
        const passwordKey = values.text(at('existingDatabaseSecret.passwordKey'));
        if (host === undefined) {
          setMissingPostgres(release, [at('postgres.host')], 'The values name no host of the database.');
          return;
        }
        setPostgres(release, {
          keys: [at('postgres')],
          host,
          port: values.whole(at('postgres.port')),
          database: values.text(at('postgres.database')),
          user,
          hasPassword: password !== undefined,
          secret: name === undefined ? undefined : { name, usernameKey, passwordKey },
          chartSecret: {
            secret: `${release.names.server}-env-secret`,
            usernameKey: 'PGUSER',
            passwordKey: 'PGPASSWORD',
          },
        });
      } else if (other !== undefined) {
        setMissingPostgres(release, [at(other)], NO_MYSQL);
      } else if (values.flag('postgresql.enabled')) {
        // Its rule, below, sets it.
      } else if (values.flag('mysql.enabled')) {
        setMissingPostgres(release, ['mysql'], NO_MYSQL);
      } else {
        const database = uri === undefined ? undefined : databaseOfUri(uri);
        if (database !== undefined) {
          setPostgres(release, { ...database, keys: ['--backend-store-uri'], hasPassword: database.password !== '' });
          return;
        }
        const path = values.text(at('defaultSqlitePath'));
        setMissingPostgres(
          release,
          [at('defaultSqlitePath')],
          path === undefined || path === ':memory:'
            ? 'The chart kept its data in memory, where each restart lost it.'
            : `The chart kept its data in SQLite (${path}). SqliteImport moves it into PostgreSQL (docs/moving-in.md).`,
        );
      }
    },
  },
  {
    keys: 'backendStore.{postgres.driver,databaseMigration,databaseConnectionCheck}',
    leaveOut: 'Always so in the app: psycopg2, a check that logs in, and a migration under a lock, by default.',
  },
  { keys: 'backendStore.{mysql,mssql}.{host,port,database,user,password,driver,connectionUrl}', doInstead: NO_MYSQL },
  { keys: 'backendStore.mssql.existingConnectionUrlSecret.{name,key}', doInstead: NO_MYSQL },
  {
    keys: 'postgresql.enabled',
    convert: (values, release) => {
      if (values.flag('postgresql.enabled') && !release.hasBackend) {
        setBitnamiPostgres(values, release, 'postgresql', `${release.names.server}-postgresql`);
      }
    },
  },
  ...POSTGRESQL_RULES('postgresql'),
  { keys: 'mysql.enabled', leaveOut: 'Said with the database.' },
  { keys: 'mysql.**', doInstead: NO_MYSQL },
];
