import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';

import { Size, Testing } from 'cdk8s';
import { type ContainerResources, Cpu } from 'cdk8s-plus-28';
import { DatabaseMigration, PgBouncer } from 'cdk8s-mlflow';
import { parseAllDocuments } from 'yaml';

import { anyBackend, chart, type Manifest, server, serverManifests } from './support/synth';

const FOLDER = join(__dirname, 'golden');

/** Of a container, the pod's own or not: what a LimitRange looks at. */
interface FoundContainer {
  readonly name: string;
  readonly cpu: number;
  readonly memory: number;
  readonly isComplete: boolean;
}

/** Containers with defaults above one CPU or 512 MiB, and why. Each has a prop `resources`. */
const LARGER: Record<string, string> = {
  mlflow: 'two workers of MLflow use 810 MiB',
  postgresql: 'a database server, whose memory is its cache',
};

const millis = (cpu = ''): number => (cpu.endsWith('m') ? Number(cpu.slice(0, -1)) : Number(cpu) * 1000);

const mebibytes = (size = ''): number => Number(size.replace('Mi', '')) || Number(size.replace('Gi', '')) * 1024;

function podsIn(manifest: Manifest): Manifest[] {
  const { template = manifest.spec?.jobTemplate?.spec.template } = manifest.spec ?? {};
  return template?.spec?.containers === undefined ? [] : [template.spec];
}

function containersIn(file: string): FoundContainer[] {
  const manifests = parseAllDocuments(readFileSync(join(FOLDER, file), 'utf8')).map((each) => each.toJS());
  return manifests.flatMap(podsIn).flatMap(({ initContainers = [], containers }) =>
    [...initContainers, ...containers].map(({ name, resources: { requests = {}, limits = {} } = {} }: Manifest) => ({
      name,
      cpu: millis(limits.cpu),
      memory: mebibytes(limits.memory),
      isComplete: [requests, limits].every((each) => 'cpu' in each && 'memory' in each && 'ephemeral-storage' in each),
    })),
  );
}

const found = readdirSync(FOLDER).flatMap((file) => containersIn(file).map((each) => ({ file, ...each })));

test('every container of every example has requests and limits', () => {
  expect(found.filter(({ isComplete }) => !isComplete)).toEqual([]);
});

test('every container fits a LimitRange of one CPU and 512 MiB, but those with a reason', () => {
  const larger = found.filter(({ cpu, memory }) => !(cpu <= 1000 && memory <= 512));
  expect([...new Set(larger.map(({ name }) => name))].sort()).toEqual(Object.keys(LARGER).sort());
});

const OWN: ContainerResources = {
  cpu: { request: Cpu.millis(100), limit: Cpu.millis(300) },
  memory: { request: Size.mebibytes(200), limit: Size.mebibytes(300) },
};
const RENDERED = { requests: { cpu: '100m', memory: '200Mi' }, limits: { cpu: '300m', memory: '300Mi' } };
const TOO_LARGE: ContainerResources = { cpu: { request: Cpu.units(2), limit: Cpu.units(1) } };
const TOO_LARGE_TEXT =
  '`initResources.cpu.request` must be at most `initResources.cpu.limit` (1), got 2. Raise the limit or lower the request.';

/** Names of the containers with resources of their own, pod by pod. */
function withOwn(manifests: Manifest[]): string[][] {
  return manifests.flatMap(podsIn).map(({ initContainers, containers }) => {
    const all = [...initContainers, ...containers] as Manifest[];
    return all.filter(({ resources }) => isDeepStrictEqual(resources, RENDERED)).map(({ name }) => name as string);
  });
}

test('initResources of a server is for each container that prepares the database, and for no other', () => {
  const inJob = serverManifests({ initResources: OWN, databaseMigration: DatabaseMigration.job() });
  const prepares = ['wait-for-database', 'init-mlflow'];
  expect(withOwn(serverManifests({ initResources: OWN }))).toEqual([['init-mlflow']]);
  expect(withOwn(inJob)).toEqual([prepares, ['init-mlflow']]);
  expect(() => server(chart(), { initResources: TOO_LARGE })).toThrow(new Error(`[chart/mlflow] ${TOO_LARGE_TEXT}`));
});

test('initResources of a PgBouncer is for the container that writes its login', () => {
  const poolerWith = (initResources: ContainerResources): Manifest[] => {
    const scope = chart();
    new PgBouncer(scope, 'pooler', { backend: anyBackend(scope), initResources });
    return Testing.synth(scope);
  };
  expect(withOwn(poolerWith(OWN))).toEqual([['write-userlist']]);
  expect(() => poolerWith(TOO_LARGE)).toThrow(new Error(`[chart/pooler] ${TOO_LARGE_TEXT}`));
});
