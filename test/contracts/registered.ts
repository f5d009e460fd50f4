import { Cron, Duration } from 'cdk8s';
import { EnvValue, type CronJob, type Job } from 'cdk8s-plus-28';
import type * as library from 'cdk8s-mlflow';
import {
  ArtifactRelocation,
  ArtifactVisibility,
  Autoscaling,
  AzureBlobArtifacts,
  AwsIdentity,
  AzureBlobCredentials,
  AzureIdentity,
  BackupLocation,
  BitnamiArchitecture,
  BitnamiPasswords,
  BitnamiPostgres,
  CloudNativePostgres,
  CloudSqlLogin,
  CloudSqlPostgres,
  CustomLogin,
  DatabaseBootstrap,
  DatabaseMigration,
  DatabaseMove,
  ExistingSecretPostgres,
  ExternalPostgres,
  FileSource,
  GcsArtifacts,
  GoogleIdentity,
  type IArtifactStore,
  type IPostgresBackend,
  KedaTrigger,
  MigrationRollback,
  MlflowAuth,
  MlflowGarbageCollection,
  MlflowTraceArchival,
  Persistence,
  PgBouncer,
  PostgresBackup,
  PostgresConnection,
  PostgresCredentials,
  PostgresDatabase,
  PostgresRestore,
  PostgresTls,
  RdsPostgres,
  S3Artifacts,
  SecretKey,
  FileStoreImport,
  FileStoreSource,
  MySqlImport,
  MySqlSource,
  SqliteImport,
  SqliteSource,
  TlsCertificate,
  VolumeArtifacts,
} from 'cdk8s-mlflow';
import { Construct } from 'constructs';

import { server } from '../support/synth';

// The compiler derives from lib/index.ts what each table has to list: an entry that is missing, or one too many, is an
// error of `tsc`. registered.test.ts compares the names once more, for who runs jest alone.

type Library = typeof library;

/** Names of the exported classes. */
export type ClassName = { [K in keyof Library]: Library[K] extends { prototype: unknown } ? K : never }[keyof Library];

/** Names of the exported classes whose instances are a T. */
export type Implementing<T> = {
  [K in ClassName]: Library[K] extends { prototype: infer Instance } ? (Instance extends T ? K : never) : never;
}[ClassName];

/** Names of the exported classes that are constructed with props that include T. */
export type ConstructedWith<T> = {
  [K in ClassName]: Library[K] extends new (scope: never, id: never, props: infer Props) => unknown
    ? Props extends T
      ? K
      : never
    : never;
}[ClassName];

/** Names of the static methods of a class that make an instance of it. */
export type Factory<C extends { prototype: unknown }> = {
  [K in keyof C]: C[K] extends (...args: never[]) => C['prototype'] ? K : never;
}[keyof C];

/** Makes one of something below a scope. */
export type Make<T> = (scope: Construct) => T;

/** A password that something would break on that quotes it by hand. */
export const PASSWORD = 'p@ss/w:rd%&\'"$ `ö ';

const tls = PostgresTls.verifyFull({
  ca: FileSource.fromConfigMap('ca', 'ca.pem'),
  clientCertificate: TlsCertificate.fromSecretName('client'),
});
const external = { host: 'db', user: 'u', password: PASSWORD };
const instanceConnectionName = 'shop:europe-west1:mlflow';

