import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { gunzipSync } from 'node:zlib';

import { type Code, isName, type Program } from '../../lib/cli/code/code';
import { python, snakeCase } from '../../lib/cli/code/python';
import { typescript } from '../../lib/cli/code/typescript';
import { convert, tried } from '../../lib/cli/from-helm/convert';
import { CHARTS } from '../../lib/cli/from-helm/from-helm';
import { report } from '../../lib/cli/from-helm/report';
import { keysOf, ruleOf, ruleTable } from '../../lib/cli/from-helm/rule';
import { parseValues } from '../../lib/cli/from-helm/values-file';
import publicApi from '../../lib/validation/public-api.json';

const VALUES = join(__dirname, 'values');
/** The printed apps: `tsc` compiles them with the tests. */
const APPS = join(__dirname, 'apps');
const charts = Object.entries(CHARTS);

const cases = charts.flatMap(([name, chart]) =>
  readdirSync(join(VALUES, name)).map((file) => {
    const text = readFileSync(join(VALUES, name, file), 'utf8');
    return [
      `${name}/${basename(file, '.yaml')}`,
      tried(convert(chart, [parseValues(file, text)], 'mlflow', 'mlflow')),
    ] as const;
  }),
);

function expectFile(file: string, content: string): void {
  if (process.env.UPDATE_GOLDEN === '1') {
    writeFileSync(file, content);
  }
  expect(content).toBe(readFileSync(file, 'utf8'));
}

test('there is a dozen files of values for each chart', () => {
  const counts = charts.map(([name]) => cases.filter(([each]) => each.startsWith(`${name}/`)).length);
  expect(counts.filter((count) => count < 12)).toEqual([]);
});

test.each(cases)('%s: the app and its report', (name, conversion) => {
  expectFile(join(APPS, `${name}.ts`), typescript(conversion.program));
  expectFile(join(APPS, `${name}.txt`), report(conversion));
});

test.each(cases)('%s: the app synthesizes', (name, { release }) => {
  const outdir = mkdtempSync(join(tmpdir(), 'cdk8s-mlflow-from-helm-'));
  const before = process.env.CDK8S_OUTDIR;
  process.env.CDK8S_OUTDIR = outdir;
  try {
    // eslint-disable-next-line @typescript-eslint/no-require-imports
    require(join(APPS, `${name}.ts`));
    const yaml = readFileSync(join(outdir, 'mlflow.k8s.yaml'), 'utf8');
    expect(yaml).toContain(`\n  name: ${release.names.server}\n`);
    expect(yaml).toContain('\nkind: Deployment\n');
  } finally {
    process.env.CDK8S_OUTDIR = before ?? '';
    if (before === undefined) {
      delete process.env.CDK8S_OUTDIR;
    }
    rmSync(outdir, { recursive: true });
  }
});

test('no app has a value of a Secret', () => {
  const printed = cases.flatMap(([name, each]) => [
    [name, typescript(each.program)],
    [name, python(each.program)],
    [name, report(each)],
  ]);
  expect(printed.filter(([, text]) => text?.includes('not-a-secret')).map(([name]) => name)).toEqual([]);
});

