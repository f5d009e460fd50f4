import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { alertsOf, fullyMonitored, panelExpressions } from './monitored';
import { parse } from './promql';

const manifests = fullyMonitored();
const alerts = Object.entries(alertsOf(manifests)).map(([name, { expr }]) => [name, expr as string] as const);
const expressions = [...alerts.map(([, expression]) => expression), ...panelExpressions(manifests)];

test.each(alerts)('the expression of %s is PromQL', (_, expression) => {
  expect(parse(expression).errorsAt).toEqual([]);
});

test('the expressions of the dashboard are PromQL', () => {
  const broken = panelExpressions(manifests).filter((expression) => parse(expression).errorsAt.length > 0);
  expect(broken).toEqual([]);
});

test('the parser sees what is no PromQL, and names what is', () => {
  expect(parse('sum(rate(a{b="c"}[5m]) > 1').errorsAt).not.toEqual([]);
  expect(parse('sum by (le) (rate(a{b="c"}[5m])) / on (d) e > 0')).toEqual({ metrics: ['a', 'e'], errorsAt: [] });
});

test('docs/metrics.md lists each metric in use, and no other', () => {
  const text = readFileSync(join(__dirname, '..', '..', 'docs', 'metrics.md'), 'utf8');
  const listed = [...text.matchAll(/^\| `(\w+)` \|/gm)].map(([, name]) => name);
  expect(listed.sort()).toEqual([...new Set(expressions.flatMap((each) => parse(each).metrics))].sort());
});

test('every selector names the namespace, so that two deployments do not mix', () => {
  const selectors = expressions.flatMap((expression) => [...expression.matchAll(/\{([^}]*(\{5\})?[^}]*)\}/g)]);
  expect(selectors.length).toBeGreaterThan(expressions.length);
  expect(selectors.map(([text]) => text).filter((text) => !text.startsWith('{namespace="team",'))).toEqual([]);
});
