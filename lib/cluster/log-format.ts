import type { ApiObject } from 'cdk8s';

import { withTemplates } from '../kube/values/templates';

import { addVariables, type ManifestContainer } from './manifest';

/** Variables by which a program logs JSON, by the name of its container. */
const VARIABLES = new Map<string, Readonly<Record<string, string>>>();

/** Notes the variables by which the program of a container logs JSON. The library's own scripts read LOG_FORMAT. */
export function logsJsonBy(containerName: string, variables: Readonly<Record<string, string>>): void {
  VARIABLES.set(containerName, variables);
}

/** Makes a container log JSON. */
export function logJson(object: ApiObject, container: ManifestContainer): void {
  const variables = { LOG_FORMAT: 'json', ...VARIABLES.get(container.name) };
  addVariables(
    container,
    Object.entries(variables).map(([name, value]) => ({ name, value: withTemplates(object, value) })),
  );
}
