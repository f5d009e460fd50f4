import type { IConstruct } from 'constructs';

import type { SecretKey } from '../kube/values/secret-key';
import type { IMlflowServer } from '../server/mlflow-server-reference';

/** Kinds of objects, each after those that it needs. Webhooks are last, so that a new one is not told of models of the same run. */
export const KINDS = [
  'workspace',
  'experiment',
  'registered model',
  'gateway endpoint',
  'user',
  'service user',
  'permission',
  'webhook',
] as const;

/** A declaration of an object of MLflow, as the script reads it. Names of its fields are those of MLflow's API. */
export interface DeclaredObject {
  readonly kind: (typeof KINDS)[number];
  /** Name of the object in the log. */
  readonly name: string;
  readonly workspace?: string;
  readonly fields?: Readonly<Record<string, unknown>>;
  /** The value of a Secret that belongs to it, in the variable that its field `variable` names. */
  readonly secret?: SecretKey;
  /** Several such values, in the variables that its field `variables` names. */
  readonly secrets?: readonly SecretKey[];
}

/** Who has declared each object of a server. */
const DECLARED = new WeakMap<IMlflowServer, Map<string, IConstruct>>();

/** Notes that a construct declares an object. Returns the one that has declared it before, if any. */
export function claim(server: IMlflowServer, object: DeclaredObject, by: IConstruct): IConstruct | undefined {
  const known = DECLARED.get(server) ?? new Map<string, IConstruct>();
  DECLARED.set(server, known);
  const { name, workspace = 'default' } = object;
  const isUser = object.kind === 'user' || object.kind === 'service user';
  const key = JSON.stringify(isUser ? ['user', name] : [object.kind, workspace, name]);
  const before = known.get(key);
  if (before === undefined) {
    known.set(key, by);
  }
  return before;
}

/** The list that the script reads: what others need comes first, and the order of the app's code does not matter. */
export function listOf(objects: readonly Readonly<Record<string, unknown>>[]): string {
  const place = ({ kind }: Readonly<Record<string, unknown>>): number => KINDS.indexOf(kind as DeclaredObject['kind']);
  const keyed = objects.map((each) => ({ each, text: JSON.stringify(each) }));
  const sorted = keyed.sort((a, b) => place(a.each) - place(b.each) || (a.text < b.text ? -1 : 1));
  return `${JSON.stringify(
    sorted.map(({ each }) => each),
    null,
    1,
  )}\n`;
}
