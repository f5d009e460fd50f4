import { InputError } from '../command';

import { type Data, entryOf, isData, mergeData, plain } from './data';

/** The values of a release in a manifest of Argo CD or Flux. */
export interface ManifestValues {
  /** Where they are; nowhere, if the manifest only has parameters. */
  readonly at?: readonly string[];
  /** The values that parameters set, as `helm --set` does: they win. */
  readonly parameters: Data;
  /** Paths to further values, which are elsewhere. */
  readonly elsewhere: readonly string[];
}

/** Whether an object of a manifest can have the values of a release. */
export function isReleaseManifest(kind: unknown, apiVersion: unknown): boolean {
  const groups: Readonly<Record<string, string>> = {
    HelmRelease: 'helm.toolkit.fluxcd.io/',
    Application: 'argoproj.io/',
  };
  const group = entryOf(groups, plain(kind));
  return group !== undefined && plain(apiVersion).startsWith(group);
}

/** Finds the values in an Application of Argo CD or a HelmRelease of Flux. Returns nothing for other data. */
export function manifestValues(name: string, whole: unknown): ManifestValues | undefined {
  const { apiVersion, kind, spec } = isData(whole) ? whole : {};
  if (!isData(spec) || !isReleaseManifest(kind, apiVersion)) {
    return undefined;
  }
  if (kind === 'HelmRelease') {
    return {
      at: spec.values === undefined ? undefined : ['spec', 'values'],
      parameters: {},
      elsewhere: spec.valuesFrom === undefined ? [] : ['spec.valuesFrom'],
    };
  }
  return ofApplication(name, spec);
}

function ofApplication(name: string, spec: Data): ManifestValues {
  const listed = Array.isArray(spec.sources) ? (spec.sources as unknown[]) : [];
  const sources = [
    { path: ['spec', 'source'], source: spec.source },
    ...listed.map((source, i) => ({ path: ['spec', 'sources', String(i)], source })),
  ].flatMap(({ path, source }) =>
    isData(source) && isData(source.helm) ? [{ path: [...path, 'helm'], chart: source.chart, helm: source.helm }] : [],
  );
  const ofMlflow = sources.filter(({ chart }) => chart === 'mlflow');
  const [found, other] = ofMlflow.length === 1 ? ofMlflow : sources;
  if (found === undefined || other !== undefined) {
    const what = found === undefined ? 'no source with `helm`' : 'several sources with `helm`';
    throw new InputError(`${name}: the Application has ${what}: give its values files, or --at where the values are.`);
  }
  const { path, helm } = found;
  // Argo CD takes `valuesObject` instead of `values`, if it has both.
  const field = ['valuesObject', 'values'].find((each) => helm[each] !== undefined);
  const others = ['valueFiles', 'fileParameters'].filter((each) => helm[each] !== undefined);
  return {
    at: field === undefined ? undefined : [...path, field],
    parameters: parametersOf(name, Array.isArray(helm.parameters) ? (helm.parameters as unknown[]) : []),
    elsewhere: others.map((each) => [...path, each].join('.')),
  };
}

function parametersOf(file: string, parameters: readonly unknown[]): Data {
  return parameters.filter(isData).reduce<Data>((merged, { name, value, forceString }) => {
    const path = plain(name).split(/(?<!\\)\./);
    if (path.some((each) => /[[\]{}]/.test(each))) {
      throw new InputError(
        `${file}: the parameter \`${plain(name)}\` sets an item of a list: write it into the values of the Application.`,
      );
    }
    const text = plain(value);
    const typed = forceString === true ? text : typedOf(text);
    const nested = path.reduceRight<unknown>((below, key) => ({ [key.replaceAll('\\.', '.')]: below }), typed);
    return mergeData(merged, nested as Data);
  }, {});
}

/** The type that `helm --set` gives to a text. */
function typedOf(text: string): unknown {
  if (text === 'null') {
    return null;
  }
  if (text === 'true' || text === 'false') {
    return text === 'true';
  }
  return /^(0|-?[1-9]\d*)$/.test(text) && Number.isSafeInteger(Number(text)) ? Number(text) : text;
}
