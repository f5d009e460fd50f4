// The matrix of versions: what runs on each pair, and what a run found.

/** MLflow that the matrix knows, the oldest supported first, and what a pair upgrades from if there is none before. */
export const MLFLOW = ['3.15.1', '3.17.2', '3.18.0'];
const BEFORE_THE_OLDEST = '2.14.3';

/** The pairs of a run without arguments: both ends of PostgreSQL for each MLflow, and those between on the default. */
export const PAIRS = [
  ...MLFLOW.flatMap((mlflow) => ['14', '18'].map((postgres) => ({ mlflow, postgres }))),
  ...['15', '16', '17'].map((postgres) => ({ mlflow: '3.18.0', postgres })),
];

/** The pairs and subjects of the CI, which has a few minutes for it. */
export const DIAGONAL = [
  { mlflow: '3.15.1', postgres: '14' },
  { mlflow: '3.18.0', postgres: '18' },
];

/** The core: cases of test/pods by subject, as words for pytest's -k. Those of the diagonal are marked. */
export const SUBJECTS = {
  check: { cases: ['test_failure'], diagonal: ['test_failure[wrong-password]'] },
  'migrate from empty, eight at once': { cases: ['test_eight_at_once[empty]'] },
  'migrate from the previous': { cases: ['test_eight_at_once[old]'] },
  'migrate, killed': { cases: ['test_killed_in_the_middle'] },
  'newer schema': { cases: ['test_newer_schema'], diagonal: ['test_newer_schema'] },
  run: { cases: ['test_example_keeps_what_was_logged[external]'] },
  hosts: { cases: ['test_host_headers'], diagonal: ['test_host_headers'] },
  'basic auth': { cases: ['test_right_wrong_and_no_password'] },
  'backup and restore': { cases: ['test_everything_is_there_again[volume]'] },
  import: { cases: ['test_an_old_schema_and_a_log_beside_it'] },
  metrics: { cases: ['test_counts_the_requests_of_all_workers_dead_ones_too'] },
};

/** The version that a pair's upgrades start from. */
export function previous(mlflow) {
  return MLFLOW.filter((each) => compare(each, mlflow) < 0).at(-1) ?? BEFORE_THE_OLDEST;
}

/** Orders versions by their numbers. */
export function compare(a, b) {
  return a.localeCompare(b, 'en', { numeric: true });
}

/** What became of each subject: { passed, failed, skipped: [reasons] }, by JUnit's XML. */
export function outcomes(subjects, junit) {
  const cases = junit
    .split('<testcase ')
    .slice(1)
    .map((text) => ({
      name: unescape(/ name="([^"]*)"/.exec(` ${text}`)?.[1] ?? ''),
      failed: /<(failure|error)[ >]/.test(text),
      reason: unescape(/<skipped [^>]*message="([^"]*)"/.exec(text)?.[1] ?? ''),
    }));
  return Object.fromEntries(
    Object.entries(subjects).map(([subject, words]) => {
      const own = cases.filter(({ name }) => words.some((word) => name.includes(word)));
      const skipped = own.filter(({ reason }) => reason).map(({ reason }) => reason);
      const failed = own.filter((each) => each.failed).length;
      return [subject, { passed: own.length - failed - skipped.length, failed, skipped }];
    }),
  );
}

/** A subject of which nothing passed was not shown, whatever the reason. */
export function passes({ passed, failed }) {
  return failed === 0 && passed > 0;
}

function unescape(text) {
  const entities = { '&lt;': '<', '&gt;': '>', '&quot;': '"', '&apos;': "'", '&amp;': '&' };
  return text.replace(/&\w+;/g, (entity) => entities[entity] ?? entity);
}
