import { Cpu, EnvValue } from 'cdk8s-plus-28';
import {
  AwsIdentity,
  AzureBlobArtifacts,
  AzureBlobCredentials,
  AzureIdentity,
  BitnamiPasswords,
  ExternalPostgres,
  FileSource,
  MlflowAuth,
  MlflowServer,
  type MlflowServerProps,
  NetworkPeer,
  type OAuth2ProxyOptions,
  PostgresTls,
  Rules,
  S3Artifacts,
  SecretKey,
} from 'cdk8s-mlflow';

import { chart, server } from '../support/synth';

/** What JavaScript and `process.env.X!` give, whatever the type says. */
const given = (value: unknown): never => value as never;
const unset = given(undefined);
const hint = 'If it comes from an environment variable, set that before the synthesis.';

const oauth2Proxy = (options: Partial<OAuth2ProxyOptions>) =>
  MlflowAuth.oauth2Proxy({
    issuerUrl: 'https://id.example.com',
    clientId: 'mlflow',
    clientSecret: SecretKey.fromSecretName('oidc', 'client'),
    cookieSecret: SecretKey.fromSecretName('oidc', 'cookie'),
    emailDomains: ['example.com'],
    ...options,
  });
const azure = (account: string) =>
  new AzureBlobArtifacts({
    account,
    container: 'mlflow',
    credentials: AzureBlobCredentials.fromIdentity(AzureIdentity.ambient()),
  });

test.each<[string, () => unknown, string]>([
  [
    'a namespace',
    () => NetworkPeer.inNamespace(unset),
    '[NetworkPeer.inNamespace] `name` must be given, got undefined.',
  ],
  [
    'a bucket',
    () => new S3Artifacts({ bucket: unset, identity: AwsIdentity.ambient() }),
    '[S3Artifacts] `bucket` must be given, got undefined.',
  ],
  ['a role', () => AwsIdentity.fromRole(unset), '[AwsIdentity.fromRole] `roleArn` must be given, got undefined.'],
  [
    'a client',
    () => oauth2Proxy({ clientId: unset }),
    '[MlflowAuth.oauth2Proxy] `clientId` must be given, got undefined.',
  ],
  [
    'an element of a list',
    () => oauth2Proxy({ emailDomains: ['example.com', unset] }),
    '[MlflowAuth.oauth2Proxy] `emailDomains[1]` must be given, got undefined.',
  ],
  ['an account', () => azure(unset), '[AzureBlobArtifacts] `account` must be given, got undefined.'],
  ['a null', () => azure(given(null)), '[AzureBlobArtifacts] `account` must be given, got null.'],
  ['a blank', () => azure(' '), '[AzureBlobArtifacts] `account` must be given, got " ".'],
  [
    'a template string',
    () => azure(String(undefined)),
    '[AzureBlobArtifacts] `account` must be given, got "undefined".',
  ],
  [
    'a password',
    () => BitnamiPasswords.fromLiterals({ password: given(null) }),
    '[BitnamiPasswords.fromLiterals] `password` must be given or left out, got null.',
  ],
  [
    'a reason',
    () => {
      Rules.of(chart()).acknowledge('unique-name', ' ');
    },
    '[Rules.acknowledge] `reason` must be given, got " ".',
  ],
])('%s that is absent', (_, make, message) => {
  expect(make).toThrow(new Error(`${message} ${hint}`));
});

test.each<[Partial<MlflowServerProps>, string]>([
  [
    { databaseMigration: given(true) },
    '`databaseMigration` must be a DatabaseMigration, got true. Use DatabaseMigration.initContainer(), .job() or .off().',
  ],
  [{ replicas: given('2') }, '`replicas` must be a number, got "2" (a string).'],
  [{ replicas: Number.NaN }, `\`replicas\` must be given or left out, got NaN. ${hint}`],
  [{ image: '' }, `\`image\` must be given or left out, got an empty string. ${hint}`],
  [{ image: given(5) }, '`image` must be a string, got 5 (a number). Write it in quotes.'],
  [{ ingress: { hosts: unset } }, `\`ingress.hosts\` must be given, got undefined. ${hint}`],
  [
    { ingress: { hosts: given('a.example.com') } },
    '`ingress.hosts` must be a list of strings, got "a.example.com" (a string). Put it into a list: [...].',
  ],
  [
    { ingress: { hosts: ['a.example.com', 'b.example.com', 'a.example.com'] } },
    '`ingress.hosts` must name each host once, got "a.example.com".',
  ],
  [
    { extraEnvVars: { NAME: EnvValue.fromProcess('CDK8S_MLFLOW_NOT_SET') } },
    `\`extraEnvVars.NAME\` must have a value, got undefined. ${hint}`,
  ],
  [
    { extraEnvVars: { NAME: EnvValue.fromValue(given(5432)) } },
    '`extraEnvVars.NAME` must hold a string, got a number. Write it in quotes.',
  ],
  [
    { extraEnvVars: { NAME: EnvValue.fromValue(given(true)) } },
    '`extraEnvVars.NAME` must hold a string, got true. Write it in quotes.',
  ],
  [{ extraEnvVars: { NAME: EnvValue.fromValue(given({})) } }, '`extraEnvVars.NAME` must hold a string, got an object.'],
  [{ extraEnvVars: { NAME: given('value') } }, '`extraEnvVars.NAME` must be an EnvValue, got a string.'],
  [
    { resources: { cpu: { request: Cpu.millis(Number.NaN) } } },
    `\`resources.cpu.request\` must have a value, got NaN. ${hint}`,
  ],
  [
    { replica: 2 } as Partial<MlflowServerProps>,
    '`replica` is not a prop of MlflowServerProps. Did you mean `replicas`?',
  ],
])('%#: a server with %j', (props, message) => {
  expect(() => server(chart(), props)).toThrow(new Error(`[chart/mlflow] ${message}`));
});

test('a server without a backend, and one without props', () => {
  expect(() => new MlflowServer(chart(), 'mlflow', given({}))).toThrow(
    new Error(
      '[chart/mlflow] `backend` must be given, got undefined. Use BitnamiPostgres, CloudNativePostgres, CloudSqlPostgres, ExistingSecretPostgres, ExternalPostgres, PgBouncer, PostgresDatabase or RdsPostgres.',
    ),
  );
  expect(() => new MlflowServer(chart(), 'mlflow', unset)).toThrow(
    new Error('[chart/mlflow] `props` must be given, got undefined.'),
  );
});

test('a secret is not shown', () => {
  const props = { host: 'db', user: 'mlflow', password: given(12345) };
  expect(() => new ExternalPostgres(chart(), 'postgres', props)).toThrow(
    new Error('[chart/postgres] `password` must be a string, got a number. Write it in quotes.'),
  );
});

test('a TLS mode that has no CAs of its own needs its CA', () => {
  expect(() => PostgresTls.verifyCa({ ca: unset })).toThrow(
    new Error(
      '[PostgresTls.verifyCa] `ca` must be given, got undefined. Use FileSource.fromConfigMap() or .fromSecret().',
    ),
  );
  expect(PostgresTls.verifyCa({ ca: FileSource.fromSecret('ca', 'ca.crt') }).mode).toBe('verify-ca');
});
