import { type Code, isName, type Module, type Name, namesOf, type Program, type Statement } from './code';
import {
  commentLines,
  type Group,
  type Item,
  layOut,
  type Part,
  quoted as inJson,
  type Style,
  visible,
  wrap,
} from './layout';

const STYLE: Style = { width: 100, indent: '  ', comment: '//', hugsLast: true };
const OF_CHART = 2;

/** Writes a program in TypeScript. */
export function typescript(program: Program): string {
  const { className, id, namespace, statements, description } = program;
  const names = [
    { module: 'cdk8s', name: 'App' },
    { module: 'cdk8s', name: 'Chart' },
    // A struct is an object literal, and needs no import.
    ...statements.flatMap(({ code }) => namesOf(code, () => false)),
  ] as Name[];
  return [
    ...imports(names),
    "import type { Construct } from 'constructs';",
    '',
    ...docComment(description),
    `export class ${className} extends Chart {`,
    '  public constructor(scope: Construct, id: string) {',
    `    super(scope, id, { namespace: ${quoted(namespace)} });`,
    '',
    ...statements.map(statement),
    '  }',
    '}',
    '',
    'const app = new App();',
    `new ${className}(app, ${quoted(id)});`,
    'app.synth();',
    '',
  ].join('\n');
}

function imports(names: readonly Name[]): string[] {
  return (['cdk8s', 'cdk8s-mlflow', 'cdk8s-plus-28'] as Module[]).flatMap((module) => {
    const imported = [...new Set(names.filter((each) => each.module === module).map(rootOf))].sort();
    const items = imported.map((name): Item => ({ label: name, part: [] }));
    const group: Group = { open: '{', close: '}', items, isSpaced: true };
    return imported.length === 0 ? [] : [layOut(['import ', group, ` from '${module}';`], '', 0, STYLE)];
  });
}

/** What is imported of a name: `k8s` of `k8s.Quantity`. */
function rootOf({ name }: Name): string {
  return name.split('.')[0] ?? name;
}

function docComment(paragraphs: readonly string[]): string[] {
  const lines = paragraphs.flatMap((each, i) => [
    ...(i === 0 ? [] : ['']),
    ...visible(each)
      .split('\n')
      .flatMap((line) => wrap(line, STYLE.width - 3)),
  ]);
  // The end of a comment inside of one would end it.
  return ['/**', ...lines.map((line) => ` * ${line.replaceAll('*/', '* /')}`.trimEnd()), ' */'];
}

function statement({ comment, variable, code }: Statement): string {
  const lead = variable === undefined ? '' : `const ${variable} = `;
  const above = comment === undefined ? '' : `${commentLines(comment, OF_CHART, STYLE)}\n`;
  return above + layOut(partOf(code), lead, OF_CHART, STYLE, ';');
}

function partOf(code: Code): Part {
  switch (code.kind) {
    case 'value':
      return [typeof code.value === 'string' ? quoted(code.value) : String(code.value)];
    case 'list':
      return [{ open: '[', close: ']', items: code.items.map((each) => ({ label: '', part: partOf(each) })) }];
    case 'map':
      return [braces(code.entries.map(([key, each]) => ({ label: `${keyOf(key)}: `, part: partOf(each) })))];
    case 'struct':
      return [braces(code.fields.map(fieldItem))];
    case 'new':
      return [`new ${code.name.name}`, argumentsOf(code.args)];
    case 'call':
      return [...ownerOf(code.of), `.${code.method}`, argumentsOf(code.args)];
    case 'member':
      return [...ownerOf(code.of), `.${code.member}`];
    case 'variable':
      return [code.name];
    case 'scope':
      return ['this'];
  }
}

function fieldItem({ name, value, comment }: { name: string; value: Code; comment?: string }): Item {
  const isShort = value.kind === 'variable' && value.name === name;
  return { label: isShort ? '' : `${name}: `, part: partOf(value), comment };
}

function ownerOf(of: Name | Code): Part {
  return isName(of) ? [of.name] : partOf(of);
}

function braces(items: readonly Item[]): Group {
  return { open: '{', close: '}', items, isSpaced: true };
}

function argumentsOf(args: readonly Code[]): Group {
  return { open: '(', close: ')', items: args.map((each) => ({ label: '', part: partOf(each) })) };
}

function keyOf(key: string): string {
  if (key === '__proto__') {
    // Any other spelling sets the prototype.
    return "['__proto__']";
  }
  return /^[A-Za-z_$][\w$]*$/.test(key) ? key : quoted(key);
}

function quoted(text: string): string {
  const inner = inJson(text).slice(1, -1);
  const single = inner.replaceAll('\\"', '"').replaceAll("'", "\\'");
  return single.includes("\\'") && !text.includes('"') ? `"${inner}"` : `'${single}'`;
}