test('all apps are Python', () => {
  const folder = mkdtempSync(join(tmpdir(), 'cdk8s-mlflow-python-'));
  try {
    const files = cases.map(([name, { program }]) => {
      const file = join(folder, `${name.replace('/', '_')}.py`);
      writeFileSync(file, python(program));
      return file;
    });
    execFileSync('python3', ['-m', 'py_compile', ...files], { stdio: 'pipe' });
    expect(existsSync(join(folder, '__pycache__'))).toBe(true);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('an app in Python', () => {
  const [, conversion] = cases.find(([name]) => name === 'community/autoscaling') ?? [];
  expectFile(join(APPS, 'community/autoscaling.py'), python((conversion as { program: Program }).program));
});

/** All expressions of a program. */
function codesOf(code: Code): Code[] {
  const within = (): Code[] => {
    switch (code.kind) {
      case 'list':
        return [...code.items];
      case 'map':
        return code.entries.map(([, each]) => each);
      case 'struct':
        return code.fields.map(({ value }) => value);
      case 'new':
        return [...code.args];
      case 'call':
        return [...(isName(code.of) ? [] : [code.of]), ...code.args];
      case 'member':
        return isName(code.of) ? [] : [code.of];
      default:
        return [];
    }
  };
  return [code, ...within().flatMap(codesOf)];
}

interface Assembly {
  readonly types: Record<string, { kind: string; fqn: string; interfaces?: string[]; properties?: { name: string }[] }>;
}

const assemblies = Object.fromEntries(
  ['cdk8s', 'cdk8s-plus-28'].map((name) => {
    const file = join(__dirname, '../../node_modules', name, '.jsii');
    const { schema, filename } = JSON.parse(readFileSync(file, 'utf8')) as { schema: string; filename?: string };
    return [name, readAssembly(name, schema, filename)];
  }),
);

function readAssembly(name: string, schema: string, filename: string | undefined): Assembly {
  const folder = join(__dirname, '../../node_modules', name);
  if (schema === 'jsii/file-redirect' && filename !== undefined) {
    return JSON.parse(gunzipSync(readFileSync(join(folder, filename))).toString()) as Assembly;
  }
  return JSON.parse(readFileSync(join(folder, '.jsii'), 'utf8')) as Assembly;
}

/** Fields of an interface, with those that it inherits. */
function fieldsOf(module: string, name: string): string[] {
  if (module === 'cdk8s-mlflow') {
    const { struct } = (publicApi as Record<string, { struct?: object }>)[name] ?? {};
    return Object.keys(struct ?? {});
  }
  const type = assemblies[module]?.types[`${module}.${name}`];
  return [
    ...(type?.properties ?? []).map((each) => each.name),
    ...(type?.interfaces ?? []).flatMap((each) => fieldsOf(module, each.slice(module.length + 1))),
  ];
}

test('structs have the names and fields of the assemblies, which Python prints', () => {
  const structs = cases.flatMap(([, { program }]) =>
    program.statements.flatMap(({ code }) => codesOf(code)).flatMap((code) => (code.kind === 'struct' ? [code] : [])),
  );
  const wrong = structs.flatMap(({ name, fields }) => {
    const known = fieldsOf(name.module, name.name);
    return fields.filter((field) => !known.includes(field.name)).map((field) => `${name.name}.${field.name}`);
  });
  expect(new Set(structs.map(({ name }) => name.name)).size).toBeGreaterThan(25);
  expect([...new Set(wrong)]).toEqual([]);
});

test('names in Python are those that jsii makes', () => {
  const { toSnakeCase } = createRequire(require.resolve('jsii-pacmak'))('codemaker') as {
    toSnakeCase: (name: string) => string;
  };
  const names = new Set(
    cases
      .flatMap(([, { program }]) => program.statements.flatMap(({ code }) => codesOf(code)))
      .flatMap((code) => {
        if (code.kind === 'struct') {
          return code.fields.map(({ name }) => name);
        }
        return code.kind === 'call' ? [code.method] : [];
      }),
  );
  expect(names.size).toBeGreaterThan(100);
  expect([...names].map(snakeCase)).toEqual([...names].map((name) => toSnakeCase(name)));
});

describe('every key of a chart', () => {
  const lists = [
    ...charts.map(([name, chart]) => [name, chart.rules, ''] as const),
    ['bitnami-postgresql', CHARTS.community?.rules ?? [], 'postgresql.'] as const,
  ];

  test.each(lists)('%s: has a rule', (name, rules, above) => {
    const table = ruleTable(rules);
    const lines = readFileSync(join(__dirname, 'keys', `${name}.txt`), 'utf8')
      .trim()
      .split('\n');
    const keys = lines.flatMap(keysOf);
    expect(keys.length).toBeGreaterThan(80);
    expect(keys.filter((key) => ruleOf(table, above + key) === undefined)).toEqual([]);
  });

  test.each(charts)('%s: its rule converts it, or says why not', (_, { rules }) => {
    const hollow = rules.filter(
      ({ convert: by, leaveOut, doInstead }) => [by, leaveOut, doInstead].filter(Boolean).length !== 1,
    );
    expect(hollow.map(({ keys }) => keys)).toEqual([]);
  });
});
