// npm run test:languages: compiles the packages for Java and Go, and runs examples/java and examples/go with them. Each program has to
// make the YAML of the same one in TypeScript, and an error has to arrive with its text.
// A language without its tools is skipped, which is said and counted. npm run test:languages -- java go: these, and none may be skipped.
// cdk8s and cdk8s-plus-28 are compiled from their npm packages, in the versions of package-lock.json: not every registry has those.
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';

import { installed, quiet, stop } from '../support/tools.mjs';

const HERE = import.meta.dirname;
const ROOT = join(HERE, '..', '..');
const EXAMPLES = join(ROOT, 'examples');
const PEERS = ['cdk8s', 'cdk8s-plus-28'];
const LANGUAGES = {
  java: { tools: { mvn: '--version', javac: '-version' }, programs: javaPrograms },
  go: { tools: { go: 'version' }, programs: goPrograms },
};
const MAVEN = ['-B', '-q', '-Dmaven.javadoc.skip=true', '-Dmaven.source.skip=true'];
const COPY_DEPENDENCIES = 'org.apache.maven.plugins:maven-dependency-plugin:3.6.0:copy-dependencies';

const asked = process.argv.slice(2);
if (asked.some((each) => !(each in LANGUAGES))) {
  stop(`usage: npm run test:languages [-- java go]; got ${asked.join(' ')}`);
}
process.chdir(ROOT);
process.env.JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION = '20';
const scratch = mkdtempSync(join(tmpdir(), 'cdk8s-mlflow-languages-'));
process.on('exit', () => {
  rmSync(scratch, { recursive: true, force: true });
});
process.on('SIGTERM', () => process.exit(143));
process.on('SIGINT', () => process.exit(130));

const inTypeScript = {
  'first-server': join(EXAMPLES, 'first-server.ts'),
  'own-backend': join(HERE, 'typescript', 'own-backend.ts'),
  'empty-host': join(HERE, 'typescript', 'empty-host.ts'),
};
const expected = Object.fromEntries(
  Object.entries(inTypeScript).map(([name, file]) => [name, outputOf('typescript', name, ['npx', 'tsx', file])]),
);
const count = { passed: 0, failed: 0, skipped: 0 };
for (const language of asked.length > 0 ? asked : Object.keys(LANGUAGES)) {
  const { tools, programs } = LANGUAGES[language];
  const missing = Object.keys(tools).filter((tool) => spawnSync(tool, [tools[tool]]).status !== 0);
  if (missing.length > 0) {
    report('skipped', `${language}, for want of ${missing.join(' and ')}`);
    continue;
  }
  const commands = programs(join(scratch, language));
  for (const name of Object.keys(expected)) {
    const made = outputOf(language, name, commands[name] ?? stop(`${language} has no program ${name}.`));
    report(made === expected[name] ? 'passed' : 'failed', `${language}, ${name}, ${made.length} characters`);
    if (made !== expected[name]) {
      showDifference(expected[name], made);
    }
  }
}
console.log(`programs: ${count.passed} passed, ${count.failed} failed; languages: ${count.skipped} skipped`);
process.exitCode = count.failed > 0 || count.passed === 0 || (asked.length > 0 && count.skipped > 0) ? 1 : 0;

function report(result, line) {
  count[result] += 1;
  console.log(`${result}: ${line}`);
}

/** What a program prints, and the manifests that it writes. */
function outputOf(language, name, [command, ...args]) {
  const folder = join(scratch, 'made', language, name);
  mkdirSync(folder, { recursive: true });
  const printed = quiet(command, args, { env: { ...process.env, CDK8S_OUTDIR: folder } });
  const manifests = readdirSync(folder).filter((file) => file.endsWith('.k8s.yaml'));
  const output = [printed, ...manifests.map((file) => readFileSync(join(folder, file), 'utf8'))].join('');
  return output.trim() === '' ? stop(`${name} in ${language} made nothing.`) : output;
}

function showDifference(one, other) {
  writeFileSync(join(scratch, 'expected.txt'), one);
  writeFileSync(join(scratch, 'made.txt'), other);
  console.log(spawnSync('diff', ['-u', 'expected.txt', 'made.txt'], { cwd: scratch, encoding: 'utf8' }).stdout);
}

/** The sources of a package, which jsii makes of an npm package. */
function generate(language, npmPackage, folder) {
  const options = ['--code-only', '--no-npmignore', '--targets', language, '--outdir', folder];
  quiet('npx', ['jsii-pacmak', npmPackage, ...options]);
  return join(folder, language);
}

function versionOf(name) {
  return JSON.parse(readFileSync(join(ROOT, 'node_modules', name, 'package.json'), 'utf8')).version;
}

