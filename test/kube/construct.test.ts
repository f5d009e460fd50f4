import { Chart, Testing } from 'cdk8s';
import { ExternalPostgres } from 'cdk8s-mlflow';

const external = { host: 'db', user: 'u', password: 'p' };
const namespaces =
  '`chart.namespace` must be a namespace: lower-case letters, digits and dashes, at most 63 characters';
const keys =
  '`chart.labels` must have keys of at most 63 letters, digits, dashes, underscores and dots, after an optional DNS name and a slash';
const values = 'must be at most 63 letters, digits, dashes, underscores and dots, with a letter or digit at each end';

test.each([
  [{ namespace: 'my.ns' }, `${namespaces}, got "my.ns".`],
  [{ namespace: 'my_ns' }, `${namespaces}, got "my_ns".`],
  [{ namespace: '' }, `${namespaces}, got an empty string.`],
  [{ namespace: 'm'.repeat(64) }, `${namespaces}, got "${'m'.repeat(64)}".`],
  [{ namespace: true as never }, `${namespaces}, got true.`],
  [{ labels: { 'bad key': 'x' } }, `${keys}, got "bad key".`],
  [{ labels: { 'a/b/c': 'x' } }, `${keys}, got "a/b/c".`],
  [{ labels: { 'Example.com/team': 'x' } }, `${keys}, got "Example.com/team".`],
  [{ labels: { ['m'.repeat(64)]: 'x' } }, `${keys}, got "${'m'.repeat(64)}".`],
  [
    { labels: { team: 'two words' } },
    `\`chart.labels.team\` ${values}, got "two words". Put free text into an annotation.`,
  ],
  [{ labels: { team: 5 as never } }, `\`chart.labels.team\` ${values}, got 5. Put free text into an annotation.`],
])('refuses a chart with %j', (props, message) => {
  const chart = new Chart(Testing.app(), 'chart', props);
  expect(() => new ExternalPostgres(chart, 'postgres', external)).toThrow(new Error(`[chart/postgres] ${message}`));
});

test('takes the namespaces and labels that Kubernetes takes', () => {
  const labels = { 'app.example.com/Team_1': 'A-b_c.d', empty: '', ['m'.repeat(63)]: 'm'.repeat(63) };
  const chart = new Chart(Testing.app(), 'chart', { namespace: `1${'m'.repeat(62)}`, labels });
  expect(() => new ExternalPostgres(chart, 'postgres', external)).not.toThrow();
});
