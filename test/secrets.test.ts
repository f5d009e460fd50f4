import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { parseAllDocuments } from 'yaml';

import type { Manifest } from './support/synth';

const FOLDER = join(__dirname, 'golden');

const goldens = readdirSync(FOLDER).map((file): [string, Manifest[]] => {
  const documents = parseAllDocuments(readFileSync(join(FOLDER, file), 'utf8'));
  return [file, (documents as Manifest[]).map((each) => each.toJS())];
});

// Names of variables whose value lets somebody in, but for those that name a file with it.
const SECRET_NAME = /PASSWORD|PASSWD|SECRET|TOKEN|PASSPHRASE|ACCESS_KEY|CONNECTION_STRING|PRIVATE_KEY|API_KEY/i;
const FILE_NAME = /_(FILE|PATH)$/;

// `password=x`, `--token x`, `postgresql://user:x@host`, a PEM key.
const SECRET_TEXT = [
  /(password|passwd|secret|token|passphrase|api[-_]?key)["']?[ \t]*[=:][ \t]*["']?[^\s"'${}]/i,
  /--[a-z-]*(password|secret|token|passphrase|key)[ =][^\s$]/i,
  /\w+:\/\/[^\s/:@]*:[^\s/@]+@/,
  /PRIVATE KEY-----/,
];

interface Found {
  readonly where: string;
  readonly value: string;
}

/** Every text of a manifest, with the way to it. */
function texts(value: unknown, where = ''): Found[] {
  if (typeof value === 'object' && value !== null) {
    return Object.entries(value).flatMap(([key, each]) => texts(each, `${where}/${key}`));
  }
  return typeof value === 'string' ? [{ where, value }] : [];
}

/** The literals of all Secrets: whoever wrote them as such finds them there. */
function literals(manifests: Manifest[]): string[] {
  return manifests
    .filter(({ kind }) => kind === 'Secret')
    .flatMap(({ stringData = {}, data = {} }) => [
      ...Object.entries<string>(stringData),
      ...Object.entries<string>(data).map(([key, value]) => [key, Buffer.from(value, 'base64').toString()] as const),
    ])
    .filter(([key]) => !/^(user(name)?|host|port|dbname|database)$/i.test(key))
    .map(([, value]) => value);
}

function variables(manifests: Manifest[]): Manifest[] {
  const pods = manifests.map(({ spec }) => (spec?.jobTemplate?.spec ?? spec)?.template?.spec ?? {});
  return pods
    .flatMap(({ containers = [], initContainers = [] }) => [...containers, ...initContainers])
    .flatMap(({ env = [] }) => env);
}

test('what the tests look for can be found', () => {
  const all = goldens.flatMap(([, manifests]) => manifests);
  expect(literals(all)).toEqual(
    expect.arrayContaining(['your_secure_password', 'mlflow_password', 'Pa33w0rd!', 'only-for-development']),
  );
  expect(variables(all).map(({ name }) => name)).toEqual(
    expect.arrayContaining(['PGPASSWORD', 'AWS_SECRET_ACCESS_KEY']),
  );
  const bad = [
    'password=x',
    '{"token": "x"}',
    '--admin-password x',
    'postgresql://u:x@host/db',
    '-----BEGIN PRIVATE KEY-----',
  ];
  expect(bad.filter((text) => !SECRET_TEXT.some((pattern) => pattern.test(text)))).toEqual([]);
});

describe.each(goldens)('%s', (_, manifests) => {
  const others = manifests.filter(({ kind }) => kind !== 'Secret');

  test('has the literals of its Secrets nowhere else, encoded neither', () => {
    const everywhere = texts(others);
    for (const secret of literals(manifests)) {
      const forms = [secret, encodeURIComponent(secret), Buffer.from(secret).toString('base64')];
      expect(everywhere.filter(({ value }) => forms.some((form) => value.includes(form)))).toEqual([]);
    }
  });

  test('takes variables that let somebody in from Secrets that must exist', () => {
    for (const { name, value, valueFrom } of variables(manifests)) {
      if (SECRET_NAME.test(name) && !FILE_NAME.test(name)) {
        expect({ name, value }).toEqual({ name, value: undefined });
        expect(valueFrom).toEqual({ secretKeyRef: { name: expect.any(String), key: expect.any(String) } });
      }
    }
  });

  test('has no text that looks like a secret', () => {
    const suspicious = texts(others).filter(({ value }) => SECRET_TEXT.some((pattern) => pattern.test(value)));
    expect(suspicious).toEqual([]);
  });
});
