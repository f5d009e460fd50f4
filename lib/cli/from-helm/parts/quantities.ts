import { call, cdk8s, type Code, kplus, struct, value } from '../../code/code';

import type { Release } from '../release';
import { type Data, entryOf, isData, plain } from '../data';
import { isEmpty } from '../values';

/** Bytes of a unit of Kubernetes. */
const UNITS: Record<string, number> = {
  '': 1,
  m: 1e-3,
  k: 1e3,
  K: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
};

/** A quantity of Kubernetes as a number, or undefined if it is none. */
export function quantity(of: unknown): number | undefined {
  const [, digits, unit = ''] = /^([\d.]+(?:e\d+)?)([a-zA-Z]*)$/.exec(String(of)) ?? [];
  const factor = entryOf(UNITS, unit);
  return digits === undefined || factor === undefined || Number.isNaN(Number(digits))
    ? undefined
    : Number(digits) * factor;
}

/** A size in the largest unit that is whole. */
export function size(bytes: number): Code {
  const mebibytes = Math.ceil(bytes / 2 ** 20);
  return mebibytes % 1024 === 0
    ? call(cdk8s('Size'), 'gibibytes', value(mebibytes / 1024))
    : call(cdk8s('Size'), 'mebibytes', value(mebibytes));
}

/** The resources of a container. */
export function resourcesOf(release: Release, key: string, resources: Data): Code | undefined {
  const amounts = {
    cpu: amountsOf(release, key, resources, 'cpu'),
    memory: amountsOf(release, key, resources, 'memory'),
    ephemeralStorage: amountsOf(release, key, resources, 'ephemeral-storage'),
  };
  for (const [kind, each] of Object.entries(resources)) {
    const others = isData(each)
      ? Object.keys(each).filter((name) => !['cpu', 'memory', 'ephemeral-storage'].includes(name))
      : [];
    if (others.length > 0 || !['requests', 'limits'].includes(kind)) {
      release.note(
        'to do',
        `${key}.${kind}`,
        `No prop for ${others.join(', ') || kind}: add it with a JSON patch of server.deployment.`,
      );
    }
  }
  const fields = Object.fromEntries(
    Object.entries(amounts).map(([name, { request, limit }]) => {
      const one = (of: number | undefined): Code | undefined =>
        of === undefined ? undefined : name === 'cpu' ? cpu(of) : size(of);
      const type = { cpu: 'CpuResources', memory: 'MemoryResources', ephemeralStorage: 'EphemeralStorageResources' }[
        name
      ];
      return [
        name,
        request === undefined && limit === undefined
          ? undefined
          : struct(kplus(type ?? ''), { request: one(request), limit: one(limit) }),
      ] as const;
    }),
  );
  const code = struct(kplus('ContainerResources'), fields);
  return code.kind === 'struct' && code.fields.length > 0 ? code : undefined;
}

function amountsOf(
  release: Release,
  key: string,
  resources: Data,
  name: string,
): { readonly request?: number; readonly limit?: number } {
  const of = (kind: string): number | undefined => {
    const amounts = resources[kind];
    const amount = isData(amounts) ? amounts[name] : undefined;
    const number = amount === undefined || amount === null ? undefined : quantity(amount);
    if (number === undefined && !isEmpty(amount)) {
      release.note('to do', `${key}.${kind}.${name}`, `${plain(amount)} is no quantity: set it in \`resources\`.`);
    }
    return number;
  };
  return { request: of('requests'), limit: of('limits') };
}

function cpu(cores: number): Code {
  return Number.isInteger(cores)
    ? call(kplus('Cpu'), 'units', value(cores))
    : call(kplus('Cpu'), 'millis', value(Math.max(1, Math.round(cores * 1000))));
}

const SECONDS: Readonly<Record<string, number>> = { ms: 1e-3, s: 1, m: 60, h: 3600, d: 86_400, w: 604_800, '': 1 };

/** A time of Helm's values, such as `30s`, `1m30s` or `30`, in seconds. */
export function seconds(of: string): number | undefined {
  if (!/^(\d+|(\d+(ms|[smhdw]))+)$/.test(of)) {
    return undefined;
  }
  const parts = [...of.matchAll(/(\d+)(ms|[smhdw]|$)/g)];
  const sum = parts.reduce((total, [, digits, unit = '']) => total + Number(digits) * (SECONDS[unit] ?? 0), 0);
  return Math.max(1, Math.round(sum));
}

/** A duration in its largest unit. */
export function duration(ofSeconds: number): Code {
  const units = [
    ['days', 86_400],
    ['hours', 3600],
    ['minutes', 60],
    ['seconds', 1],
  ] as const;
  const [unit, factor] = units.find(([, each]) => ofSeconds % each === 0) ?? ['seconds', 1];
  return call(cdk8s('Duration'), unit, value(ofSeconds / factor));
}