/** Every IPostgresBackend, each in the ways that its users choose between. */
export const BACKENDS: Record<Implementing<IPostgresBackend>, Record<string, Make<IPostgresBackend>>> = {
  ExternalPostgres: {
    'with a password': (scope) => new ExternalPostgres(scope, 'postgres', external),
    'with certificates': (scope) => new ExternalPostgres(scope, 'postgres', { ...external, tls }),
  },
  ExistingSecretPostgres: {
    'with a login': (scope) => new ExistingSecretPostgres(scope, 'postgres', { host: 'db', secretName: 'login' }),
    fromConnectionSecret: (scope) =>
      ExistingSecretPostgres.fromConnectionSecret(scope, 'postgres', { secretName: 'cluster-app' }),
  },
  BitnamiPostgres: {
    'as superuser': (scope) =>
      new BitnamiPostgres(scope, 'postgres', {
        passwords: BitnamiPasswords.fromLiterals({ postgresPassword: PASSWORD }),
      }),
    'as user, replicated': (scope) =>
      new BitnamiPostgres(scope, 'postgres', {
        username: 'mlflow',
        architecture: BitnamiArchitecture.replication(),
        passwords: BitnamiPasswords.fromLiterals({ password: PASSWORD, replicationPassword: PASSWORD }),
      }),
    'on a Secret': (scope) =>
      new BitnamiPostgres(scope, 'postgres', { passwords: BitnamiPasswords.fromSecretName('passwords') }),
  },
  CloudNativePostgres: {
    'without a pooler': (scope) => new CloudNativePostgres(scope, 'cluster'),
    'with its pooler': (scope) => new CloudNativePostgres(scope, 'cluster', { pooler: {} }),
  },
  CloudSqlPostgres: {
    'with a password': (scope) =>
      new CloudSqlPostgres(scope, 'postgres', {
        instanceConnectionName,
        login: CloudSqlLogin.password(PostgresCredentials.fromSecretName('login')),
      }),
    'with an IAM login': (scope) =>
      new CloudSqlPostgres(scope, 'postgres', { instanceConnectionName, login: CloudSqlLogin.iam('mlflow@shop.iam') }),
  },
  RdsPostgres: {
    'with an IAM login': (scope) =>
      new RdsPostgres(scope, 'postgres', { host: 'shop.abc.eu-west-1.rds.amazonaws.com', user: 'shop', tls }),
  },
  PostgresDatabase: {
    'on ExternalPostgres': (scope) =>
      new PostgresDatabase(scope, 'database', {
        server: new ExternalPostgres(scope, 'postgres', { ...external, tls }),
        database: 'team',
        credentials: PostgresCredentials.fromSecretName('team-login'),
      }),
  },
  PgBouncer: {
    'before ExternalPostgres': (scope) =>
      new PgBouncer(scope, 'pgbouncer', { backend: new ExternalPostgres(scope, 'postgres', { ...external, tls }) }),
  },
};

/** A backend as a user of the library writes one. */
export class OwnBackend extends Construct implements IPostgresBackend {
  public readonly connection = new PostgresConnection({
    host: EnvValue.fromValue('own-db'),
    port: EnvValue.fromValue('6543'),
    database: EnvValue.fromValue('tracking'),
    credentials: PostgresCredentials.fromLiterals(this, { username: 'me', password: PASSWORD }),
    tls: PostgresTls.DISABLE,
  });
}

const s3 = { bucket: 'models', region: 'eu-central-1' };
const azure = { account: 'mlstore', container: 'models' };

/** Every IArtifactStore. */
export const ARTIFACT_STORES: Record<Implementing<IArtifactStore>, Record<string, Make<IArtifactStore>>> = {
  VolumeArtifacts: {
    'on a new claim': () => new VolumeArtifacts(),
    'on the disk of the pod': () => new VolumeArtifacts({ persistence: Persistence.none() }),
  },
  S3Artifacts: {
    'with a key': () => new S3Artifacts({ ...s3, identity: AwsIdentity.fromSecretName('s3') }),
    'with a role': () =>
      new S3Artifacts({ ...s3, identity: AwsIdentity.fromRole('arn:aws:iam::123456789012:role/mlflow') }),
  },
  GcsArtifacts: {
    'with a key': () => new GcsArtifacts({ bucket: 'models', identity: GoogleIdentity.fromSecretName('gcs') }),
    'with a service account': () =>
      new GcsArtifacts({
        bucket: 'models',
        identity: GoogleIdentity.fromServiceAccount('mlflow@shop.iam.gserviceaccount.com'),
      }),
  },
  AzureBlobArtifacts: {
    'with a key': () => new AzureBlobArtifacts({ ...azure, credentials: AzureBlobCredentials.fromAccessKey('azure') }),
    'with a workload identity': () =>
      new AzureBlobArtifacts({
        ...azure,
        credentials: AzureBlobCredentials.fromIdentity(AzureIdentity.fromClientId('0123')),
      }),
  },
};

