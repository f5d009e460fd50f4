import {
  MlflowAuth,
  MlflowExperiment,
  type MlflowObjects,
  MlflowPermission,
  MlflowRegisteredModel,
  type MlflowServerProps,
  MlflowServiceUser,
  MlflowUser,
  MlflowWorkspace,
  PermissionLevel,
  PermissionTarget,
  SecretKey,
} from 'cdk8s-mlflow';
import type { Construct } from 'constructs';

import { type Manifest, only } from '../support/synth';

import { basicAuth, declared, jobOf, objectsIn } from './declared';

const password = SecretKey.fromSecretName('users', 'password');
const team = { ...basicAuth(), workspaces: true };

test('each kind, after what it needs', () => {
  const manifests = declared((scope, objects) => {
    const username = 'ci';
    const target = PermissionTarget.registeredModel('churn');
    new MlflowPermission(scope, 'of-ci', {
      objects,
      username,
      target,
      level: PermissionLevel.MANAGE,
      workspace: 'team',
    });
    const member = { objects, username, target: PermissionTarget.workspace('team'), level: PermissionLevel.USE };
    new MlflowPermission(scope, 'member', member);
    new MlflowServiceUser(scope, 'ci', { objects });
    new MlflowUser(scope, 'ada', { objects, username: 'ada@example.com', password, isAdmin: true });
    new MlflowRegisteredModel(scope, 'model', { objects, modelName: 'churn', description: 'y', workspace: 'team' });
    new MlflowExperiment(scope, 'churn', { objects, description: 'Who?', tags: { a: 'b' }, workspace: 'team' });
    new MlflowWorkspace(scope, 'team', { objects, description: 'x', defaultArtifactRoot: 's3://models/team' });
  }, team);
  expect(objectsIn(manifests)).toEqual([
    { kind: 'workspace', name: 'team', description: 'x', default_artifact_root: 's3://models/team' },
    { kind: 'experiment', name: 'churn', workspace: 'team', tags: { a: 'b', 'mlflow.note.content': 'Who?' } },
    { kind: 'registered model', name: 'churn', workspace: 'team', description: 'y', tags: {} },
    { kind: 'user', name: 'ada@example.com', is_admin: true, variable: 'OBJECT_3_PASSWORD' },
    { kind: 'service user', name: 'ci', login: 'ci-login', labels: expect.any(Object) as object },
    {
      kind: 'permission',
      name: 'ci on registered model churn',
      workspace: 'team',
      username: 'ci',
      target: 'registered_model',
      resource: 'churn',
      permission: 'MANAGE',
    },
    {
      kind: 'permission',
      name: 'ci on workspace team',
      username: 'ci',
      target: 'workspace',
      resource: 'team',
      permission: 'USE',
    },
  ]);
});

test('names are public', () => {
  declared((scope, objects) => {
    const pipeline = new MlflowServiceUser(scope, 'ci', { objects, username: 'robot', secretName: 'robot' });
    expect([pipeline.username, pipeline.secretName]).toEqual(['robot', 'robot']);
    expect(new MlflowExperiment(scope, 'a', { objects, artifactLocation: 's3://b/a' }).experimentName).toBe('a');
    expect(new MlflowRegisteredModel(scope, 'b', { objects }).modelName).toBe('b');
    expect(new MlflowUser(scope, 'c', { objects, password }).username).toBe('c');
  }, basicAuth());
});

