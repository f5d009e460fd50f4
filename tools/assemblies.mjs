// What the library's own `.jsii` says of its public types, and those of the libraries it stands on; `npm run build` writes it.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..');
const require = createRequire(join(ROOT, 'package.json'));

export const own = read(ROOT);
const assemblies = [
  own,
  ...Object.keys(own.dependencies).map((name) => read(dirname(require.resolve(`${name}/package.json`)))),
];
export const types = new Map(assemblies.flatMap((assembly) => Object.entries(assembly.types)));

export const typeOf = (fqn) => types.get(fqn);
export const isOwn = (fqn) => packageOf(fqn) === own.name;
export const nameOf = (fqn) => fqn.slice(packageOf(fqn).length + 1);

/** What a class, an enum or a namespace is at run time. */
export function runtime(fqn) {
  const module = require(packageOf(fqn) === own.name ? ROOT : packageOf(fqn));
  return nameOf(fqn)
    .split('.')
    .reduce((inside, name) => inside[name], module);
}

/** Whether a type is another one, or inherits or implements it. */
export function isA(fqn, wanted) {
  if (fqn === undefined || fqn === wanted) {
    return fqn === wanted;
  }
  const { base, interfaces = [] } = typeOf(fqn) ?? {};
  return [base, ...interfaces].some((each) => each !== undefined && isA(each, wanted));
}

/** Members of a type of one kind, `properties` or `methods`, those that it inherits included. */
export function membersOf(fqn, kind) {
  const { [kind]: members = [], base, interfaces = [] } = typeOf(fqn);
  const inherited = [...(base === undefined ? [] : [base]), ...interfaces].flatMap((each) => membersOf(each, kind));
  return [...new Map([...inherited, ...members].map((each) => [each.name, each])).values()];
}

function packageOf(fqn) {
  return fqn.slice(0, fqn.indexOf('.'));
}

function read(folder) {
  const found = JSON.parse(readFileSync(join(folder, '.jsii'), 'utf8'));
  return found.schema === 'jsii/file-redirect'
    ? JSON.parse(gunzipSync(readFileSync(join(folder, found.filename))).toString('utf8'))
    : found;
}
