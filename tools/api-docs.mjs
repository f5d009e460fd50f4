// npm run docs, after a change of the public API: writes docs/api/, a page for each chapter, from `.jsii` with the doc comments.
// jsii-docgen names everything as jsii does in TypeScript and in Python. With --check it compares only.
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { URL, fileURLToPath } from 'node:url';

import { Documentation, Language } from 'jsii-docgen';

import { own } from './assemblies.mjs';

const ROOT = new URL('..', import.meta.url);
const FOLDER = new URL('docs/api/', ROOT);
/** The pages, with the folders of lib/ whose types they have. */
const CHAPTERS = [
  ['server', 'Server', ['server', 'server/settings', 'startup']],
  ['access', 'Access, clients and scaling', ['server/access', 'server/clients', 'server/autoscaling']],
  ['logins', 'Logins', ['server/auth']],
  ['objects', "MLflow's own objects", ['objects']],
  [
    'databases',
    'Databases',
    [
      ...['postgres/external', 'postgres/rds', 'postgres/cloud-sql', 'postgres/cloud-native', 'postgres/bitnami'],
      'postgres/database',
    ],
  ],
  ['connections', 'Connections', ['postgres/connection', 'postgres/capacity', 'postgres/pg-bouncer']],
  ['artifacts', 'Artifacts', ['artifacts']],
  ['identities', 'Identities', ['identity']],
  ['operations', 'Operations', ['operations', 'operations/backup', 'operations/imports']],
  ['monitoring', 'Monitoring', ['monitoring']],
  ['cluster', 'Cluster, rules and tests', ['.', 'kube', 'cluster', 'rules', 'diagram', 'scripts']],
  ['kubernetes', 'Pods, volumes, Secrets and network', ['kube/pod', 'kube/values', 'kube/network']],
];
// What every class of jsii or every construct has.
const OF_ANY = ['toString', 'with', 'isConstruct'];
const KINDS = { constructs: 'construct', classes: 'class', structs: 'struct', interfaces: 'interface', enums: 'enum' };

const project = await Documentation.forProject(fileURLToPath(ROOT));
const typescript = await apiOf(Language.TYPESCRIPT);
const python = byId(await apiOf(Language.PYTHON));
const types = Object.entries(KINDS).flatMap(([key, kind]) => typescript[key].map((type) => ({ ...type, kind })));
const pages = { 'README.md': index(), ...Object.fromEntries(CHAPTERS.map(([file]) => [`${file}.md`, page(file)])) };

if (process.argv.includes('--check')) {
  const stale = [...new Set([...Object.keys(pages), ...readdirSync(FOLDER)])].filter(
    (file) => !readdirSync(FOLDER).includes(file) || readFileSync(new URL(file, FOLDER), 'utf8') !== pages[file],
  );
  if (stale.length > 0) {
    console.error(`docs/api is not current: run npm run docs (${stale.join(', ')})`);
    process.exitCode = 1;
  }
} else {
  rmSync(FOLDER, { recursive: true, force: true });
  mkdirSync(FOLDER);
  Object.entries(pages).forEach(([file, text]) => writeFileSync(new URL(file, FOLDER), text));
}

async function apiOf(language) {
  return (await project.toJson({ language, allSubmodules: true })).content.apiReference;
}

/** Everything that has an id, in a map. */
function byId(api) {
  const found = new Map();
  const visit = (value) => {
    if (typeof value === 'object' && value !== null) {
      if (value.id !== undefined && value.packageName === undefined) {
        found.set(value.id, value);
      }
      Object.values(value).forEach(visit);
    }
  };
  visit(api);
  return found;
}

function chapterOf(fqn) {
  const file = own.types[fqn].locationInModule.filename;
  const folder = dirname(file).replace(/^lib\/?/, '') || '.';
  const chapter = CHAPTERS.find(([, , folders]) => folders.includes(folder));
  if (chapter === undefined) {
    throw new Error(`${file} is in no chapter: add its folder to CHAPTERS`);
  }
  return chapter[0];
}

function inOrder(chapter) {
  const here = types.filter(({ id }) => chapterOf(id) === chapter);
  const order = Object.values(KINDS);
  const place = ({ kind, displayName }) => {
    const owner = here.find((each) => each.kind === 'construct' && `${each.displayName}Props` === displayName);
    return owner === undefined
      ? `${order.indexOf(kind)} ${displayName}`
      : `${order.indexOf('construct')} ${owner.displayName} props`;
  };
  return here.sort((a, b) => (place(a) < place(b) ? -1 : 1));
}

