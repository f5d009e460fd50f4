// node tools/check-release.mjs v1.2.3: whether the tag, package.json, its lock file and CHANGELOG.md are about the same version.
import { readFileSync } from 'node:fs';
import { URL } from 'node:url';

const read = (file) => readFileSync(new URL(`../${file}`, import.meta.url), 'utf8');
const [tag = ''] = process.argv.slice(2);
const { version } = JSON.parse(read('package.json'));
const versions = {
  'the tag': tag.replace(/^v/, ''),
  'package-lock.json': JSON.parse(read('package-lock.json')).version,
  'the first section of CHANGELOG.md': /^## (\S+)/m.exec(read('CHANGELOG.md'))?.[1],
};
const others = Object.entries(versions).filter(([, each]) => each !== version);
for (const [where, each] of others) {
  console.error(
    `${where} is ${each || 'missing'}, package.json is ${version}: run npm version, and name that section so.`,
  );
}
process.exitCode = others.length > 0 ? 1 : 0;
