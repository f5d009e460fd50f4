import * as kplus from 'cdk8s-plus-28';

/** An environment variable's value from a key of a Secret. */
export function fromSecretKey(secretName: string, key: string): kplus.EnvValue {
  // EnvValue reads only the name of a Secret, so this needs no construct.
  const secret = { name: secretName } as kplus.ISecret;
  return kplus.EnvValue.fromSecretValue({ secret, key });
}

/** An environment variable's value in plain text. */
export function text(value: string | number | boolean): kplus.EnvValue {
  return kplus.EnvValue.fromValue(String(value));
}

/** Environment variables in plain text. */
export function texts(values: Record<string, string | number | boolean>): Record<string, kplus.EnvValue> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, text(value)]));
}