function index() {
  const rows = CHAPTERS.map(([file, title]) => [
    `[${title}](${file}.md)`,
    inOrder(file)
      .filter(({ kind }) => kind === 'construct' || kind === 'class')
      .map((type) => linkTo(type, 'README'))
      .join(', '),
  ]);
  return paragraphs([
    '# API',
    'Every class and prop, in TypeScript and in Python. In Python, the props of a construct and of a method are keyword arguments; a struct that is the value of one is a class of that name. A name with `?` may be left out.',
    table(['chapter', 'constructs and classes'], rows),
  ]);
}

function page(file) {
  const [, title] = CHAPTERS.find(([each]) => each === file);
  return paragraphs([
    `# ${title}`,
    'Made from the doc comments by `npm run docs`. [All chapters](README.md)',
    ...inOrder(file).flatMap((type) => sectionOf(type, file)),
  ]);
}

function sectionOf(type, file) {
  const implemented = (type.interfaces ?? []).filter(({ id }) => id in own.types).map((each) => linkTo(each, file));
  return [
    `## ${type.displayName}`,
    `*${type.kind}*${implemented.length === 0 ? '' : `, implements ${implemented.join(', ')}`}`,
    ...descriptionOf(type),
    ...exampleOf(type),
    ...(type.initializer === undefined ? [] : [callTable([type.initializer], file, () => `new ${type.displayName}`)]),
    ...section('Factories and static methods', (type.staticMethods ?? []).filter(isSpecific), (methods) =>
      callTable(methods, file, ({ displayName }) => `${type.displayName}.${displayName}`),
    ),
    ...section('Constants', type.constants ?? [], (some) => memberTable(some, file)),
    ...section('Methods', (type.instanceMethods ?? []).filter(isSpecific), (methods) =>
      callTable(methods, file, ({ displayName }) => displayName),
    ),
    ...section(
      type.kind === 'struct' ? '' : 'Properties',
      (type.properties ?? []).filter(({ id }) => !id.endsWith('.node')),
      (some) => memberTable(some, file),
    ),
    ...section('', type.members ?? [], (members) =>
      table(
        ['member', 'meaning'],
        members.map((each) => [code(each.displayName), textOf(each)]),
      ),
    ),
  ];
}

function isSpecific({ displayName }) {
  return !OF_ANY.includes(displayName);
}

function section(title, items, render) {
  return items.length === 0 ? [] : [...(title === '' ? [] : [`**${title}**`]), render(items)];
}

function descriptionOf({ docs }) {
  const see = (docs.links ?? []).map((link) => `See ${link}`);
  return [docs.summary, docs.remarks, ...see].filter((each) => each !== undefined).map(escaped);
}