describe('service users', () => {
  const manifests = declared((scope, objects) => {
    ['ci', 'cd'].forEach((id) => new MlflowServiceUser(scope, id, { objects }));
  }, basicAuth());

  test('the Job may make Secrets, and read those of its users', () => {
    expect(only(manifests, 'Role').rules).toEqual([
      { apiGroups: [''], resources: ['secrets'], verbs: ['get'], resourceNames: ['cd-login', 'ci-login'] },
      { apiGroups: [''], resources: ['secrets'], verbs: ['create'] },
    ]);
    expect(only(manifests, 'RoleBinding')).toMatchObject({
      roleRef: { kind: 'Role', name: 'objects' },
      subjects: [{ kind: 'ServiceAccount', name: 'objects' }],
    });
  });

  test('a token is in its pod alone', () => {
    const pod = jobOf(manifests);
    expect(pod).toMatchObject({ automountServiceAccountToken: false, serviceAccountName: 'objects' });
    const projected = pod.volumes.filter((each: Manifest) => each.projected !== undefined);
    expect(projected).toHaveLength(1);
    expect(projected[0].projected.sources[0]).toEqual({
      serviceAccountToken: { expirationSeconds: 3600, path: 'token' },
    });
    expect(pod.containers[0].volumeMounts).toContainEqual({
      mountPath: '/var/run/secrets/kubernetes.io/serviceaccount',
      name: projected[0].name,
      readOnly: true,
    });
  });
});

type Declare = (scope: Construct, objects: MlflowObjects) => unknown;

const NAMES = 'must be printable ASCII without spaces and colons, with at most 255 characters';
const TAGS = 'must have keys of 1 to 250 letters, digits, spaces and _ - . : / that are no path to another file';
const URI = 'must be a URI of at most 2048 characters without .., #, ? and spaces';
const target = PermissionTarget.experiment('e');
const level = PermissionLevel.READ;

