import { Duration, Testing } from 'cdk8s';
import { EnvValue, ServiceType } from 'cdk8s-plus-28';
import {
  DatabaseConnectionCheck,
  DatabaseMigration,
  type MlflowServerProps,
  Persistence,
  VolumeArtifacts,
} from 'cdk8s-mlflow';

import { chart, container, env, server, serverManifests } from '../support/synth';

const value = EnvValue.fromValue('x');
const itself = 'must not be set: the library sets it itself.';
const objectName = 'must be the name of a Kubernetes object (lower-case letters, digits, dashes and dots)';

test.each<[Partial<MlflowServerProps>, string]>([
  [{ replicas: -1 }, '`replicas` must be a whole number from 0, got -1.'],
  [{ replicas: 1.5 }, '`replicas` must be a whole number from 0, got 1.5.'],
  [{ workers: 0 }, '`workers` must be a whole number from 1, got 0.'],
  [
    { image: 'a b' },
    '`image` must be a reference to an image, [registry[:port]/]name[:tag][@digest], got "a b". Leave out spaces and line breaks.',
  ],
  [{ imagePullSecrets: ['A_B'] }, `\`imagePullSecrets\` ${objectName}, got "A_B".`],
  [
    { databaseConnectionCheck: DatabaseConnectionCheck.initContainer({ deadline: Duration.millis(1) }) },
    '`databaseConnectionCheck.deadline` must be a whole number of seconds from 1, got 0.001.',
  ],
  [
    { databaseMigration: DatabaseMigration.job({ deadline: Duration.seconds(0) }) },
    '`databaseMigration.deadline` must be a whole number of seconds from 1, got 0.',
  ],
  [{ service: { port: 70000 } }, '`service.port` must be a whole number from 1 to 65535, got 70000.'],
  [
    { service: { nodePort: 0, serviceType: ServiceType.NODE_PORT } },
    '`service.nodePort` must be a whole number from 1 to 65535, got 0.',
  ],
  [{ ingress: { hosts: [] } }, '`ingress.hosts` must name at least one host, got none.'],
  [
    { ingress: { hosts: ['https://a.example.com'] } },
    '`ingress.hosts[0]` must be a host name without scheme, port or path, got "https://a.example.com".',
  ],
  [{ ingress: { hosts: ['a.b'], path: 'x' } }, '`ingress.path` must start with a slash, got "x".'],
  [{ ingress: { hosts: ['a.b'], tlsSecretName: 'A' } }, `\`ingress.tlsSecretName\` ${objectName}, got "A".`],
  [
    { allowedHosts: ['http://a'] },
    '`allowedHosts` must be Host headers, without scheme or path, got "http://a". Add the port if clients send one, or `:*` for any.',
  ],
  [
    { corsAllowedOrigins: ['a.example.com'] },
    '`corsAllowedOrigins` must be origins, with scheme and without path, got "a.example.com". Write https://host or https://host:port.',
  ],
  [{ staticPrefix: 'x' }, '`staticPrefix` must start with a slash and not end with one, got "x".'],
  [
    { directApi: true, workspaces: true },
    '`directApi` has no effect with `workspaces`, which FastAPI looks up for each request. Leave out one of them.',
  ],
  [
    { directApi: true, extraArgs: ['--uvicorn-opts=--backlog=10 --http h11'] },
    '`directApi` must not be set with `extraArgs --uvicorn-opts --http`. Leave out one of them.',
  ],
  [
    { directApi: true, extraArgs: ['--uvicorn-opts=--root-path=/x'] },
    '`directApi` must not be set with `extraArgs --uvicorn-opts --root-path`. Leave out one of them.',
  ],
  [
    { extraEnvVars: { UVICORN_HTTP: value } },
    '`extraEnvVars.UVICORN_HTTP` must not be set: the library sets it itself. Add `extraArgs: ["--uvicorn-opts=--http=…"]`.',
  ],
  [{ staticPrefix: '/x/' }, '`staticPrefix` must start with a slash and not end with one, got "/x/".'],
  [{ extraEnvVars: { PGPASSWORD: value } }, `\`extraEnvVars.PGPASSWORD\` ${itself} Use \`backend\`.`],
  [
    { extraEnvVars: { MLFLOW_BACKEND_STORE_URI: value } },
    `\`extraEnvVars.MLFLOW_BACKEND_STORE_URI\` ${itself} Use \`backend\`.`,
  ],
  [
    { extraEnvVars: { MLFLOW_SQLALCHEMYSTORE_POOL_SIZE: value } },
    `\`extraEnvVars.MLFLOW_SQLALCHEMYSTORE_POOL_SIZE\` ${itself} Use \`pooling\`.`,
  ],
  [{ extraInitEnvVars: { PGSSLMODE: value } }, `\`extraInitEnvVars.PGSSLMODE\` ${itself} Use \`backend\`.`],
  [{ extraEnvVars: { HOME: value } }, `\`extraEnvVars.HOME\` ${itself}`],
  [{ extraEnvVars: { 'A-B': value } }, '`extraEnvVars` must have names of letters, digits and underscores, got "A-B".'],
  [{ extraArgs: ['--workers=3'] }, `\`extraArgs --workers=3\` ${itself} Use \`workers\`.`],
  [{ extraArgs: ['--host', '::'] }, `\`extraArgs --host ::\` ${itself}`],
  [
    { replicas: 2 },
    '`replicas` must be at most 1 with artifacts that only one node can access, got 2. Use a volume with READ_WRITE_MANY, or an object store, as `artifactRoot`.',
  ],
  [
    { replicas: 2, artifactRoot: new VolumeArtifacts({ persistence: Persistence.none() }) },
    '`replicas` must be at most 1 with artifacts that only one pod can access, got 2. Use a volume with READ_WRITE_MANY, or an object store, as `artifactRoot`.',
  ],
  [
    { artifactRoot: new VolumeArtifacts({ defaultArtifactRoot: './mlruns' }) },
    '`artifactRoot.defaultArtifactRoot` must be a URI, got "./mlruns". MLflow resolves a path in the pod, and clients write to that path on their own disk. Leave it out, or use \'mlflow-artifacts:/\'.',
  ],
  [
    { artifactRoot: new VolumeArtifacts({ defaultArtifactsDestination: '../x' }) },
    '`artifactRoot.defaultArtifactsDestination` must be a folder of the volume (letters, digits, dashes, slashes), got "../x".',
  ],
  [
    { artifactRoot: new VolumeArtifacts({ persistence: Persistence.existingClaim('A') }) },
    `\`artifactRoot.persistence.claimName\` ${objectName}, got "A".`,
  ],
])('%#: refuses %j', (props, message) => {
  expect(() => server(chart(), props)).toThrow(new Error(`[chart/mlflow] ${message}`));
});

