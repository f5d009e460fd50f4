import { dirname } from 'node:path';

import { Chart, Testing } from 'cdk8s';
import { AwsIdentity, CloudSqlLogin, CloudSqlPostgres, GoogleIdentity, PostgresTls, RdsPostgres } from 'cdk8s-mlflow';

import { failureCausesOf } from '../../lib/postgres/connection/connection-sidecar';
import { RULES } from '../../lib/rules/rules';

import { exitCodes, type ScriptCause, scriptCauses } from './script-causes';
import { ruleTexts, type SynthError, synthErrors } from './synth-errors';

/** Chapters of the errors at the synthesis, by the folders of lib/. */
const CHAPTERS: [string, string[]][] = [
  ['Props of any construct', ['validation']],
  [
    'Databases',
    [
      'postgres/connection',
      'postgres/external',
      'postgres/database',
      'postgres/rds',
      'postgres/cloud-sql',
      'postgres/cloud-native',
      'postgres/bitnami',
    ],
  ],
  ['Pools and PgBouncer', ['postgres/capacity', 'postgres/pg-bouncer']],
  ['Artifacts', ['artifacts']],
  ['Identities', ['identity']],
  ['Servers', ['server', 'server/settings', 'server/autoscaling', 'startup']],
  ['Logins', ['server/auth']],
  ['Services, Ingresses and routes', ['server/access']],
  ['Clients', ['server/clients']],
  ["MLflow's own objects", ['objects']],
  ['Operations', ['operations', 'operations/backup', 'operations/imports']],
  ['Monitoring', ['monitoring']],
  ['Cluster settings', ['cluster']],
  ['Pods, volumes, labels and network policies', ['kube', 'kube/pod', 'kube/network', 'kube/values']],
  ['Acknowledgements', ['rules']],
];
/** Errors that only a change of the library itself can cause. */
const OF_THE_LIBRARY = ['scripts/scripts.ts', 'validation/arguments.ts'];

/** Who runs the scripts of a folder of lib/scripts. */
const RUN_BY: Record<string, string> = {
  backup: '`PostgresBackup`, `PostgresRestore`',
  bootstrap: '`DatabaseBootstrap`',
  cluster: 'pods with `trustedCa`',
  garbage_collection: '`MlflowGarbageCollection`',
  file_store_import: '`FileStoreImport`',
  imports: '`SqliteImport`, `MySqlImport`, `FileStoreImport`',
  mysql_import: '`MySqlImport`',
  sqlite_import: '`SqliteImport`',
  objects: '`MlflowObjects`',
  pg_bouncer: '`PgBouncer`',
  rds: '`rds-token` of `RdsPostgres`',
  server: '`MlflowServer`',
  shared: 'all that connects',
  startup: '`init-mlflow`',
  trace_archival: '`MlflowTraceArchival`',
};

/** docs/errors.md. */
export function errorsPage(): string {
  return `${[...atTheSynthesis(), ...inTheCluster()].join('\n\n')}\n`;
}

function atTheSynthesis(): string[] {
  const errors = synthErrors().filter(({ file }) => !OF_THE_LIBRARY.includes(file));
  return [
    '# Errors',
    'This page is made from the code: `UPDATE_GOLDEN=1 npx jest test/errors`. `…` stands for what depends on your app.',
    '## At the synthesis',
    'An error names the construct, the prop, what is required, what was given, and the way out. All that is wrong with a construct is said at once:',
    '    [external/postgres] `password` must be given, got an empty string. If it comes from an environment variable, set that before the synthesis.',
    'A value that is missing or of another type is reported in the same form for every construct: "must be given", "must be a number".',
    '## Rules',
    'Rules compare several constructs. Each fails the synthesis with its id, and `Rules.of(construct).acknowledge(id, reason)` accepts that for a construct and everything below it, such as a server, a backend or a chart:',
    table(
      ['rule', 'what it requires', 'what it says'],
      RULES.map(({ id, description }) => [
        `<a id="${id}"></a>\`${id}\``,
        description,
        ruleTexts(id)
          .filter((text) => !RULES.some((rule) => rule.description === text))
          .join(' '),
      ]),
    ),
    ...CHAPTERS.flatMap(([title, folders]) => [
      `## ${title}`,
      table(
        ['error', 'way out'],
        errors
          .filter(({ file }) => folders.includes(dirname(file)))
          .map(({ text, wayOut }) => [text, wayOut === '…' ? '' : wayOut]),
      ),
    ]),
  ];
}

