import { Testing } from 'cdk8s';

import { checkImage } from '../../lib/validation/image';
import { Problems } from '../../lib/validation/problems';

const hex = 'ab12'.repeat(16);

function errorOf(image: string): string | undefined {
  const problems = new Problems(Testing.chart());
  checkImage(problems, 'image', image);
  try {
    problems.throwIfAny();
  } catch (error) {
    return (error as Error).message;
  }
  return undefined;
}

test.each([
  'mlflow:v1',
  'mlflow:latest',
  'library/mlflow:V1.2_3-x',
  'ghcr.io/mlflow/mlflow:v3.18.0-full',
  'Registry.example.com:5000/a/b__c/d.e/f-g--h:1',
  'localhost/mlflow:1',
  'localhost:5000/mlflow:1',
  '[2001:db8::1]:5000/mlflow:1',
  '10.1.2.3/mlflow:1',
  `mlflow@sha256:${hex}`,
  `reg:443/mlflow:v1@sha256:${hex}`,
  `mlflow@sha512:${hex}${hex}`,
  'undefined-behaviour/null-hypothesis:1',
])('takes %s', (image) => {
  expect(errorOf(image)).toBeUndefined();
});

const unset = 'If it comes from an environment variable, set that before the synthesis.';
const slash = 'Leave out the slash that has nothing before it or after it.';
const name = 'A name has lower-case letters and digits, with single dots, dashes and underscores between.';
const tag = 'A tag has up to 128 letters, digits, dots, dashes and underscores, and there is one.';
const digest = 'A digest is sha256: and 64 hexadecimal digits.';

test.each([
  ['', unset],
  ['undefined/mlflow:v1', unset],
  ['ghcr.io/mlflow/mlflow:undefined', unset],
  ['ghcr.io/null/mlflow:v1', unset],
  ['undefined', unset],
  ['https://reg/mlflow:v1', 'Leave out the scheme.'],
  ['docker://reg/mlflow:v1', 'Leave out the scheme.'],
  [' mlflow:v1', 'Leave out spaces and line breaks.'],
  ['mlflow:v1\n', 'Leave out spaces and line breaks.'],
  ['/mlflow:v1', slash],
  ['ghcr.io//mlflow:v1', slash],
  ['ghcr.io/mlflow/:v1', slash],
  [':v1', slash],
  ['Mlflow:v1', 'Write the name in lower case.'],
  ['ghcr.io/MLflow/mlflow:v1', 'Write the name in lower case.'],
  ['Team/mlflow:v1', 'Write the name in lower case.'],
  ['-reg.example.com/mlflow:v1', 'The registry is a host name, with a port if it needs one.'],
  ['reg.example.com:port/mlflow:v1', 'The registry is a host name, with a port if it needs one.'],
  ['reg/ml..flow:v1', name],
  ['reg/-mlflow:v1', name],
  ['reg/mlfl\u00f6w:v1', name],
  [`${'a'.repeat(256)}:v1`, 'A name has at most 255 characters.'],
  ['mlflow:v1:v2', tag],
  ['mlflow:', tag],
  ['mlflow:.v1', tag],
  [`mlflow:${'a'.repeat(129)}`, tag],
  ['mlflow@sha256:0123', digest],
  ['mlflow@v1', digest],
  [`mlflow@${hex}`, digest],
  [`mlflow@md5:${hex}`, digest],
  [`mlflow@sha256:${hex.toUpperCase()}`, digest],
  [`mlflow@sha256:${hex}@sha256:${hex}`, digest],
  ['mlflow@', digest],
  [`${hex}:v1`, 'A name is not the id of an image.'],
])('refuses %j', (image, hint) => {
  const got = image === '' ? 'an empty string' : JSON.stringify(image);
  expect(errorOf(image)).toBe(
    `[test] \`image\` must be a reference to an image, [registry[:port]/]name[:tag][@digest], got ${got}. ${hint}`,
  );
});

test.each(['mlflow', 'ghcr.io/mlflow/mlflow', 'localhost:5000/mlflow'])('refuses %s, which has no version', (image) => {
  expect(errorOf(image)).toBe(
    `[test] \`image\` must have a tag or a digest, got "${image}". Kubernetes would take the tag \`latest\`, which changes by itself, and each node would keep the one that it pulled first. Write :latest if that is meant.`,
  );
});
