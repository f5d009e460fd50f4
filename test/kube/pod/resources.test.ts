import { Size, Testing } from 'cdk8s';
import { type ContainerResources, Cpu } from 'cdk8s-plus-28';
import { CloudNativePostgres } from 'cdk8s-mlflow';

import { chart, container, only, server, serverManifests } from '../../support/synth';

const whole = 'must be a whole number of MiB from 1';
const hint = 'Raise the limit or lower the request.';

test.each<[ContainerResources, string]>([
  [
    { cpu: { request: Cpu.units(2), limit: Cpu.millis(500) } },
    `\`resources.cpu.request\` must be at most \`resources.cpu.limit\` (500m), got 2. ${hint}`,
  ],
  [{ cpu: { request: Cpu.millis(-100) } }, '`resources.cpu.request` must be above 0, got -100m.'],
  [{ cpu: { request: Cpu.millis(100), limit: Cpu.units(0) } }, '`resources.cpu.limit` must be above 0, got 0.'],
  [
    { cpu: { limit: Cpu.units(NaN) } },
    '`resources.cpu.limit` must have a value, got NaN. If it comes from an environment variable, set that before the synthesis.',
  ],
  [{ cpu: { limit: Cpu.millis(Infinity) } }, '`resources.cpu.limit` must be above 0, got Infinitym.'],
  [
    { memory: { request: Size.gibibytes(2), limit: Size.mebibytes(512) } },
    `\`resources.memory.request\` must be at most \`resources.memory.limit\` (512Mi), got 2Gi. ${hint}`,
  ],
  [{ memory: { limit: Size.mebibytes(0) } }, `\`resources.memory.limit\` ${whole}, got 0Mi.`],
  [{ memory: { limit: Size.gibibytes(0.0001) } }, `\`resources.memory.limit\` ${whole}, got 0.0001Gi.`],
  [
    { memory: { request: Size.gibibytes(NaN) } },
    '`resources.memory.request` must have a value, got NaN. If it comes from an environment variable, set that before the synthesis.',
  ],
  [
    { ephemeralStorage: { request: Size.gibibytes(2), limit: Size.mebibytes(1536) } },
    `\`resources.ephemeralStorage.request\` must be at most \`resources.ephemeralStorage.limit\` (1536Mi), got 2Gi. ${hint}`,
  ],
  [{ ephemeralStorage: { limit: Size.kibibytes(1) } }, `\`resources.ephemeralStorage.limit\` ${whole}, got 1Ki.`],
])('refuses %j', (resources, message) => {
  expect(() => server(chart(), { resources })).toThrow(new Error(`[chart/mlflow] ${message}`));
});

test('equal requests and limits, and one without the other, are taken', () => {
  const size = { request: Size.mebibytes(1024), limit: Size.gibibytes(1) };
  const cpu = { request: Cpu.millis(1000), limit: Cpu.units(1) };
  expect(() => server(chart(), { resources: { cpu, memory: size, ephemeralStorage: size } })).not.toThrow();
  expect(() => server(chart(), { resources: { memory: { limit: Size.gibibytes(1) } } })).not.toThrow();
});

test('storage may be a part of a GiB', () => {
  const resources = { ephemeralStorage: { request: Size.mebibytes(256), limit: Size.mebibytes(1536) } };
  expect(container(serverManifests({ resources }), 'mlflow').resources).toEqual({
    requests: { 'ephemeral-storage': '0.25Gi' },
    limits: { 'ephemeral-storage': '1.5Gi' },
  });
});

test('CloudNativePG gets it, too', () => {
  const scope = chart();
  new CloudNativePostgres(scope, 'db', { resources: { ephemeralStorage: { limit: Size.mebibytes(1536) } } });
  expect(only(Testing.synth(scope), 'Cluster').spec.resources).toEqual({
    requests: {},
    limits: { 'ephemeral-storage': '1536Mi' },
  });
});
