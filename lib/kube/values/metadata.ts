import type { Problems } from '../../validation/problems';

const NAMESPACE = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;
const DNS_PREFIX = /^(?=.{1,253}\/)[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*\//;
const NAME = /^[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/;

// Of all annotations of an object together.
const MAX_ANNOTATION_BYTES = 256 * 1024;

/** Validates the name of a namespace. */
export function checkNamespace(problems: Problems, prop: string, name: string | undefined): void {
  if (name !== undefined && !is(NAMESPACE, name)) {
    problems.add(prop, 'must be a namespace: lower-case letters, digits and dashes, at most 63 characters', name);
  }
}

/** Validates labels: of an object, or that select objects. */
export function checkLabels(problems: Problems, prop: string, labels: Record<string, string> = {}): void {
  checkKeys(problems, prop, labels);
  for (const [key, value] of Object.entries(labels)) {
    if (value !== '' && !is(NAME, value)) {
      problems.add(
        `${prop}.${key}`,
        'must be at most 63 letters, digits, dashes, underscores and dots, with a letter or digit at each end',
        value,
        'Put free text into an annotation.',
      );
    }
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

/** Validates the key of a label or of an annotation. */
export function isLabelKey(key: unknown): boolean {
  return typeof key === 'string' && NAME.test(key.replace(DNS_PREFIX, ''));
}

function checkKeys(problems: Problems, prop: string, values: Record<string, string>): void {
  for (const key of Object.keys(values)) {
    if (!isLabelKey(key)) {
      problems.add(
        prop,
        'must have keys of at most 63 letters, digits, dashes, underscores and dots, after an optional DNS name and a slash',
        key,
      );
    }
  }
}

// JavaScript may pass another type, whose text would match.
function is(pattern: RegExp, value: unknown): boolean {
  return typeof value === 'string' && pattern.test(value);
}