/** A store as a user of the library writes one. */
export const OWN_STORE: IArtifactStore = {
  bind: () => ({
    destination: 'hdfs://artifacts',
    visibility: ArtifactVisibility.CLUSTER,
    envVariables: { HADOOP_USER_NAME: EnvValue.fromValue('mlflow') },
  }),
};

const key = (name: string): SecretKey => SecretKey.fromSecretName('auth', name);
const provider = { issuerUrl: 'https://sso.example.com', clientId: 'mlflow', clientSecret: key('client-secret') };

/** Every login that MlflowAuth has. */
export const LOGINS: Record<Factory<typeof MlflowAuth>, () => MlflowAuth> = {
  basic: () => MlflowAuth.basic({ adminPassword: key('admin-password'), flaskSecretKey: key('flask-key') }),
  oauth2Proxy: () =>
    MlflowAuth.oauth2Proxy({
      ...provider,
      cookieSecret: key('cookie-secret'),
      emailDomains: ['example.com'],
      redirectUrl: 'https://mlflow.example.com/oauth2/callback',
    }),
  custom: () =>
    MlflowAuth.custom({
      login: CustomLogin.app('our-auth'),
      files: { 'our_auth.py': FileSource.fromConfigMap('login', 'our_auth.py') },
      secrets: { LDAP_PASSWORD: key('ldap-password') },
    }),
  oidc: () => MlflowAuth.oidc({ ...provider, sessionSecretKey: key('session-key'), database: 'users' }),
};

/** Every kind of Autoscaling, of 2 to `maxReplicas` pods. */
export const AUTOSCALING: Record<Factory<typeof Autoscaling>, (maxReplicas: number) => Autoscaling> = {
  byResources: (maxReplicas) => Autoscaling.byResources({ maxReplicas }),
  keda: (maxReplicas) => Autoscaling.keda({ maxReplicas, triggers: [KedaTrigger.cpu(70)] }),
};

/** What every operation can be asked for; those of a server take it from their server. */
export type OperationCase = Pick<library.OperationProps, 'image' | 'imagePullSecrets' | 'isolation'> &
  Pick<library.OperationProps, 'priorityClassName'>;

/** The stores of a relocation. */
export const RELOCATED = {
  source: new VolumeArtifacts({ persistence: Persistence.existingClaim('artifacts') }),
  target: new VolumeArtifacts({ persistence: Persistence.existingClaim('new-artifacts') }),
};

/** Every construct that is a Job or a CronJob on a database, under the id `it`. */
export const OPERATIONS: Record<
  Exclude<Implementing<{ readonly job: Job }>, 'MlflowObjects'> | Implementing<{ readonly cronJob: CronJob }>,
  (scope: Construct, backend: IPostgresBackend, props: OperationCase) => Construct
> = {
  PostgresBackup: (scope, backend, props) =>
    new PostgresBackup(scope, 'it', { backend, target: BackupLocation.volume(), ...props }),
  PostgresRestore: (scope, backend, props) =>
    new PostgresRestore(scope, 'it', {
      backend,
      source: BackupLocation.volume(Persistence.existingClaim('dumps')),
      ...props,
    }),
  SqliteImport: (scope, backend, props) =>
    new SqliteImport(scope, 'it', { backend, source: SqliteSource.fromClaim('old', 'mlflow.db'), ...props }),
  FileStoreImport: (scope, backend, props) =>
    new FileStoreImport(scope, 'it', { backend, source: FileStoreSource.fromClaim('old'), ...props }),
  MySqlImport: (scope, backend, props) =>
    new MySqlImport(scope, 'it', {
      backend,
      source: new MySqlSource({ host: 'mysql', secretName: 'mysql' }),
      ...props,
    }),
  ArtifactRelocation: (scope, backend, props) =>
    new ArtifactRelocation(scope, 'it', { backend, ...RELOCATED, ...props }),
  DatabaseMove: (scope, backend, props) =>
    new DatabaseMove(scope, 'it', {
      source: new ExternalPostgres(scope, 'old', { host: 'db', database: 'old', user: 'u', password: PASSWORD }),
      target: backend,
      ...props,
    }),
  DatabaseBootstrap: (scope, backend, props) =>
    new DatabaseBootstrap(scope, 'it', { backend, admin: PostgresCredentials.fromSecretName('admin'), ...props }),
  MigrationRollback: (scope, backend, { priorityClassName, ...ofServer }) =>
    new MigrationRollback(scope, 'it', {
      server: server(scope, {
        backend,
        ...ofServer,
        databaseMigration: DatabaseMigration.job({ backupTo: BackupLocation.volume() }),
      }),
      priorityClassName,
    }),
  MlflowTraceArchival: (scope, backend, { priorityClassName, ...ofServer }) =>
    new MlflowTraceArchival(scope, 'it', {
      server: server(scope, { backend, ...ofServer, traceArchival: { retention: Duration.days(30) } }),
      schedule: Cron.daily(),
      priorityClassName,
    }),
  MlflowGarbageCollection: (scope, backend, { priorityClassName, ...ofServer }) =>
    new MlflowGarbageCollection(scope, 'it', {
      server: server(scope, { backend, ...ofServer }),
      schedule: Cron.daily(),
      olderThan: Duration.days(30),
      priorityClassName,
    }),
};

