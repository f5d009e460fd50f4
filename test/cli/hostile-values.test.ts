import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import ts from 'typescript';

import { python } from '../../lib/cli/code/python';
import { typescript } from '../../lib/cli/code/typescript';
import { type Conversion, convert, tried } from '../../lib/cli/from-helm/convert';
import { report } from '../../lib/cli/from-helm/report';
import { runbook } from '../../lib/cli/from-helm/runbook';
import { parseValues } from '../../lib/cli/from-helm/values-file';
import { runProgram } from '../../lib/cli/program';

import { chartOf } from './charts';

const folder = mkdtempSync(join(tmpdir(), 'cdk8s-mlflow-hostile-values-'));
afterAll(() => {
  rmSync(folder, { recursive: true });
});

function converted(chart: string, text: string): Conversion {
  return tried(convert(chartOf(chart), [parseValues('values.yaml', text)], 'mlflow', 'ml', true));
}
const todo = ({ release }: Conversion) =>
  release.notes.filter(({ kind }) => kind === 'to do').map(({ keys, text }) => `${keys.join(', ')}: ${text}`);
const app = (chart: string, text: string): string => typescript(converted(chart, text).program);

/** Ends of lines, quotation marks and whatever else ends a text, a comment or a word of a shell. */
const EVIL = [
  '\\u2028',
  '\\u2029',
  '\\r',
  '\\u0085',
  '\\f',
  '\\n',
  '*/',
  "'",
  '\\"',
  '`${1}',
  '\\\\',
  '\\"\\"\\"',
  '$(touch x)',
  ';',
];
const evil = (end: string): string => `"a${end}EVIL()//"`;
const INJECTIONS: [string, (text: string) => string][] = [
  ['community', (t) => `extraEnvVars: { A: ${t} }\npodAnnotations: { a: ${t} }\nextraArgs: { a: ${t} }`],
  ['community', (t) => `artifactRoot: { s3: { enabled: true, bucket: ${t}, path: ${t} } }`],
  ['community', (t) => `ingress: { enabled: true, hosts: [{ host: ${t}, paths: [${t}, /b] }] }`],
  [
    'community',
    (t) => `auth: { enabled: true, adminUsername: ${t}, existingAdminSecret: { name: ${t}, passwordKey: ${t} } }`,
  ],
  ['official', (t) => `garbageCollection: { enabled: true, schedule: ${t} }\nenv: [{ name: ${t}, value: b }]`],
  ['official', (t) => `mlflow: { backendStoreUri: ${t}, artifactsDestination: ${t} }\nimage: { repository: ${t} }`],
  ['bitnami', (t) => `image: { digest: ${t}, tag: ${t} }\nextraDeploy: [${t}]\n${t}: 1\ntracking: { ${t}: 2 }`],
  [
    'bitnami',
    (t) =>
      `postgresql: { enabled: false }\nexternalDatabase: { host: ${t}, user: ${t}, existingSecret: ${t}, existingSecretPasswordKey: ${t} }`,
  ],
];

test.each(EVIL)('a text with %j ends neither a text nor a comment nor a command', (end) => {
  const files = INJECTIONS.map(([chart, values], i) => {
    const { program, release } = converted(chart, values(evil(end)));
    const source = ts.createSourceFile('app.ts', typescript(program), ts.ScriptTarget.Latest);
    const { parseDiagnostics } = source as unknown as { parseDiagnostics: readonly ts.Diagnostic[] };
    expect(parseDiagnostics.map(({ messageText }) => messageText)).toEqual([]);
    const calls: string[] = [];
    const walk = (node: ts.Node): void => {
      if (ts.isCallExpression(node)) {
        calls.push(node.expression.getText(source));
      }
      ts.forEachChild(node, walk);
    };
    walk(source);
    expect(calls.filter((call) => call.includes('EVIL'))).toEqual([]);
    const code = [...runbook(chartOf(chart), release).matchAll(/```sh\n([^]*?)\n```/g)].map(([, each]) => each);
    writeFileSync(join(folder, `${String(i)}.sh`), code.join('\n'));
    const file = join(folder, `${String(i)}.py`);
    writeFileSync(file, python(program));
    return file;
  });
  execFileSync('bash', ['-c', 'for F in *.sh; do bash -n "$F" || exit 1; done'], { cwd: folder, stdio: 'pipe' });
  const check =
    'import ast, sys\nfor f in sys.argv[1:]:\n    t = ast.parse(open(f).read())\n    assert not [n for n in ast.walk(t) if isinstance(n, ast.Name) and n.id == "EVIL"], f';
  execFileSync('python3', ['-c', check, ...files], { stdio: 'pipe' });
});

