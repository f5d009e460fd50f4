// Writes site/pages from README, docs/ and the other texts of the repository: with links for the site, and with each example
// in TypeScript and in Python.
import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, posix, relative } from 'node:path';

const HERE = import.meta.dirname;
const ROOT = join(HERE, '..');
const PAGES = join(HERE, 'pages');
const REPOSITORY = 'https://github.com/cdk8s-mlflow/cdk8s-mlflow/blob/main/';

/** The files of the repository that are pages, with the paths of those pages. */
export const SOURCES = Object.fromEntries([
  ['README.md', 'start.md'],
  ['ARCHITECTURE.md', 'architecture.md'],
  ['CHANGELOG.md', 'changelog.md'],
  ['CONTRIBUTING.md', 'contributing.md'],
  ['SECURITY.md', 'reporting.md'],
  ...readdirSync(join(ROOT, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.md'))
    .map((file) => [`docs/${file}`, file.replace(/README\.md$/, 'index.md')]),
]);

if (process.argv[1] === import.meta.filename) {
  rmSync(PAGES, { recursive: true, force: true });
  for (const [source, page] of Object.entries(SOURCES)) {
    mkdirSync(dirname(join(PAGES, page)), { recursive: true });
    writeFileSync(join(PAGES, page), pageOf(source, readFileSync(join(ROOT, source), 'utf8')));
  }
  cpSync(join(HERE, 'home.md'), join(PAGES, 'index.md'));
}

/** A file of the repository as a page of the site. */
export function pageOf(source, text) {
  const inCode = /^( *)```[^\n]*\n[\s\S]*?^\1```$|`[^`\n]+`/gm;
  const withLinks = outside(text, inCode, (part) =>
    part.replaceAll(/\]\(([^)\s]+)\)/g, (_, link) => `](${linkOf(source, link)})`),
  );
  const head = source.startsWith('docs/api/') ? '---\npageClass: api\n---\n\n' : '';
  return head + withPython(withLinks);
}

/** Changes what no match of a pattern has. */
function outside(text, pattern, change) {
  let done = '';
  let from = 0;
  for (const match of text.matchAll(pattern)) {
    done += change(text.slice(from, match.index)) + match[0];
    from = match.index + match[0].length;
  }
  return done + change(text.slice(from));
}

/** A link of a file, to a page where there is one, otherwise to the repository. */
function linkOf(source, link) {
  if (link.startsWith('#') || (/^[a-z]+:/.test(link) && !link.startsWith(REPOSITORY))) {
    return link;
  }
  const [path, anchor] = link.replace(REPOSITORY, '').split('#');
  const target = link.startsWith(REPOSITORY) ? path : posix.join(posix.dirname(source), path);
  const page = SOURCES[target];
  const found = page === undefined ? `${REPOSITORY}${target}` : pathBetween(SOURCES[source], page);
  return anchor === undefined ? found : `${found}#${anchor}`;
}

function pathBetween(from, to) {
  const path = relative(dirname(from), to);
  return path.startsWith('.') ? path : `./${path}`;
}

/** Each example beside the same in Python, where a file or the next block has that. */
function withPython(text) {
  const block =
    /(?:<!-- examples\/([\w-]+)\.ts -->\n)?```ts\n([\s\S]*?)```(?:\n\n(?:The same in Python[^\n]*:\n\n)?```python\n([\s\S]*?)```)?/g;
  return text.replaceAll(block, (whole, example, typescript, next) => {
    const file = join(ROOT, 'examples', 'python', `${String(example).replaceAll('-', '_')}.py`);
    const python = next ?? (existsSync(file) ? readFileSync(file, 'utf8') : undefined);
    return python === undefined
      ? whole
      : `::: code-group\n\n\`\`\`ts [TypeScript]\n${typescript}\`\`\`\n\n\`\`\`python [Python]\n${python}\`\`\`\n\n:::`;
  });
}
