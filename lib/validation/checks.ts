import { BlockList, isIP } from 'node:net';

import type { Duration } from 'cdk8s';

import type { Problems } from './problems';

const DNS_LABEL = /^[a-z]([-a-z0-9]*[a-z0-9])?$/;
const DNS_SUBDOMAIN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const SECRET_KEY = /^[-._a-zA-Z0-9]+$/;
const URL_PATH = /^\/[-\w.~!$&'()*+,;=:@%/]*$/;

/** What Kubernetes counts with. */
const MAX_INT32 = 2 ** 31 - 1;

// With the longest suffix that the library appends (`-migration-` and a digest), it fits the 63 characters of a label.
const LONGEST_ID = 44;

/** Validates the id of a construct, which is the name of its Service, StatefulSet or Job. */
export function checkId(problems: Problems, id: string): void {
  if (id.length > LONGEST_ID || !DNS_LABEL.test(id)) {
    problems.add(
      'id',
      `must be lower-case letters, digits and dashes, start with a letter and have at most ${String(LONGEST_ID)} characters`,
      id,
      'Kubernetes takes it as the name of the Service.',
    );
  }
}

/** Validates the name of an object of the cluster: a Secret, a ConfigMap, a claim, a ServiceAccount. */
export function checkObjectName(problems: Problems, prop: string, name: string | undefined, longest = 253): void {
  if (typeof name !== 'string' || name.length > longest || !DNS_SUBDOMAIN.test(name)) {
    const hint =
      typeof name === 'string' && name.length > longest ? `It may have ${String(longest)} characters.` : undefined;
    problems.add(
      prop,
      'must be the name of a Kubernetes object (lower-case letters, digits, dashes and dots)',
      name,
      hint,
    );
  }
}

/** Validates a key of a Secret or a ConfigMap. */
export function checkDataKey(problems: Problems, prop: string, key: unknown): void {
  // A reference of cdk8s-plus is not checked by type, so a key may be no text in JavaScript.
  if (typeof key !== 'string' || !SECRET_KEY.test(key)) {
    problems.add(prop, 'must be a key of a Secret (letters, digits, dashes, dots and underscores)', key);
  } else if (key.length > 253 || key === '.' || key.startsWith('..')) {
    problems.add(prop, 'must have at most 253 characters, and must not be a dot or start with two', key);
  }
}

/** Validates a host name. `hint` says what to do about an address. */
export function checkHostName(problems: Problems, prop: string, host: string, hint?: string): void {
  if (isIP(host) !== 0) {
    problems.add(prop, 'must be a host name, not an address', host, hint);
  } else if (host.length > 253 || !DNS_SUBDOMAIN.test(host.replace(/^\*\./, ''))) {
    problems.add(prop, 'must be a host name without scheme, port or path', host);
  }
}

/** Validates the hosts of an ingress or a gateway. */
export function checkHosts(problems: Problems, prop: string, hosts: string[]): void {
  if (hosts.length === 0) {
    problems.say(`\`${problems.name(prop)}\` must name at least one host, got none.`);
  }
  hosts.forEach((host, i) => {
    checkHostName(problems, `${prop}[${String(i)}]`, host, 'For an address, use `service.serviceType`.');
    if (hosts.indexOf(host) < i) {
      problems.add(prop, 'must name each host once', host);
    }
  });
}

/** Validates the path of an ingress or a gateway. */
export function checkPath(problems: Problems, prop: string, path: string | undefined): void {
  if (path === undefined) {
    return;
  }
  if (!path.startsWith('/')) {
    problems.add(prop, 'must start with a slash', path);
  } else if (!URL_PATH.test(path) || /\/\/|\/\.{1,2}(\/|$)|%2f/i.test(path) || path.length > 1024) {
    problems.add(prop, 'must be a path as browsers send it, without //, /./ and /../', path);
  }
}

/** Validates addresses in CIDR notation, and those among them that are excluded. */
export function checkCidr(problems: Problems, prop: string, cidr: string, excluded: string[] = []): void {
  const range = rangeOf(cidr);
  for (const each of [cidr, ...excluded].filter((text) => rangeOf(text) === undefined)) {
    problems.add(prop, 'must be addresses in CIDR notation (10.20.0.0/16)', each);
  }
  for (const each of excluded) {
    const part = rangeOf(each);
    if (range !== undefined && part !== undefined && !(part.bits > range.bits && contains(range, part))) {
      problems.add(prop, `must exclude a part of ${cidr}`, each);
    }
  }
}

/** A range of addresses. */
interface AddressRange {
  readonly address: string;
  readonly family: 'ipv4' | 'ipv6';
  readonly bits: number;
}

function rangeOf(cidr: string): AddressRange | undefined {
  const [address = '', bits = '', ...rest] = cidr.split('/');
  const version = isIP(address);
  return version !== 0 && rest.length === 0 && /^\d{1,3}$/.test(bits) && Number(bits) <= (version === 4 ? 32 : 128)
    ? { address, family: version === 4 ? 'ipv4' : 'ipv6', bits: Number(bits) }
    : undefined;
}

function contains(range: AddressRange, part: AddressRange): boolean {
  const list = new BlockList();
  list.addSubnet(range.address, range.bits, range.family);
  return part.family === range.family && list.check(part.address, part.family);
}

/** Validates a whole number from `least` to `most`. Undefined is valid, for props with a default. */
export function checkWhole(
  problems: Problems,
  prop: string,
  value: number | undefined,
  range: { readonly least: number; readonly most?: number },
  hint?: string,
): void {
  const most = range.most ?? MAX_INT32;
  if (value !== undefined && !(Number.isInteger(value) && value >= range.least && value <= most)) {
    const to = range.most === undefined && !(value > most) ? '' : ` to ${String(most)}`;
    problems.add(prop, `must be a whole number from ${String(range.least)}${to}`, value, hint);
  }
}

/** Validates a duration in whole seconds. */
export function checkSeconds(problems: Problems, prop: string, duration: Duration | undefined, hint?: string): void {
  const seconds = duration?.toSeconds({ integral: false });
  if (seconds !== undefined && !(Number.isInteger(seconds) && seconds >= 1 && seconds <= MAX_INT32)) {
    const to = seconds > MAX_INT32 ? ` to ${String(MAX_INT32)}` : '';
    problems.add(prop, `must be a whole number of seconds from 1${to}`, seconds, hint);
  }
}

/** Validates a TCP port. */
export function checkPort(problems: Problems, prop: string, port: number | undefined): void {
  checkWhole(problems, prop, port, { least: 1, most: 65535 });
}

/** A count with its noun: `1 pod`, `3 pods`. */
export function counted(count: number, noun: string): string {
  return `${String(count)} ${noun}${count === 1 ? '' : 's'}`;
}

/** Validates the names of environment variables. */
export function checkVariableNames(problems: Problems, prop: string, variables: Record<string, unknown>): void {
  for (const name of Object.keys(variables)) {
    if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) {
      problems.add(prop, 'must have names of letters, digits and underscores', name);
    }
  }
}
