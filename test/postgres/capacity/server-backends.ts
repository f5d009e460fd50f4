/** Backends on servers of each kind, of which tests make several that share one. */
import { type Chart } from 'cdk8s';
import {
  BitnamiPasswords,
  BitnamiPostgres,
  CloudNativePostgres,
  CloudSqlLogin,
  CloudSqlPostgres,
  ExistingSecretPostgres,
  ExternalPostgres,
  FileSource,
  type IPostgresBackend,
  PostgresConnection,
  type PostgresConnectionProps,
  PostgresCredentials,
  PostgresTls,
  RdsPostgres,
} from 'cdk8s-mlflow';
import { EnvValue } from 'cdk8s-plus-28';
import { Construct } from 'constructs';

export const login = { user: 'mlflow', password: 'secret' };
export const credentials = PostgresCredentials.fromSecretName('login');

export type Backend = (chart: Chart, maxConnections?: number) => IPostgresBackend;

export const external =
  (host: string, port?: number, failoverHosts?: string[]): Backend =>
  (chart, maxConnections) =>
    new ExternalPostgres(chart, 'postgres', { host, port, failoverHosts, maxConnections, ...login });

export const existing =
  (host: string): Backend =>
  (chart, maxConnections) =>
    new ExistingSecretPostgres(chart, 'postgres', { host, secretName: 'login', maxConnections });

export const inSecret =
  (secretName: string, hostKey?: string): Backend =>
  (chart, maxConnections) =>
    ExistingSecretPostgres.fromConnectionSecret(chart, 'postgres', { secretName, hostKey, maxConnections });

export const rds =
  (host: string): Backend =>
  (chart, maxConnections) =>
    new RdsPostgres(chart, 'postgres', {
      host,
      user: 'shop',
      tls: PostgresTls.verifyFull({ ca: FileSource.fromConfigMap('ca', 'ca.pem') }),
      maxConnections,
    });

export const cloudSql =
  (instanceConnectionName: string): Backend =>
  (chart, maxConnections) =>
    new CloudSqlPostgres(chart, 'postgres', {
      instanceConnectionName,
      login: CloudSqlLogin.password(credentials),
      maxConnections,
    });

export const bitnami: Backend = (chart, maxConnections) =>
  new BitnamiPostgres(chart, 'postgres', { passwords: BitnamiPasswords.fromSecretName('passwords'), maxConnections });

export const cloudNative: Backend = (chart, maxConnections) =>
  new CloudNativePostgres(chart, 'postgres', { maxConnections });

export class OwnBackend extends Construct implements IPostgresBackend {
  public readonly connection: PostgresConnection;

  public constructor(scope: Construct, props: Partial<PostgresConnectionProps>) {
    super(scope, 'postgres');
    this.connection = new PostgresConnection({
      host: EnvValue.fromValue('127.0.0.1'),
      port: EnvValue.fromValue('5432'),
      database: EnvValue.fromValue('mlflow'),
      credentials,
      tls: PostgresTls.DISABLE,
      ...props,
    });
  }
}

export const own =
  (props: Partial<PostgresConnectionProps>): Backend =>
  (chart, maxConnections) =>
    new OwnBackend(chart, { maxConnections, ...props });

export const RDS = 'shop.abc.eu-west-1.rds.amazonaws.com';