function exampleOf({ id, docs }) {
  if (docs.example === undefined) {
    return [];
  }
  const fence = (language, text) => `\`\`\`${language}\n${text.trimEnd()}\n\`\`\``;
  // The first line says that the fragment was not compiled.
  const translated = python.get(id).docs.example.replace(/^# Example automatically generated .*\n/, '');
  return [fence('ts', docs.example), fence('python', translated)];
}

/** Calls, with what they take: positions first, then what TypeScript has in one object and Python as keywords. */
function callTable(calls, file, nameOf) {
  const rows = calls.map((call) => {
    const other = python.get(call.id);
    const name = nameOf(call);
    const owner = name.split('.').slice(0, -1).join('.');
    const pythonName = call.id.endsWith('.Initializer')
      ? name.replace('new ', '')
      : [owner, other.displayName].filter((each) => each !== '').join('.');
    const parameters = call.parameters.map((each) => `${each.displayName}${each.optional ? '?' : ''}`);
    const positions = other.parameters.filter((each) => call.parameters.some(({ id }) => id === each.id));
    const keywords = other.parameters.filter((each) => !positions.includes(each));
    const required = keywords.filter(({ optional }) => !optional).map(named);
    const left = keywords.filter(({ optional }) => optional).map(named);
    const shown = [...required, ...(left.length > 4 ? ['…'] : left)];
    const all = [...positions.map(named), ...(shown.length === 0 ? [] : ['*', ...shown])];
    const details = call.parameters
      .filter(({ displayName }) => !['scope', 'id'].includes(displayName))
      .map((each) => `${code(each.displayName)} ${typeText(each.type, file)}${described(each)}`);
    const returned = returnsOf(call.id);
    return [
      code(`${name}(${parameters.join(', ')})`),
      code(`${pythonName}(${all.join(', ')})`),
      [textOf(call), ...details, ...(returned === undefined ? [] : [`Returns ${returned}.`])]
        .filter((each) => each !== '')
        .join('<br>'),
    ];
  });
  return table(['TypeScript', 'Python', 'meaning'], rows);

  function returnsOf(id) {
    const parts = id.split('.');
    const member = parts.pop();
    const found = own.types[parts.join('.')]?.methods?.find(({ name }) => name === member)?.returns?.type;
    return found?.primitive === undefined
      ? found?.fqn !== undefined && found.fqn in own.types
        ? linkTo({ id: found.fqn, displayName: found.fqn.split('.').pop() }, file)
        : undefined
      : code(found.primitive);
  }
}

function named({ displayName, optional }) {
  return optional ? `${displayName}=None` : displayName;
}

function described(each) {
  const text = textOf(each);
  return text === '' ? '' : `: ${text}`;
}

function memberTable(members, file) {
  const rows = members.map((each) => {
    const other = python.get(each.id);
    return [
      `${code(`${each.displayName}${each.optional ? '?' : ''}`)}<br>${typeText(each.type, file)}`,
      `${code(other.displayName)}<br>${typeText(other.type, file)}`,
      textOf(each),
    ];
  });
  return table(['TypeScript', 'Python', 'meaning'], rows);
}

/** Description and default on one line. */
function textOf({ docs = {}, optional, default: value }) {
  const sentences = [docs.summary, docs.remarks].filter((each) => each !== undefined).map(inline);
  if (optional && value !== undefined) {
    const words = /^- /.test(value) ? value.replace(/^- /, '') : value;
    sentences.push(`Default: ${/^- /.test(value) || value.includes('`') ? inline(words) : code(words)}.`);
  }
  return sentences
    .reduce((text, each) => `${text}${/[.:]$/.test(text) ? '<br>' : ' '}${each}`, '')
    .trim()
    .replaceAll(/(?<!\.)\.\.$/g, '.');
}

/** Lines and lists of a comment in a cell of a table. */
function inline(text) {
  return escaped(text)
    .replaceAll(/\n\n+|\n(?=- )/g, '<br>')
    .replaceAll('\n', ' ');
}

function typeText(type, file) {
  const parts = [];
  const add = ({ formattingPattern, types: inner = [] }) => {
    const [first, ...others] = shortened(formattingPattern).split('%');
    parts.push(first);
    others.forEach((part, place) => {
      const value = inner[place];
      if (value.formattingPattern === undefined && value.id in own.types) {
        parts.push(value);
      } else {
        add(value.formattingPattern === undefined ? { formattingPattern: value.displayName } : value);
      }
      parts.push(part);
    });
  };
  add(type);
  const merged = parts.reduce(
    (all, part) =>
      typeof part === 'string' && typeof all.at(-1) === 'string'
        ? [...all.slice(0, -1), all.at(-1) + part]
        : [...all, part],
    [],
  );
  return merged
    .filter((part) => part !== '')
    .map((part) => (typeof part === 'string' ? code(part) : linkTo(part, file)))
    .join('');
}

function shortened(pattern) {
  return pattern
    .replace('typing.Union[int, float]', 'int | float')
    .replace('typing.Mapping[%]', 'Mapping[str, %]')
    .replace('{[ key: string ]: %}', '{ [key: string]: % }')
    .replace(/^typing\./, '');
}

function linkTo({ id, displayName }, file) {
  if (!(id in own.types)) {
    return code(displayName);
  }
  const chapter = chapterOf(id);
  return `[${code(displayName)}](${chapter === file ? '' : `${chapter}.md`}#${displayName.toLowerCase()})`;
}

function code(text) {
  return `\`${text}\``;
}

/** Text of a comment: what would be HTML outside of code is text. */
function escaped(text) {
  return text
    .split(/(`[^`]*`)/)
    .map((part, place) => (place % 2 === 1 ? part : part.replaceAll(/<(?=[a-zA-Z/])/g, '&lt;').replaceAll('*', '\\*')))
    .join('');
}

function table(head, rows) {
  return [head, head.map(() => '---'), ...rows]
    .map((cells) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`)
    .join('\n');
}

function paragraphs(parts) {
  return `${parts.join('\n\n')}\n`;
}
