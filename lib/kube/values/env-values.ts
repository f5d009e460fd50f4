import * as kplus from 'cdk8s-plus-28';

/** A value from a key of a Secret that is known by its name. */
export function fromSecretKey(secretName: string, key: string): kplus.EnvValue {
  // EnvValue reads nothing of a Secret but its name, so that a value needs no construct.
  const secret = { name: secretName } as kplus.ISecret;
  return kplus.EnvValue.fromSecretValue({ secret, key });
}

/** Plain text as a value. */
export function text(value: string | number | boolean): kplus.EnvValue {
  return kplus.EnvValue.fromValue(String(value));
}

/** A record of plain texts as environment variables. */
export function texts(values: Record<string, string | number | boolean>): Record<string, kplus.EnvValue> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, text(value)]));
}
