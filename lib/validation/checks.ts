import type { Duration } from 'cdk8s';

import type { Problems } from './problems';

const DNS_LABEL = /^[a-z]([-a-z0-9]*[a-z0-9])?$/;
const DNS_SUBDOMAIN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const SECRET_KEY = /^[-._a-zA-Z0-9]+$/;

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
export function checkObjectName(problems: Problems, prop: string, name: string | undefined): void {
  if (name === undefined || name.length > 253 || !DNS_SUBDOMAIN.test(name)) {
    problems.add(prop, 'must be the name of a Kubernetes object (lower-case letters, digits, dashes and dots)', name);
  }
}

/** Validates a key of a Secret or a ConfigMap. */
export function checkDataKey(problems: Problems, prop: string, key: string): void {
  if (!SECRET_KEY.test(key)) {
    problems.add(prop, 'must be a key of a Secret (letters, digits, dashes, dots and underscores)', key);
  }
}

/** Validates a DNS name of an ingress or a gateway. */
export function checkHostName(problems: Problems, prop: string, host: string): void {
  if (host.length > 253 || !DNS_SUBDOMAIN.test(host.replace(/^\*\./, ''))) {
    problems.add(prop, 'must be a host name without scheme, port or path', host);
  }
}

/** Validates a whole number from `least` to `most`. Undefined is valid, for props with a default. */
export function checkWhole(
  problems: Problems,
  prop: string,
  value: number | undefined,
  range: { readonly least: number; readonly most?: number },
  hint?: string,
): void {
  const most = range.most ?? Number.MAX_SAFE_INTEGER;
  if (value !== undefined && !(Number.isInteger(value) && value >= range.least && value <= most)) {
    const to = range.most === undefined ? '' : ` to ${String(range.most)}`;
    problems.add(prop, `must be a whole number from ${String(range.least)}${to}`, value, hint);
  }
}

/** Validates a duration in whole seconds. */
export function checkSeconds(problems: Problems, prop: string, duration: Duration | undefined, hint?: string): void {
  const seconds = duration?.toSeconds({ integral: false });
  if (seconds !== undefined && !(Number.isInteger(seconds) && seconds >= 1)) {
    problems.add(prop, 'must be a whole number of seconds from 1', seconds, hint);
  }
}

/** Validates the reference of an image, by tag or digest. */
export function checkImage(problems: Problems, prop: string, image: string | undefined): void {
  if (image !== undefined && !/^\S+$/.test(image)) {
    problems.add(prop, 'must be the reference of an image', image);
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
