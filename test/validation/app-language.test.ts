import { PgBouncer } from 'cdk8s-mlflow';

import { anyBackend, chart, server } from '../support/synth';

const { JSII_AGENT } = process.env;
afterEach(() => {
  if (JSII_AGENT === undefined) {
    delete process.env.JSII_AGENT;
  } else {
    process.env.JSII_AGENT = JSII_AGENT;
  }
});

/** The error of a wrong prop in an app of this language. */
function errorIn(
  agent: string | undefined,
  props: object = { extraArgs: ['--workers=2'], maxClientConnections: 0 },
): Error {
  if (agent !== undefined) {
    process.env.JSII_AGENT = agent;
  }
  try {
    const scope = chart();
    new PgBouncer(scope, 'pgbouncer', { backend: anyBackend(scope), ...props });
  } catch (error) {
    return error as Error;
  }
  throw new Error('no error');
}

const text = (name: string): string => `[chart/pgbouncer] \`${name}\` must be a whole number from 1, got 0.`;

test.each([
  [undefined, 'maxClientConnections'],
  ['Java/17.0.1', 'maxClientConnections'],
  ['Python/3.11.7', 'max_client_connections'],
])('in an app of %s, errors name the prop %s', (agent, name) => {
  expect(errorIn(agent, { maxClientConnections: 0 }).message).toBe(text(name));
});

test('in Python, only members of the library change, and not in what was given', () => {
  expect(errorIn('Python/3.11.7', { image: 'maxClientConnections keepAlive' }).message).toBe(
    errorIn(undefined, { image: 'maxClientConnections keepAlive' }).message,
  );
  process.env.JSII_AGENT = 'Python/3.11.7';
  expect(() => server(chart(), { extraArgs: ['--workers=2'] })).toThrow(/`extra_args --workers=2` /);
});

test('an error has a stack of Node.js in apps of TypeScript alone', () => {
  expect(errorIn(undefined).stack?.split('\n').length).toBeGreaterThan(3);
  const { message, stack } = errorIn('Python/3.11.7');
  expect(stack).toBe(`Error: ${message}`);
});
