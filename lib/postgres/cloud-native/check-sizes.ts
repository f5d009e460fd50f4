import { type Size, SizeRoundingBehavior } from 'cdk8s';

import type { Problems } from '../../validation/problems';

import type { CloudNativePostgresProps } from './cloud-native-postgres-props';
import { DEFAULT_RESOURCES, DEFAULT_STORAGE } from './cloud-native-resources';

const UNITS: Record<string, number> = { B: 1, kB: 2 ** 10, MB: 2 ** 20, GB: 2 ** 30, TB: 2 ** 40 };

/** Validates sizes in `settings` as the operator does: against each other, the memory of a server and the volume of the log. */
export function checkSizes(problems: Problems, props: CloudNativePostgresProps): void {
  const { settings = {}, walStorage, resources = DEFAULT_RESOURCES } = props;
  const size = (name: string): number | undefined => {
    const value = settings[name];
    const bytes = value === undefined || value.trim() === '' ? undefined : bytesOf(value);
    if (bytes !== undefined && Number.isNaN(bytes)) {
      problems.add(`settings.${name}`, 'must be a size with the unit kB, MB, GB or TB', value);
      return undefined;
    }
    return bytes;
  };
  const [buffers, most, least] = ['shared_buffers', 'max_wal_size', 'min_wal_size'].map(size);
  const memory = resources.memory?.request;
  if (buffers !== undefined && memory !== undefined && buffers > inBytes(memory)) {
    problems.add(
      'settings.shared_buffers',
      `must be at most the memory request of a server (${String(memory.toMebibytes())} MiB)`,
      settings.shared_buffers,
      'Lower it, or raise `resources`.',
    );
  }
  if ((most !== undefined || least !== undefined) && (least ?? bytesOf('80MB')) >= (most ?? bytesOf('1GB'))) {
    problems.add(
      'settings.min_wal_size',
      'must be less than max_wal_size (1GB by default)',
      settings.min_wal_size ?? '80MB',
      'Raise max_wal_size, or lower min_wal_size.',
    );
  }
  const volume = walStorage && (walStorage.size ?? DEFAULT_STORAGE);
  if (most !== undefined && volume !== undefined && most >= inBytes(volume)) {
    problems.add(
      'settings.max_wal_size',
      `must be less than \`walStorage.size\` (${String(volume.toGibibytes({ rounding: SizeRoundingBehavior.NONE }))} GiB)`,
      settings.max_wal_size,
      'Lower it, or enlarge the volume.',
    );
  }
}

/** As the operator reads it: a number alone is in MB. NaN if it is no size. */
function bytesOf(value: string): number {
  const [, amount = NaN, unit = 'MB'] = /^(\d+(?:\.\d+)?) *([kMGT]?B)?$/.exec(value) ?? [];
  return Number(amount) * (UNITS[unit] ?? NaN);
}

function inBytes(size: Size): number {
  return size.toKibibytes() * 1024;
}
