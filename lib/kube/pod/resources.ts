import { type Size, SizeRoundingBehavior } from 'cdk8s';
import type * as kplus from 'cdk8s-plus-28';

import type { Problems } from '../../validation/problems';

/** An amount, as it is rendered, and as it is compared. */
interface Amount {
  readonly text: string;
  readonly value: number;
}

/** Validates requests and limits. */
export function checkResources(problems: Problems, prop: string, resources: kplus.ContainerResources = {}): void {
  const { cpu, memory, ephemeralStorage } = resources;
  const amounts: [string, Amount | undefined, Amount | undefined][] = [
    ['cpu', cpuAmount(cpu?.request), cpuAmount(cpu?.limit)],
    ['memory', sizeAmount(memory?.request), sizeAmount(memory?.limit)],
    ['ephemeralStorage', sizeAmount(ephemeralStorage?.request), sizeAmount(ephemeralStorage?.limit)],
  ];
  for (const [name, request, limit] of amounts) {
    const field = (end: string): string => `\`${problems.name(`${prop}.${name}.${end}`)}\``;
    const isRight = [
      checkAmount(problems, field('request'), name, request),
      checkAmount(problems, field('limit'), name, limit),
    ].every(Boolean);
    if (isRight && request !== undefined && limit !== undefined && request.value > limit.value) {
      problems.say(
        `${field('request')} must be at most ${field('limit')} (${limit.text}), got ${request.text}.`,
        'Raise the limit or lower the request.',
      );
    }
  }
}

/**
 * The resources, with a part of a GiB of storage as Kubernetes takes it.
 *
 * cdk8s-plus-28 renders ephemeral storage in GiB, and fails for a size that is no whole number of them.
 */
export function exactResources(resources: kplus.ContainerResources | undefined): kplus.ContainerResources | undefined {
  const storage = resources?.ephemeralStorage;
  return storage === undefined
    ? resources
    : { ...resources, ephemeralStorage: { request: exact(storage.request), limit: exact(storage.limit) } };
}

/** Validates a size that is rendered in MiB. */
export function checkSize(problems: Problems, prop: string, size: Size | undefined): void {
  const mebibytes = size && mebibytesOf(size);
  if (mebibytes !== undefined && !(Number.isSafeInteger(mebibytes) && mebibytes >= 1)) {
    problems.add(prop, 'must be a whole number of MiB from 1', mebibytes);
  }
}

/** Number of MiB, which may be a fraction. */
export function mebibytesOf(size: Size): number {
  return size.toMebibytes({ rounding: SizeRoundingBehavior.NONE });
}

function exact(size: Size | undefined): Size | undefined {
  const toGibibytes = (): number | undefined => size?.toGibibytes({ rounding: SizeRoundingBehavior.NONE });
  return size && Object.assign(Object.create(size) as Size, { toGibibytes });
}

function checkAmount(problems: Problems, field: string, name: string, amount: Amount | undefined): boolean {
  const { value = 1, text = '' } = amount ?? {};
  const isRight = name === 'cpu' ? value > 0 && value < Infinity : Number.isSafeInteger(value) && value >= 1;
  if (!isRight) {
    problems.say(
      name === 'cpu'
        ? `${field} must be above 0, got ${text}.`
        : `${field} must be a whole number of MiB from 1, got ${text}.`,
    );
  }
  return isRight;
}

function cpuAmount(cpu: kplus.Cpu | undefined): Amount | undefined {
  if (cpu === undefined) {
    return undefined;
  }
  const { amount } = cpu;
  return { text: amount, value: amount.endsWith('m') ? Number(amount.slice(0, -1)) / 1000 : Number(amount) };
}

function sizeAmount(size: Size | undefined): Amount | undefined {
  return size && { text: size.asString(), value: mebibytesOf(size) };
}