test('says everything that is wrong at once: a prop, the artifact store, and what the two decide together', () => {
  const props: Partial<MlflowServerProps> = {
    workers: 0,
    replicas: 2,
    artifactRoot: new VolumeArtifacts({ defaultArtifactRoot: './mlruns' }),
    databaseMigration: DatabaseMigration.job({ deadline: Duration.seconds(0) }),
    extraInitEnvVars: { DATABASE_WAIT_SECONDS: value },
  };
  expect(() => server(chart(), props)).toThrow(
    new Error(
      [
        '`workers` must be a whole number from 1, got 0.',
        '`databaseMigration.deadline` must be a whole number of seconds from 1, got 0.',
        '`artifactRoot.defaultArtifactRoot` must be a URI, got "./mlruns". MLflow resolves a path in the pod, and clients write to that path on their own disk. Leave it out, or use \'mlflow-artifacts:/\'.',
        '`replicas` must be at most 1 with artifacts that only one node can access, got 2. Use a volume with READ_WRITE_MANY, or an object store, as `artifactRoot`.',
        `\`extraInitEnvVars.DATABASE_WAIT_SECONDS\` ${itself} Use \`databaseConnectionCheck\`.`,
      ]
        .map((message) => `[chart/mlflow] ${message}`)
        .join('\n'),
    ),
  );
});

test('a variable that a typed prop would set is the caller’s where that prop is not given', () => {
  const extraEnvVars = { MLFLOW_FLASK_SERVER_SECRET_KEY: value, MLFLOW_CRYPTO_KEK_PASSPHRASE: value };
  expect(env(container(serverManifests({ extraEnvVars }), 'mlflow'))).toMatchObject({
    MLFLOW_FLASK_SERVER_SECRET_KEY: 'x',
    MLFLOW_CRYPTO_KEK_PASSPHRASE: 'x',
  });
});

test.each(['Mlflow', '1mlflow', 'ml_flow', 'mlflow-', 'm'.repeat(45)])('refuses the id %s', (id) => {
  expect(() => server(chart(), {}, id)).toThrow(
    new Error(
      `[chart/${id}] \`id\` must be lower-case letters, digits and dashes, start with a letter and have at most 44 characters, got "${id}". Kubernetes takes it as the name of the Service.`,
    ),
  );
});

test('an existing claim has a size of its own, by type', () => {
  // @ts-expect-error a size goes with a new claim only
  Persistence.existingClaim('claim', { size: 1 });
  expect(Testing.synth(chart())).toEqual([]);
});