test('names of a Secret are words of the shell in the runbook', () => {
  const { release } = converted(
    'bitnami',
    'postgresql: { enabled: false }\nexternalDatabase: { host: h, existingSecret: "x;y$(id)", existingSecretPasswordKey: "k\'k" }',
  );
  expect(runbook(chartOf('bitnami'), release)).toContain(
    `"$(kubectl get secret 'x;y$(id)' --namespace "$NAMESPACE" --output jsonpath='{.data.k'\\''k}' | base64 --decode)"`,
  );
});

test('keys of the same name in two Secrets are two variables of the operator', () => {
  const { release } = converted('community', 'auth: { enabled: true }\nserviceMonitor: { enabled: true }');
  const commands = runbook(chartOf('community'), release);
  expect(commands).toContain('--from-literal=password="${DATABASE_PASSWORD:?the password of the role}"');
  expect(commands).toContain('--from-literal=password="${METRICS_LOGIN_PASSWORD:?the password of that administrator}"');
});

test('a name that is none of Kubernetes is refused', () => {
  expect(() => converted('community', 'fullnameOverride: "x; rm -rf"')).toThrow(
    'values.yaml:1: `fullnameOverride` must be a name of Kubernetes (lower case letters, digits, dashes), got "x; rm -rf".',
  );
});

test('the name and the namespace of the release are put into templates', () => {
  expect(app('community', 'extraEnvVars: { A: "{{ .Release.Name }}.{{- $.Release.Namespace -}}" }')).toContain(
    "fromValue('mlflow.ml')",
  );
});

test('names like those of methods are names', () => {
  const text = app(
    'official',
    'env: [{ name: constructor, value: c }, { name: toString, value: t }]\npodAnnotations: { __proto__: a, b: c }',
  );
  expect(text).toContain("constructor: EnvValue.fromValue('c'),");
  expect(text).toContain("podAnnotations: { ['__proto__']: 'a', b: 'c' }");
  expect(() => converted('official', 'service: { type: toString }')).toThrow(
    'must be ClusterIP, NodePort or LoadBalancer',
  );
});

test('each Secret has a variable of its own', () => {
  const reference = (name: string, secret: string): string =>
    `  ${name}: { valueFrom: { secretKeyRef: { name: ${secret}, key: k } } }`;
  const text = app(
    'community',
    ['extraEnvVars:', reference('A', 'my-env'), reference('B', 'my.env'), reference('C', '"-"')].join('\n'),
  );
  expect(text).toContain("const myEnvSecret = Secret.fromSecretName(this, 'my-env-secret', 'my-env');");
  expect(text).toContain("const myEnvSecret2 = Secret.fromSecretName(this, 'my.env-secret', 'my.env');");
  expect(text).toContain('const secret = Secret.fromSecretName(');
});

