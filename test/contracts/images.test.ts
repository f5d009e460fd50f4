import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import {
  BackupLocation,
  BitnamiPasswords,
  BitnamiPostgres,
  CloudNativePostgres,
  CloudSqlLogin,
  CloudSqlPostgres,
  DatabaseMove,
  ExternalPostgres,
  MlflowAuth,
  MlflowServer,
  Persistence,
  PgBouncer,
  PostgresBackup,
  PostgresExporter,
  PostgresRestore,
  PostgresTls,
  RdsPostgres,
  SecretKey,
  VolumeArtifacts,
} from 'cdk8s-mlflow';

import { anyBackend, chart, server } from '../support/synth';
import { OPERATIONS } from './registered';

const key = SecretKey.fromSecretName('secret', 'key');

/** What is made with an image in a prop, by the struct and the name of the prop. */
const MADE_WITH: Record<string, ((image: string) => unknown)[]> = {
  'BitnamiPostgresProps.image': [
    (image) =>
      new BitnamiPostgres(chart(), 'it', {
        passwords: BitnamiPasswords.fromLiterals({ postgresPassword: 'p' }),
        image,
      }),
  ],
  'CloudNativePostgresProps.imageName': [(imageName) => new CloudNativePostgres(chart(), 'it', { imageName })],
  'CloudSqlPostgresProps.image': [
    (image) =>
      new CloudSqlPostgres(chart(), 'it', {
        instanceConnectionName: 'shop:europe-west1:mlflow',
        login: CloudSqlLogin.iam('mlflow@shop.iam'),
        image,
      }),
  ],
  'DatabaseMoveProps.clientImage': [
    (clientImage) => {
      const scope = chart();
      const source = new ExternalPostgres(scope, 'old', { host: 'old', user: 'u', password: 'p' });
      return new DatabaseMove(scope, 'it', { source, target: anyBackend(scope), clientImage });
    },
  ],
  'MlflowServerAttributes.image': [
    (image) => {
      const scope = chart();
      const artifactRoot = new VolumeArtifacts({ persistence: Persistence.none() });
      return MlflowServer.fromAttributes(scope, 'it', {
        serverName: 'x',
        backend: anyBackend(scope),
        artifactRoot,
        image,
      });
    },
  ],
  'MlflowServerProps.image': [(image) => server(chart(), { image })],
  'OAuth2ProxyOptions.image': [
    (image) => {
      const provider = { issuerUrl: 'https://sso.example.com', clientId: 'mlflow', clientSecret: key };
      return server(chart(), {
        encryption: { passphrase: key },
        auth: MlflowAuth.oauth2Proxy({ ...provider, cookieSecret: key, emailDomains: ['*'], image }),
      });
    },
  ],
  'OperationProps.image': Object.values(OPERATIONS).map((make) => (image: string) => {
    const scope = chart();
    return make(scope, anyBackend(scope), { image });
  }),
  'PgBouncerMetricsOptions.image': [(image) => pgBouncer({ metrics: { image } })],
  'PgBouncerProps.image': [(image) => pgBouncer({ image })],
  'PgBouncerProps.initImage': [(initImage) => pgBouncer({ initImage })],
  'PostgresBackupProps.clientImage': [
    (clientImage) => {
      const scope = chart();
      return new PostgresBackup(scope, 'it', {
        backend: anyBackend(scope),
        target: BackupLocation.volume(),
        clientImage,
      });
    },
  ],
  'PostgresExporterProps.image': [
    (image) => {
      const scope = chart();
      return new PostgresExporter(scope, 'it', { backend: anyBackend(scope), image });
    },
  ],
  'PostgresRestoreProps.clientImage': [
    (clientImage) => {
      const scope = chart();
      const source = BackupLocation.volume(Persistence.existingClaim('dumps'));
      return new PostgresRestore(scope, 'it', { backend: anyBackend(scope), source, clientImage });
    },
  ],
  'RdsPostgresProps.image': [
    (image) =>
      new RdsPostgres(chart(), 'it', {
        host: 'shop.abc.eu-west-1.rds.amazonaws.com',
        user: 'shop',
        tls: PostgresTls.REQUIRE,
        image,
      }),
  ],
};

function pgBouncer(props: Partial<ConstructorParameters<typeof PgBouncer>[2]>): PgBouncer {
  const scope = chart();
  return new PgBouncer(scope, 'it', { backend: anyBackend(scope), ...props });
}

interface Assembly {
  readonly types: Record<
    string,
    { readonly name: string; readonly datatype?: boolean; readonly properties?: { readonly name: string }[] }
  >;
}

test('every prop that takes an image is listed', () => {
  const assembly = JSON.parse(readFileSync(join(__dirname, '..', '..', '.jsii'), 'utf8')) as Assembly;
  const props = Object.values(assembly.types).flatMap(({ name, datatype, properties = [] }) =>
    datatype === true ? properties.map((property) => `${name}.${property.name}`) : [],
  );
  expect(props.filter((prop) => /\.image(Name)?$|Image$/.test(prop)).sort()).toEqual(Object.keys(MADE_WITH).sort());
});

const IMAGES: [string, string][] = [
  ['/mlflow:v1', 'Leave out the slash that has nothing before it or after it.'],
  ['https://reg/mlflow:v1', 'Leave out the scheme.'],
  ['ghcr.io/MLflow/mlflow:v1', 'Write the name in lower case.'],
  ['ghcr.io/mlflow/mlflow@sha256:0123', 'A digest is sha256: and 64 hexadecimal digits.'],
  ['undefined/mlflow:v1', 'If it comes from an environment variable, set that before the synthesis.'],
];

test.each(Object.entries(MADE_WITH))('%s must be one that can be pulled', (_, makers) => {
  for (const make of makers) {
    expect(() => make('registry.example.com:5000/team/image:18.1')).not.toThrow();
    for (const [image, hint] of IMAGES) {
      expect(() => make(image)).toThrow(
        ` must be a reference to an image, [registry[:port]/]name[:tag][@digest], got "${image}". ${hint}`,
      );
    }
    expect(() => make('mlflow')).toThrow(' must have a tag or a digest, got "mlflow". ');
  }
});