/** Errors that no chapter has. */
export function errorsWithoutChapter(): SynthError[] {
  const folders = CHAPTERS.flatMap(([, some]) => some);
  return synthErrors().filter(({ file }) => !OF_THE_LIBRARY.includes(file) && !folders.includes(dirname(file)));
}

function inTheCluster(): string[] {
  const causes = [...scriptCauses(), ...sidecarCauses()];
  const names = [...new Set(causes.map(({ name }) => name))].sort();
  return [
    '## In the cluster',
    'A container that cannot go on ends with one line, `<program>: <cause>: <what was seen>. <way out>`. It is the last line of its log, and the termination message, which links to the cause on this page:',
    ['```sh', 'kubectl describe pod -n mlflow -l app.kubernetes.io/name=mlflow   # Last State … Message', '```'].join(
      '\n',
    ),
    "Lines of the connection check begin with `wait-for-database`, in a server's container `init-mlflow`, too. It tries for two minutes; then the container ends, and the kubelet starts it again. The way out names the variables of libpq, which are props of the backend: PGHOST, PGPORT and PGDATABASE its `host`, `port` and `database`, PGUSER and PGPASSWORD its login, PGSSLMODE, PGSSLROOTCERT, PGSSLCERT and PGSSLKEY its `tls`, and the schema its [`schema`](databases.md#a-schema-other-than-public).",
    '## Exit codes',
    table(
      ['program', 'exit codes'],
      exitCodes().map(([program, codes]) => [`\`${program}\``, codes]),
    ),
    '## Causes',
    ...names.flatMap((name) => [
      `### ${name}`,
      causes
        .filter((cause) => cause.name === name)
        .map(itemOf)
        .join('\n'),
    ]),
  ];
}

function itemOf({ folder, saw, wayOut, retries }: ScriptCause): string {
  const who = RUN_BY[folder] ?? folder;
  const texts = [saw, wayOut]
    .filter((each) => each !== '')
    .map((each) => `${escaped(each)}.`.replace(/([.…])\.$/, '$1'));
  const again = retries === true ? ['The program tries again until its deadline.'] : [];
  return `- ${who}: ${[...(texts.length === 0 ? ['The message says what it saw.'] : texts), ...again].join(' ')}`;
}

/** Causes that a sidecar puts in the place of the general ones. */
function sidecarCauses(): ScriptCause[] {
  const chart = new Chart(Testing.app(), 'chart');
  const rds = new RdsPostgres(chart, 'rds', {
    host: 'mlflow.abcdefghijkl.eu-west-1.rds.amazonaws.com',
    user: 'mlflow',
    identity: AwsIdentity.ambient(),
    tls: PostgresTls.REQUIRE,
  });
  const cloudSql = new CloudSqlPostgres(chart, 'cloud-sql', {
    instanceConnectionName: 'project:europe-west1:instance',
    identity: GoogleIdentity.ambient(),
    login: CloudSqlLogin.iam('mlflow@project.iam'),
  });
  return [rds, cloudSql].flatMap(({ connection: { sidecar } }) =>
    (sidecar === undefined ? [] : failureCausesOf(sidecar)).map(({ name, advice }) => ({
      name,
      folder: `pods with \`${sidecar?.container.name ?? ''}\``,
      saw: '',
      wayOut: advice,
    })),
  );
}

function table(head: string[], rows: string[][]): string {
  const lines = [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.map(escaped).join(' | ')} |`);
  return [...new Set(lines)].join('\n');
}

function escaped(text: string): string {
  return text
    .replaceAll('|', '\\|')
    .replaceAll('\n', ' ')
    .replaceAll(/<(?=[a-z])(?!a id=)/g, '\\<')
    .replaceAll('*', '\\*');
}