describe('passwords are not in the app', () => {
  test.each([
    'extraEnvVars: { A_PAT: s3cr3t, B_APIKEY: s3cr3t, JWT: s3cr3t, SECRET_X: s3cr3t, BASIC_AUTH: "u:s3cr3t", C_KEY_B64: s3cr3t }',
    'extraEnvVars: { HOOK: "https://hooks.slack.com/services/T/B/s3cr3t", A: ghp_s3cr3t, PEM: "-----BEGIN PRIVATE KEY-----\\ns3cr3t" }',
    'podAnnotations: { password: s3cr3t }',
    'extraContainers: [{ name: a, image: b, args: ["--password=s3cr3t", "--token", s3cr3t], command: ["PGPASSWORD=s3cr3t psql"] }]',
    'extraContainers: [{ name: a, image: b, env: [{ name: apiKey, value: s3cr3t }, { name: A, value: "amqp://u:s3cr3t@h" }] }]',
    'extraArgs: { defaultArtifactRoot: "s3://AKIA:s3cr3t@bucket/x" }',
    'backendStore: { postgres: { enabled: true, host: "postgresql://u:s3cr3t@h/d" } }',
    'extraArgs: { some-uri: "redis://:s3cr3t@h" }',
  ])('%s', (text) => {
    const conversion = converted('community', text);
    for (const printed of [typescript(conversion.program), python(conversion.program), report(conversion)]) {
      expect(printed).not.toContain('s3cr3t');
    }
  });

  test('and the report names the keys', () => {
    expect(todo(converted('community', 'podAnnotations: { password: s3cr3t, topologyKey: a }'))).toContain(
      'podAnnotations.password: A password is in the values. The app has <password> in its place: take it from a Secret.',
    );
  });

  test('what only looks like one stays', () => {
    const text = app(
      'community',
      'extraEnvVars: { TOKEN_TTL: "60", SECRET_FILE: /run/x, PASSWORD_MIN_LENGTH: "8", MODE: sk-learn }',
    );
    expect(text.match(/fromValue\(/g)).toHaveLength(4);
  });
});

describe('what the library refuses is in the report', () => {
  test.each([
    [
      'service: { port: 70000 }',
      'service.port: It does not synthesize before this is mended: [mlflow/mlflow] `service.port` must be',
    ],
    [
      'image: { repository: "own image" }',
      'the app: It does not synthesize before this is mended: [mlflow/mlflow] `image` must be',
    ],
    ['tolerations: [{ key: a, effect: NoSchedule, tolerationSeconds: 5 }]', 'tolerationSeconds'],
  ])('%s', (text, message) => {
    expect(todo(converted('community', text)).join('\n')).toContain(message);
  });

  test('fields that a type does not have', () => {
    expect(todo(converted('community', 'tolerations: [{ key: a, operator: Exists, colour: red }]'))).toContain(
      'tolerations.colour: k8s.Toleration has no such field: leave it out, or use a JSON patch.',
    );
  });
});

describe('YAML as Helm reads it', () => {
  test('yes, no, on, off and octal numbers', () => {
    const text = app(
      'community',
      'telemetry: { enabled: yes }\nextraEnvVars: { A: off, B: 010, C: 12:30, D: 2026-01-01, E: 1_000 }',
    );
    expect(text).toContain('telemetry: true');
    for (const value of ['false', '8', '12:30', '2026-01-01', '1000']) {
      expect(text).toContain(`fromValue('${value}')`);
    }
  });

  test('a document with nothing in it is none', () => {
    expect(converted('community', '---\n# first\n---\nreplicaCount: 1\n---\n').keys).toBe(1);
  });

  test('an alias of what it is in', () => {
    expect(() => parseValues('values.yaml', 'a: &a { b: *a }')).toThrow(
      'values.yaml: an alias stands for what it is in',
    );
  });
});

describe('single keys', () => {
  test('MinIO of the release with the artifacts in S3, as its chart wants them', () => {
    const text = app(
      'community',
      'artifactRoot: { s3: { enabled: true } }\nminio: { enabled: true, buckets: [{ name: models }] }',
    );
    expect(text).toContain("bucket: 'models',");
    expect(text).toContain("endpoint: 'http://mlflow-minio:9000',");
  });

  test('the StatefulSet of PostgreSQL by the name that the values give it', () => {
    const named = converted(
      'bitnami',
      'postgresql: { fullnameOverride: my-pg, architecture: replication, primary: { name: main } }',
    );
    expect(named.release.database).toEqual({
      name: 'my-pg-main',
      claimName: 'data-my-pg-main-0',
      oldNames: ['my-pg-main', 'my-pg-read'],
    });
    expect(converted('bitnami', 'postgresql: { nameOverride: db }').release.database?.name).toBe('mlflow-db');
  });

  test('groups of OpenID Connect as a list, with spaces', () => {
    const text = app(
      'community',
      'oidcAuth: { enabled: true, discoveryUrl: "https://i", clientId: c, groupName: [ML Users, b], adminGroupName: "a b,c" }',
    );
    expect(text).toContain("allowedGroups: ['ML Users', 'b'],");
    expect(text).toContain("adminGroups: ['a b', 'c'],");
  });

  test('names of variables stay as they are', () => {
    expect(app('community', 'extraEnvVars: { no_proxy: a }')).toContain('no_proxy: EnvValue');
  });

  test('arguments with one letter, with values that start with a dash, and stray words', () => {
    const { release, program } = converted(
      'bitnami',
      'tracking: { extraArgs: [-w, "3", --gunicorn-opts, "-w 4", --a=b, stray] }',
    );
    expect(typescript(program)).toContain('workers: 3,');
    expect(typescript(program)).toContain("extraArgs: ['--a=b'],");
    expect(release.notes.map(({ text }) => text)).toContain(
      'stray is no option of `mlflow server`, and not the value of one.',
    );
  });

  test('an Ingress: rules without a host, other services, TLS without a Secret', () => {
    const notes = todo(
      converted(
        'community',
        'ingress: { enabled: true, tls: [{ hosts: [a] }], hosts: [{ host: a.io, paths: [{ path: /, backend: {} }] }, { paths: [/] }] }',
      ),
    ).join('\n');
    for (const part of [
      'ingress.hosts[0]: A path to another',
      'ingress.hosts[1]: A rule for all',
      'ingress.tls: TLS without',
    ]) {
      expect(notes).toContain(part);
    }
  });

  test('times of several units, and what is no time or quantity', () => {
    expect(app('community', 'serviceMonitor: { enabled: true, interval: 1m30s }')).toContain('Duration.seconds(90)');
    expect(todo(converted('community', 'serviceMonitor: { enabled: true, interval: soon }')).join()).toContain(
      'The interval soon is no time',
    );
    expect(todo(converted('community', 'resources: { limits: { memory: "1,5Gi" } }')).join()).toContain(
      'resources.limits.memory: 1,5Gi is no quantity',
    );
  });
});

test('a file that is not UTF-8 is refused', () => {
  const file = join(folder, 'utf16.yaml');
  writeFileSync(file, Buffer.from('replicaCount: 1', 'utf16le'));
  writeFileSync(file, Buffer.from([0xff, 0xfe, 0x61, 0]));
  const written: string[] = [];
  const code = runProgram(['from-helm', '--chart', 'community', file], {
    out: () => undefined,
    err: (text) => written.push(text),
  });
  expect([code, written.join('')]).toEqual([1, expect.stringContaining('cannot be read')]);
});

test('a reader that has seen enough ends the program without an error', () => {
  const main = join(__dirname, '../../lib/cli/main.ts');
  const tsx = join(__dirname, '../../node_modules/.bin/tsx');
  const { status, stderr } = spawnSync(
    'bash',
    ['-c', `set -o pipefail; "${tsx}" "${main}" from-helm --help | true; echo "\${PIPESTATUS[0]}" >&2`],
    { encoding: 'utf8' },
  );
  expect([status, stderr]).toEqual([0, '0\n']);
});