/** The tables by class: a class that implements a contract, or is the choice between those that do. */
export const CONTRACTS = {
  ...BACKENDS,
  ...ARTIFACT_STORES,
  ...OPERATIONS,
  MlflowAuth: LOGINS,
  Autoscaling: AUTOSCALING,
};

const VALUE = 'a value that others render';
const CHOICE = 'a choice of one construct, tested with it';
const CONSTRUCT = 'a construct of its own kind, with tests of its own';

/** Why the other exported classes are in none. */
export const WITHOUT_CONTRACT: Record<Exclude<ClassName, keyof typeof CONTRACTS>, string> = {
  MlflowServer: CONSTRUCT,
  MlflowMonitoring: CONSTRUCT,
  MlflowObjects: CONSTRUCT,
  MlflowExperiment: CONSTRUCT,
  MlflowRegisteredModel: CONSTRUCT,
  MlflowUser: CONSTRUCT,
  MlflowServiceUser: CONSTRUCT,
  MlflowPermission: CONSTRUCT,
  MlflowWorkspace: CONSTRUCT,
  MlflowWebhook: CONSTRUCT,
  SinglePassApp: 'an app, compared with one of cdk8s',
  MlflowGatewayEndpoint: CONSTRUCT,
  PostgresExporter: CONSTRUCT,
  ExternalSecret: CONSTRUCT,
  Rules: CHOICE,
  ClusterSettings: 'options of a scope, tested over all pods of the examples',
  DefaultImages: 'a list, compared with the examples',
  Diagram: 'functions, with tests of their own',
  MlflowTesting: 'functions, with tests of their own',
  MlflowLogin: CHOICE,
  ArtifactTransfers: CHOICE,
  BackupLocation: CHOICE,
  BitnamiArchitecture: CHOICE,
  BitnamiPasswords: CHOICE,
  CloudSqlLogin: CHOICE,
  CustomLogin: CHOICE,
  DatabaseConnectionCheck: CHOICE,
  DatabaseMigration: CHOICE,
  IngressController: CHOICE,
  JobExecution: CHOICE,
  KedaTrigger: CHOICE,
  PrometheusScrape: CHOICE,
  FileStoreSource: CHOICE,
  MySqlSource: CHOICE,
  MySqlTls: CHOICE,
  SqliteSource: CHOICE,
  WorkingCopy: CHOICE,
  AwsIdentity: VALUE,
  AzureBlobCredentials: VALUE,
  AzureIdentity: VALUE,
  GoogleIdentity: VALUE,
  FileSource: VALUE,
  HttpProxy: VALUE,
  ImageRegistry: VALUE,
  NetworkPeer: VALUE,
  Persistence: VALUE,
  PermissionTarget: VALUE,
  PodUser: VALUE,
  PoolingProfile: VALUE,
  PostgresConnection: VALUE,
  PostgresCredentials: VALUE,
  PostgresTls: VALUE,
  ReadinessCheck: VALUE,
  SecretKey: VALUE,
  SecretStoreReference: VALUE,
  TlsCertificate: VALUE,
};