/** What is generated of cdk8s and cdk8s-plus-28, made once for each version of them. */
function peers(language, make) {
  const versions = [...PEERS, 'constructs', 'jsii-pacmak'].map((name) => `${name}@${versionOf(name)}`);
  return installed(`peers-${language}`, [], versions, make);
}

function goPrograms(folder) {
  const library = join(generate('go', '.', folder), 'cdk8smlflow');
  const others = peers('go', (cache) => {
    PEERS.forEach((name) => generate('go', join('node_modules', name), cache));
  });
  const app = join(folder, 'app');
  cpSync(join(EXAMPLES, 'go'), app, { recursive: true });
  cpSync(join(HERE, 'go'), app, { recursive: true });
  const go = (...args) => quiet('go', args, { cwd: app, env: { ...process.env, GOTOOLCHAIN: 'local' } });
  const unformatted = quiet('gofmt', ['-l', app]);
  if (unformatted !== '') {
    stop(`gofmt would change ${unformatted}`);
  }
  const replaced = {
    'github.com/cdk8s-mlflow/cdk8s-mlflow-go/cdk8smlflow': library,
    'github.com/cdk8s-team/cdk8s-core-go/cdk8s/v2': join(others, 'go', 'cdk8s'),
    'github.com/cdk8s-team/cdk8s-plus-go/cdk8splus28/v2': join(others, 'go', 'cdk8splus28'),
  };
  go('mod', 'init', 'app');
  go('mod', 'edit', ...Object.entries(replaced).map(([name, path]) => `-replace=${name}=${path}`));
  // Otherwise `tidy` takes the newest ones.
  const required = {
    'github.com/aws/jsii-runtime-go': versionOf('jsii-pacmak'),
    'github.com/aws/constructs-go/constructs/v10': versionOf('constructs'),
  };
  go('mod', 'edit', ...Object.entries(required).map(([name, version]) => `-require=${name}@v${version}`));
  go('mod', 'tidy');
  go('vet', './...');
  const names = readdirSync(app, { withFileTypes: true }).filter((each) => each.isDirectory());
  return Object.fromEntries(
    names.map(({ name }) => {
      go('build', '-o', join(folder, 'bin', name), `./${name}`);
      return [name, [join(folder, 'bin', name)]];
    }),
  );
}

function javaPrograms(folder) {
  // A repository of its own, so that nothing which is made here lies in that of other projects.
  const maven = (repository, project, ...goals) =>
    quiet('mvn', [...MAVEN, `-Dmaven.repo.local=${repository}`, ...goals], { cwd: project });
  const repositoryOf = (cache) => join(cache, 'repository');
  const others = peers('java', (cache) => {
    for (const name of PEERS) {
      const sources = withVersions(generate('java', join('node_modules', name), join(cache, name)));
      maven(repositoryOf(cache), sources, 'install');
      rmSync(join(cache, name), { recursive: true });
    }
  });
  maven(repositoryOf(others), withVersions(generate('java', '.', folder)), 'install');
  const app = join(folder, 'app');
  const sources = join(app, 'src', 'main', 'java');
  cpSync(join(EXAMPLES, 'java'), sources, { recursive: true });
  cpSync(join(HERE, 'java'), sources, { recursive: true });
  const { version } = JSON.parse(readFileSync('package.json', 'utf8'));
  const pom = readFileSync(join(sources, 'pom.xml'), 'utf8').replace('VERSION', version);
  writeFileSync(join(app, 'pom.xml'), pom);
  maven(repositoryOf(others), app, 'compile', COPY_DEPENDENCIES);
  const classpath = [join(app, 'target', 'classes'), join(app, 'target', 'dependency', '*')].join(delimiter);
  const classes = readdirSync(sources).filter((file) => file.endsWith('.java'));
  return Object.fromEntries(
    classes.map((file) => {
      const name = file.replace('.java', '');
      const inOtherLanguages = name.replaceAll(/\B[A-Z]/g, '-$&').toLowerCase();
      return [inOtherLanguages, ['java', '-cp', classpath, name]];
    }),
  );
}

/** Of each range in the pom.xml of jsii, the version that npm has, or the first: for a range, Maven reads the pom.xml of every version. */
function withVersions(project) {
  const file = join(project, 'pom.xml');
  const range = /<artifactId>([\w-]+)<\/artifactId>(\s*)<version>\[([\d.]+),[\d.]+\)/g;
  const pinned = readFileSync(file, 'utf8').replaceAll(range, (_, name, space, first) => {
    const version = [...PEERS, 'constructs'].includes(name) ? versionOf(name) : first;
    return `<artifactId>${name}</artifactId>${space}<version>${version}`;
  });
  writeFileSync(file, pinned);
  return project;
}
