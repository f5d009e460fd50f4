import type * as kplus from 'cdk8s-plus-28';

import type { Problems } from '../../validation/problems';

const NAMESPACE = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;
const DNS_PREFIX = /^(?=.{1,253}\/)[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*\//;
const NAME = /^[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/;

const KEY = 'at most 63 letters, digits, dashes, underscores and dots, after an optional DNS name and a slash';

// Of all annotations of an object together.
const MAX_ANNOTATION_BYTES = 256 * 1024;

/** Validates the name of a namespace. */
export function checkNamespace(problems: Problems, prop: string, name: string | undefined): void {
  if (!is(NAMESPACE, name)) {
    problems.add(prop, 'must be a namespace: lower-case letters, digits and dashes, at most 63 characters', name);
  }
}

/** Validates labels: of an object, or that select objects. */
export function checkLabels(problems: Problems, prop: string, labels: Record<string, string> = {}): void {
  checkKeys(problems, prop, labels);
  for (const [key, value] of Object.entries(labels)) {
    checkLabelValue(problems, `${prop}.${key}`, value);
  }
}

/** Validates annotations. */
export function checkAnnotations(problems: Problems, prop: string, annotations: Record<string, string> = {}): void {
  checkKeys(problems, prop, annotations);
  for (const [key, value] of Object.entries(annotations)) {
    if (typeof value !== 'string') {
      problems.add(`${prop}.${key}`, 'must be a string', value, 'Write it in quotes.');
    }
  }
  const bytes = Buffer.byteLength(Object.entries(annotations).flat().join(''));
  if (bytes > MAX_ANNOTATION_BYTES) {
    problems.add(prop, 'must have at most 256 KiB together', `${String(bytes)} bytes`);
  }
}

/** Validates the key of a label. */
export function checkLabelKey(problems: Problems, prop: string, key: string): void {
  if (!isKey(key)) {
    problems.add(prop, `must be the key of a label: ${KEY}`, key);
  }
}

/** Validates what objects are selected by. */
export function checkSelector(problems: Problems, prop: string, selector: kplus.k8s.LabelSelector = {}): void {
  checkLabels(problems, `${prop}.matchLabels`, selector.matchLabels);
  selector.matchExpressions?.forEach(({ key, operator, values = [] }, i) => {
    const at = problems.at(`${prop}.matchExpressions[${String(i)}]`);
    const takesValues = ['In', 'NotIn'].includes(operator);
    checkLabelKey(at, 'key', key);
    if (!takesValues && !['Exists', 'DoesNotExist'].includes(operator)) {
      at.add('operator', 'must be In, NotIn, Exists or DoesNotExist', operator);
    } else if (takesValues !== values.length > 0) {
      at.add('values', takesValues ? `must be given with ${operator}` : `must be left out with ${operator}`, values);
    }
    values.forEach((value, j) => {
      checkLabelValue(at, `values[${String(j)}]`, value);
    });
  });
}

function checkLabelValue(problems: Problems, prop: string, value: string): void {
  if (value !== '' && !is(NAME, value)) {
    problems.add(
      prop,
      'must be at most 63 letters, digits, dashes, underscores and dots, with a letter or digit at each end',
      value,
      'Put free text into an annotation.',
    );
  }
}

function checkKeys(problems: Problems, prop: string, values: Record<string, string>): void {
  for (const key of Object.keys(values)) {
    if (!isKey(key)) {
      problems.add(prop, `must have keys of ${KEY}`, key);
    }
  }
}

function isKey(key: unknown): boolean {
  return typeof key === 'string' && NAME.test(key.replace(DNS_PREFIX, ''));
}

// JavaScript may pass another type, whose text would match.
function is(pattern: RegExp, value: unknown): boolean {
  return typeof value === 'string' && pattern.test(value);
}
