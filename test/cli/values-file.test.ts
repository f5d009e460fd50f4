import { convert } from '../../lib/cli/from-helm/convert';
import { mergeValues, parseValues } from '../../lib/cli/from-helm/values-file';
import { typescript } from '../../lib/cli/code/typescript';

import { chartOf } from './charts';

const community = chartOf('community');
const converted = (text: string) => () => convert(community, [parseValues('values.yaml', text)], 'mlflow', 'mlflow');

describe('a file that cannot be', () => {
  test.each([
    ['YAML with an error', 'a: [1, 2', /^values\.yaml: .* at line 1, column 9/],
    ['a duplicate key', 'a: 1\na: 2', /^values\.yaml: Map keys must be unique at line 2/],
    ['a tab', 'a:\n\tb: 1', /^values\.yaml: Tabs are not allowed as indentation at line 2/],
    ['an alias that nothing defines', 'a: *nothing', /^values\.yaml: Unresolved alias/],
    ['a list', '- a', /^values\.yaml: the file must be a map of values, got a list\.$/],
    ['a text', 'hello', /^values\.yaml: the file must be a map of values, got "hello"\.$/],
    ['two documents', 'a: 1\n---\nb: 2', /^values\.yaml: a values file is one YAML document, got 2\.$/],
    [
      'two releases',
      ['a', 'b']
        .map((name) => `apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: { name: ${name} }`)
        .join('\n---\n'),
      /^values\.yaml: a values file is one YAML document, got 2\.$/,
    ],
  ])('%s', (_, text, message) => {
    expect(() => parseValues('values.yaml', text)).toThrow(message);
  });

  test('aliases that grow without a limit', () => {
    const lines = [
      'a: &a [x, x, x, x, x, x, x, x, x]',
      ...'bcdefgh'.split('').map((name, i) => `${name}: &${name} [${`*${'abcdefgh'.charAt(i)}, `.repeat(9)}]`),
    ];
    expect(() => parseValues('values.yaml', lines.join('\n'))).toThrow(/^values\.yaml: Excessive alias count/);
  });
});

describe('values of a wrong type', () => {
  test.each([
    ['a number', 'image: {}\nreplicaCount: two', 'values.yaml:2: `replicaCount` must be a whole number, got "two".'],
    ['a flag', 'ingress:\n  enabled: "yes"', 'values.yaml:2: `ingress.enabled` must be true or false, got "yes".'],
    ['a map', 'ingress: true', 'values.yaml:1: `ingress` must be a map, got true.'],
    ['a list', 'tolerations:\n  key: a', 'values.yaml:1: `tolerations` must be a list, got a map.'],
    ['a map in a list', 'tolerations: [a]', 'values.yaml:1: `tolerations[0]` must be a map, got "a".'],
    ['a text', 'image:\n  tag: [1]', 'values.yaml:2: `image.tag` must be a text, got a list.'],
    [
      'a text of a map',
      'nodeSelector:\n  pool: {}\n  zone: [a]',
      'values.yaml:3: `nodeSelector.zone` must be a text, got a list.',
    ],
    [
      'a choice',
      'log: { level: loud }',
      'values.yaml:1: `log.level` must be debug, info, warning, error or critical, got "loud".',
    ],
    [
      'a type of Service',
      'service: { type: Headless }',
      'values.yaml:1: `service.type` must be ClusterIP, NodePort or LoadBalancer, got "Headless".',
    ],
  ])('%s', (_, text, message) => {
    expect(converted(text)).toThrow(message);
  });

  test('all are said at once', () => {
    expect(converted('replicaCount: two\ningress: true')).toThrow(
      'values.yaml:2: `ingress` must be a map, got true.\nvalues.yaml:1: `replicaCount` must be a whole number, got "two".',
    );
  });
});

describe('what Helm takes, too', () => {
  test.each(['', '# nothing', '---', '{}', 'null', 'ingress:\nimage: null'])('%j sets nothing', (text) => {
    expect(converted(text)().keys).toBe(0);
  });

  test('numbers in quotation marks, and texts that are numbers', () => {
    const { program } = converted('service: { port: "8080" }\nimage: { repository: own, tag: 3 }')();
    expect(typescript(program)).toContain('service: { port: 8080 }');
    expect(typescript(program)).toContain("image: 'own:3'");
  });

  test('anchors, aliases and merge keys', () => {
    const text = 'x: &labels { team: ml }\npodAnnotations: { <<: *labels, a: b }\nnodeSelector: *labels';
    const app = typescript(converted(text)().program);
    expect(app).toContain("podAnnotations: { team: 'ml', a: 'b' }");
    expect(app).toContain("nodeSelector: { team: 'ml' }");
  });
});

test('files are merged as Helm merges them', () => {
  const files = [
    'a: { b: 1, c: 2, d: { e: 1 } }\nf: [1, 2]',
    'a: { c: 3, d: { g: 2 } }\nf: [3]',
    'a: { b: null, d: text }',
  ];
  expect(mergeValues(files.slice(0, 2).map((text) => parseValues('f', text)))).toEqual({
    a: { b: 1, c: 3, d: { e: 1, g: 2 } },
    f: [3],
  });
  expect(mergeValues(files.map((text) => parseValues('f', text)))).toEqual({ a: { b: null, c: 3, d: 'text' }, f: [3] });
});

test('a problem names the last file that has the key', () => {
  const files = [parseValues('base.yaml', 'replicaCount: one'), parseValues('prod.yaml', '\nreplicaCount: two')];
  expect(() => convert(community, files, 'mlflow', 'mlflow')).toThrow(
    'prod.yaml:2: `replicaCount` must be a whole number, got "two".',
  );
});