const WRONG: [string, Partial<MlflowServerProps>, Declare, string][] = [
  [
    'the same experiment twice',
    {},
    (scope, objects) => {
      new MlflowExperiment(scope, 'a', { objects, experimentName: 'e' });
      new MlflowExperiment(scope, 'b', { objects, experimentName: 'e' });
    },
    '[chart/b] the experiment "e" must be declared once for each server, and chart/a declares it. Declare all of it there.',
  ],
  [
    'a user who is a service user, too',
    basicAuth(),
    (scope, objects) => {
      new MlflowUser(scope, 'a', { objects, username: 'u', password });
      new MlflowServiceUser(scope, 'b', { objects, username: 'u' });
    },
    '[chart/b] the service user "u" must be declared once for each server, and chart/a declares it. Declare all of it there.',
  ],
  [
    'an experiment without a name',
    {},
    (scope, objects) =>
      new MlflowExperiment(scope, 'x', { objects, experimentName: 'x'.repeat(501), tags: { '../a': 'b' } }),
    `[chart/x] \`experimentName\` must have 1 to 500 characters that are not all spaces, got "${'x'.repeat(501)}".\n[chart/x] \`tags\` ${TAGS}, got "../a".`,
  ],
  [
    'a description that is also a tag',
    {},
    (scope, objects) =>
      new MlflowExperiment(scope, 'x', { objects, description: 'a', tags: { 'mlflow.note.content': 'b' } }),
    '[chart/x] `tags: mlflow.note.content` must not be set: the library sets it itself. Use `description`.',
  ],
  [
    'a location that is no URI',
    {},
    (scope, objects) => new MlflowExperiment(scope, 'x', { objects, artifactLocation: '/mlruns' }),
    `[chart/x] \`artifactLocation\` ${URI}, got "/mlruns". Such as s3://models/churn.`,
  ],
  [
    'a location above another',
    {},
    (scope, objects) => new MlflowExperiment(scope, 'x', { objects, artifactLocation: 's3://a/../b' }),
    `[chart/x] \`artifactLocation\` ${URI}, got "s3://a/../b". Such as s3://models/churn.`,
  ],
  [
    'a location with workspaces',
    team,
    (scope, objects) => new MlflowExperiment(scope, 'x', { objects, artifactLocation: 's3://a/b' }),
    '[chart/x] `artifactLocation` must be left out on a server with workspaces: MLflow takes the one of the workspace. Set `defaultArtifactRoot` of the MlflowWorkspace.',
  ],
  [
    'a model with a slash',
    {},
    (scope, objects) => new MlflowRegisteredModel(scope, 'x', { objects, modelName: 'a/b' }),
    '[chart/x] `modelName` must have 1 to 256 characters without / and :, and must not be . or .., got "a/b".',
  ],
  [
    'a workspace on a server without any',
    {},
    (scope, objects) => new MlflowExperiment(scope, 'x', { objects, workspace: 'team' }),
    '[chart/x] `workspace` needs a server with workspaces, and "mlflow" has none. Give it `workspaces: true`.',
  ],
  [
    'a declared workspace on a server without any',
    {},
    (scope, objects) => new MlflowWorkspace(scope, 'team', { objects }),
    '[chart/team] `objects` needs a server with workspaces, and "mlflow" has none. Give it `workspaces: true`.',
  ],
  [
    'a reserved workspace',
    team,
    (scope, objects) => new MlflowWorkspace(scope, 'x', { objects, workspaceName: 'api' }),
    '[chart/x] `workspaceName` must be none of the names that MLflow reserves (workspaces, api, ajax-api, static-files), got "api".',
  ],
  [
    'a workspace in capitals',
    team,
    (scope, objects) => new MlflowWorkspace(scope, 'x', { objects, workspaceName: 'Team' }),
    '[chart/x] `workspaceName` must be 2 to 63 lower-case letters, digits and inner dashes, got "Team".',
  ],
  [
    'a user on a server without users',
    {},
    (scope, objects) => new MlflowUser(scope, 'a', { objects, username: 'a:b', password }),
    `[chart/a] \`username\` ${NAMES}, got "a:b".\n[chart/a] \`objects\` must be of a server with MlflowAuth.basic(), and "mlflow" keeps no passwords of users. Set its \`auth\`, or make users where they log in.`,
  ],
  [
    'the first administrator',
    basicAuth(),
    (scope, objects) => new MlflowServiceUser(scope, 'admin', { objects, secretName: 'A' }),
    '[chart/admin] `secretName` must be the name of a Kubernetes object (lower-case letters, digits, dashes and dots), got "A".\n[chart/admin] `username` must not be the first administrator of the server, got "admin". The server makes this user by `adminPassword` of its `auth`.',
  ],
  [
    'a permission where everybody may do everything',
    {},
    (scope, objects) => new MlflowPermission(scope, 'p', { objects, username: 'a', target, level }),
    '[chart/p] `objects` must be of a server with users, and on "mlflow" everybody may do everything. Set its `auth`: MlflowAuth.basic().',
  ],
  [
    'a permission that a workspace does not know',
    basicAuth(),
    (scope, objects) => {
      const on = PermissionTarget.workspace('team');
      new MlflowPermission(scope, 'p', { objects, username: 'a', target: on, level, workspace: 'other' });
    },
    '[chart/p] `level` must be PermissionLevel.USE or MANAGE on a workspace, got "READ".\n[chart/p] `workspace` must be left out where `target` is a workspace, got "other".\n[chart/p] `target` needs a server with workspaces, and "mlflow" has none. Give it `workspaces: true`.\n[chart/p] `workspace` needs a server with workspaces, and "mlflow" has none. Give it `workspaces: true`.',
  ],
];

test.each(WRONG)('%s', (_, props, declare, text) => {
  expect(() => declared(declare, props)).toThrow(new Error(text));
});

test('a login whose administrators nobody knows', () => {
  const auth = MlflowAuth.oauth2Proxy({
    issuerUrl: 'https://login.example.com',
    redirectUrl: 'https://mlflow.example.com/oauth2/callback',
    clientId: 'mlflow',
    clientSecret: password,
    cookieSecret: password,
    emailDomains: ['example.com'],
  });
  expect(() => declared(() => undefined, { auth, encryption: { passphrase: password } })).toThrow(
    new Error(
      '[chart/objects] `login` must be given: "mlflow" has a login whose administrators the library does not know. MlflowLogin.fromSecretName(name), or MlflowLogin.fromToken(token).',
    ),
  );
});
