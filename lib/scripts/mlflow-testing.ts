import { type Chart, Testing } from 'cdk8s';

import { nameOfScript, ZIP } from './scripts';

const DIGEST = /-[0-9a-f]{8}$/;
const JOBS = ['Job', 'CronJob'];

/** Helpers for tests of your charts. */
// eslint-disable-next-line @typescript-eslint/no-extraneous-class -- jsii has no functions outside classes.
export class MlflowTesting {
  /**
   * The manifests of a chart, as of `Testing.synth()`, for snapshots: without the text of the library's scripts, and without the
   * digests that names have of it. So an upgrade of the library shows what else it changes.
   *
   * @example
   * expect(MlflowTesting.synth(chart)).toMatchSnapshot();
   */
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- As Testing.synth() of cdk8s.
  public static synth(chart: Chart): any[] {
    const manifests = Testing.synth(chart) as SomeManifest[];
    const scripts = manifests.filter(({ kind, data, binaryData }) => {
      const contents = Object.entries({ ...data, ...binaryData });
      return kind === 'ConfigMap' && contents.some(([file, text]) => file === ZIP || nameOfScript(text) !== undefined);
    });
    const names = scripts.map(({ metadata }) => metadata.name);
    const jobs = manifests.filter(
      ({ kind, spec }) => JOBS.includes(kind) && names.some((name) => JSON.stringify(spec).includes(`"${name}"`)),
    );
    const text = JSON.stringify(manifests.map((each) => withoutScripts(each)));
    const changing = [...names, ...jobs.map(({ metadata }) => metadata.name)].filter((name) => DIGEST.test(name));
    const stems = changing.map((name) => name.replace(DIGEST, '-digest'));
    return JSON.parse(
      changing.reduce((all, name, i) => {
        // Names that differ in nothing else are numbered, since pods refer to them.
        const number = stems.slice(0, i + 1).filter((each) => each === stems[i]).length;
        return all.replaceAll(`"${name}"`, `"${stems[i] ?? ''}${number === 1 ? '' : `-${String(number)}`}"`);
      }, text),
    ) as SomeManifest[];
  }
}

interface SomeManifest {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly spec?: unknown;
  readonly data?: Readonly<Record<string, unknown>>;
  readonly binaryData?: Readonly<Record<string, unknown>>;
}

function withoutScripts(value: unknown, field?: string): unknown {
  if (typeof value === 'string') {
    const script = field === ZIP ? ZIP : nameOfScript(value);
    return script === undefined ? value : `(${script} of cdk8s-mlflow)`;
  }
  if (Array.isArray(value)) {
    return value.map((each) => withoutScripts(each));
  }
  return typeof value === 'object' && value !== null
    ? Object.fromEntries(Object.entries(value).map(([key, each]) => [key, withoutScripts(each, key)]))
    : value;
}
