import { type Code, type Field, isName, type Module, type Name, namesOf, type Program, type Statement } from './code';
import { commentLines, type Group, type Item, layOut, type Part, quoted, type Style, visible, wrap } from './layout';

const STYLE: Style = { width: 88, indent: '    ', comment: '#', hugsLast: false };
const OF_CHART = 2;
const MODULES: Record<Module, string> = {
  cdk8s: 'cdk8s',
  'cdk8s-mlflow': 'cdk8s_mlflow',
  'cdk8s-plus-28': 'cdk8s_plus_28',
};

/** Writes a program in Python, with the names that jsii makes. */
export function python(program: Program): string {
  const { className, id, namespace, statements, description } = program;
  const names = [
    { module: 'cdk8s', name: 'App' },
    { module: 'cdk8s', name: 'Chart' },
    ...statements.flatMap(({ code }) => namesOf(code, (isLifted) => !isLifted)),
  ] as Name[];
  return [
    ...imports(names),
    'from constructs import Construct',
    '',
    '',
    `class ${className}(Chart):`,
    ...docString(description),
    '',
    '    def __init__(self, scope: Construct, id: str) -> None:',
    `        super().__init__(scope, id, namespace=${quoted(namespace)})`,
    '',
    ...statements.map(statement),
    '',
    '',
    'app = App()',
    `${className}(app, ${quoted(id)})`,
    'app.synth()',
    '',
  ].join('\n');
}

/** The name that jsii gives to a member in Python. */
export function snakeCase(name: string): string {
  return name
    .replace(/([a-z\d])([A-Z])/g, '$1_$2')
    .replace(/([A-Z]+)([A-Z][a-z\d]+)/g, '$1_$2')
    .toLowerCase();
}

function imports(names: readonly Name[]): string[] {
  return (Object.keys(MODULES) as Module[]).flatMap((module) => {
    const imported = [...new Set(names.filter((each) => each.module === module).map(rootOf))].sort();
    const items = imported.map((name): Item => ({ label: name, part: [] }));
    const line = `from ${MODULES[module]} import ${imported.join(', ')}`;
    if (imported.length === 0) {
      return [];
    }
    const group: Group = { open: '(', close: ')', items };
    return [line.length <= STYLE.width ? line : layOut([`from ${MODULES[module]} import `, group], '', 0, STYLE)];
  });
}

function rootOf({ name }: Name): string {
  return name.split('.')[0] ?? name;
}

function docString(paragraphs: readonly string[]): string[] {
  const lines = paragraphs.flatMap((each, i) => [
    ...(i === 0 ? [] : ['']),
    ...visible(each)
      .split('\n')
      .flatMap((line) => wrap(line, STYLE.width - 7)),
  ]);
  const text = lines.map((line) => `    ${line.replaceAll('\\', '\\\\').replaceAll('"""', "'''")}`.trimEnd());
  const [first = '', ...others] = text;
  return others.length === 0 ? [`    """${first.trim()}"""`] : [`    """${first.trim()}`, ...others, '    """'];
}

function statement({ comment, variable, code }: Statement): string {
  const lead = variable === undefined ? '' : `${snakeCase(variable)} = `;
  const above = comment === undefined ? '' : `${commentLines(comment, OF_CHART, STYLE)}\n`;
  return above + layOut(partOf(code), lead, OF_CHART, STYLE);
}

function partOf(code: Code): Part {
  switch (code.kind) {
    case 'value':
      return [literal(code.value)];
    case 'list':
      return [{ open: '[', close: ']', items: code.items.map((each) => ({ label: '', part: partOf(each) })) }];
    case 'map': {
      const items = code.entries.map(([key, each]) => ({ label: `${quoted(key)}: `, part: partOf(each) }));
      return [{ open: '{', close: '}', items }];
    }
    case 'struct':
      return [code.name.name, { open: '(', close: ')', items: code.fields.map(keyword) }];
    case 'new':
      return [code.name.name, argumentsOf(code.args)];
    case 'call':
      return [...ownerOf(code.of), `.${snakeCase(code.method)}`, argumentsOf(code.args)];
    case 'member':
      // Constants keep their names.
      return [...ownerOf(code.of), `.${/^[A-Z\d_]+$/.test(code.member) ? code.member : snakeCase(code.member)}`];
    case 'variable':
      return [snakeCase(code.name)];
    case 'scope':
      return ['self'];
  }
}

function keyword({ name, value, comment }: Field): Item {
  return { label: `${snakeCase(name)}=`, part: partOf(value), comment };
}

/** The arguments of a call: the fields of a struct that comes last are arguments by name. */
function argumentsOf(args: readonly Code[]): Group {
  const last = args.at(-1);
  const isLifted = last?.kind === 'struct' && last.isPositional !== true;
  const others = (isLifted ? args.slice(0, -1) : args).map((each) => ({ label: '', part: partOf(each) }));
  return { open: '(', close: ')', items: [...others, ...(isLifted ? last.fields.map(keyword) : [])] };
}

function ownerOf(of: Name | Code): Part {
  return isName(of) ? [of.name] : partOf(of);
}

function literal(of: string | number | boolean | null): string {
  if (typeof of === 'string') {
    return quoted(of);
  }
  return of === null ? 'None' : of === true ? 'True' : of === false ? 'False' : String(of);
}