describe('values inside of another file', () => {
  test('a HelmRelease of Flux', () => {
    const text = 'kind: HelmRelease\nspec:\n  values:\n    replicaCount: two';
    const file = parseValues('release.yaml', text, ['spec', 'values']);
    expect(file.data).toEqual({ replicaCount: 'two' });
    expect(() => convert(community, [file], 'mlflow', 'mlflow')).toThrow('release.yaml:4: `replicaCount`');
  });

  test('an Application of Argo CD, whose values are a text', () => {
    const text = 'spec: { source: { helm: { values: "replicaCount: 2" } } }';
    expect(parseValues('app.yaml', text, ['spec', 'source', 'helm', 'values']).data).toEqual({ replicaCount: 2 });
  });

  test('which does not have them', () => {
    expect(() => parseValues('app.yaml', 'spec: {}', ['spec', 'values'])).toThrow(
      'app.yaml: there is no `spec.values`, which --at names.',
    );
    expect(() => parseValues('app.yaml', 'spec: [1]', ['spec'])).toThrow(
      'app.yaml: `spec` must be a map of values, got a list.',
    );
  });
});

describe('manifests', () => {
  const application = (helm: string): string =>
    `apiVersion: argoproj.io/v1alpha1\nkind: Application\nspec:\n  source:\n    chart: mlflow\n    helm: ${helm}\n`;
  const release = (spec: string): string =>
    `apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nspec:\n  chart: {}\n${spec}`;
  const dataOf = (text: string, at: string[] = []): unknown => parseValues('app.yaml', text, at).data;

  test.each([
    ['values as text', '{ values: "replicaCount: 2" }', { replicaCount: 2 }],
    ['an object, which wins over the text', '{ valuesObject: { a: 1 }, values: "a: 2" }', { a: 1 }],
    [
      'parameters, which win over both',
      '{ values: "a: { b: 1, c: 1 }", parameters: [{ name: a.b, value: "true" }, { name: a.d\\.e, value: "5" }] }',
      { a: { b: true, c: 1, 'd.e': 5 } },
    ],
    ['parameters alone, one as text', '{ parameters: [{ name: a, value: "5", forceString: true }] }', { a: '5' }],
  ])('an Application of Argo CD: %s', (_, helm, data) => {
    expect(dataOf(application(helm))).toEqual(data);
  });

  test('a HelmRelease of Flux, and what is below a key of it', () => {
    expect(dataOf(release('  values: { mlflow: { a: 1 } }'))).toEqual({ mlflow: { a: 1 } });
    expect(dataOf(release('  values: { mlflow: { a: 1 } }'), ['spec', 'values', 'mlflow'])).toEqual({ a: 1 });
    expect(dataOf(release('  values: { list: [{ a: 1 }] }'), ['spec', 'values', 'list', '0'])).toEqual({ a: 1 });
  });

  test('what is elsewhere is named', () => {
    expect(parseValues('app.yaml', release('  valuesFrom: []\n  values: { a: 1 }')).elsewhere).toEqual([
      'spec.valuesFrom',
    ]);
    const helm = '{ values: "a: 1", valueFiles: [b.yaml], parameters: [{ name: c, value: d }] }';
    expect(parseValues('app.yaml', application(helm)).elsewhere).toEqual(['spec.source.helm.valueFiles']);
    const at = ['spec', 'source', 'helm', 'values'];
    expect(parseValues('app.yaml', application(helm), at).elsewhere).toEqual([
      'spec.source.helm.valueFiles',
      'parameters',
    ]);
  });

  test.each([
    [
      'all of it',
      application('{ valueFiles: [a.yaml] }'),
      'app.yaml: the values of this manifest are elsewhere, in `spec.source.helm.valueFiles`: give those files.',
    ],
    [
      'no chart',
      'apiVersion: argoproj.io/v1alpha1\nkind: Application\nspec: { source: { path: apps } }',
      'app.yaml: the Application has no source with `helm`: give its values files, or --at where the values are.',
    ],
    [
      'an item of a list',
      application('{ parameters: [{ name: "hosts[0]", value: a }] }'),
      'app.yaml: the parameter `hosts[0]` sets an item of a list: write it into the values of the Application.',
    ],
  ])('what cannot be read: %s', (_, text, message) => {
    expect(() => dataOf(text)).toThrow(message);
  });
});

test('a placeholder where a number has to be is named, and the default counts', () => {
  const { release, program } = converted('service: { port: "${port}" }\nreplicaCount: "{{ .replicas }}"')();
  const note = release.notes.find(({ keys }) => keys.includes('service.port'));
  expect(note?.keys).toEqual(['replicaCount', 'service.port']);
  expect(note?.text).toMatch(/^They have a placeholder where a number/);
  expect(typescript(program)).toContain('service: { port: 80 }');
});

test('values of an umbrella chart: the report says where the keys are known', () => {
  const { release } = converted('mlflow:\n  replicaCount: 2\nistio: { enabled: true }')();
  expect(release.notes.find(({ kind }) => kind === 'unknown')?.text).toContain(
    'Those below `mlflow` are read with --at mlflow.',
  );
});

test('options of uvicorn that the library sets are named, others stay', () => {
  const { release, program } = converted(
    'extraArgs: { uvicornOpts: "--log-level debug --timeout-keep-alive 20 --proxy-headers" }',
  )();
  expect(typescript(program)).toContain("extraArgs: ['--uvicorn-opts=--timeout-keep-alive=20 --proxy-headers'],");
  expect(release.notes.find(({ keys }) => keys[0]?.includes('--log-level') === true)).toMatchObject({
    kind: 'changed',
    keys: ['extraArgs --uvicorn-opts --log-level debug'],
    text: 'the library sets it itself. Use `logLevel`.',
  });
});
