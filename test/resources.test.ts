import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { parseAllDocuments } from 'yaml';

import type { Manifest } from './support/synth';

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
  const manifests = parseAllDocuments(readFileSync(join(FOLDER, file), 'utf8')).map((each) => each.toJS() as Manifest);
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
