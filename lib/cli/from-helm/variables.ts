import { call, type Code, kplus, map, positional, SCOPE, struct, value } from '../code/code';

import { INTERNAL_VARIABLES, SERVER_VARIABLES } from '../../server/server-options';
import type { KeyReference, Variable } from './environment';
import type { Release } from './release';
import { isSecret } from './secrets';
import { isEmpty, type Values } from './values';
import { type Data, entryOf, isData, plain } from './data';

/** Fields of a pod that a variable can have, by their names in cdk8s-plus. */
const FIELDS: Record<string, string> = {
  'metadata.name': 'POD_NAME',
  'metadata.namespace': 'POD_NAMESPACE',
  'metadata.uid': 'POD_UID',
  'spec.nodeName': 'NODE_NAME',
  'spec.serviceAccountName': 'SERVICE_ACCOUNT_NAME',
  'status.podIP': 'POD_IP',
  'status.hostIP': 'NODE_IP',
};

/** Variables that the library sets itself in every server, by what decides about them. */
const OWN: Record<string, string> = {
  HOME: 'the library sets it: the root file system is read-only',
  PYTHONPATH: 'the library sets it; a module of your own comes with MlflowAuth.custom() or with the image',
  MLFLOW_BACKEND_STORE_URI: 'the backend sets it',
  MLFLOW_DEFAULT_ARTIFACT_ROOT: 'the artifact store sets it',
  MLFLOW_TRACKING_URI: 'a variable of clients: a server does not read it',
  DATABASE_URL: 'the backend has the address',
};

/** Reads a map of variables, as the community's chart has it; with sources, as some write it. */
export function readVariableMap(values: Values, release: Release, key: string): void {
  for (const [name, given] of Object.entries(values.map(key))) {
    const place = `${key}.${name}`;
    if (isData(given) && isData(given.valueFrom)) {
      addFromSource(release, name, place, given.valueFrom);
    } else if (typeof given === 'object') {
      if (!isEmpty(given)) {
        values.problem(place, 'a text', given);
      }
    } else {
      release.environment.add({ name, key: place, text: plain(given) });
    }
  }
}

/** Reads a list of variables, as Kubernetes has it. */
export function readVariableList(values: Values, release: Release, key: string): void {
  for (const each of values.maps(key)) {
    const name = plain(each.name);
    const source = isData(each.valueFrom) ? each.valueFrom : undefined;
    const place = `${key}.${name}`;
    if (source === undefined) {
      release.environment.add({ name, key: place, text: textOf(each.value) });
      continue;
    }
    addFromSource(release, name, place, source);
  }
}

function addFromSource(release: Release, name: string, key: string, source: Data): void {
  const { secretKeyRef, configMapKeyRef, fieldRef } = source;
  release.environment.add({
    name,
    key,
    secret: referenceOf(secretKeyRef),
    configMap: referenceOf(configMapKeyRef),
    field: isData(fieldRef) ? String(fieldRef.fieldPath) : undefined,
  });
  if ([secretKeyRef, configMapKeyRef].some((each) => isData(each) && each.optional === true)) {
    release.note('changed', key, 'It was optional. In the app, pods do not start before it exists.');
  }
}

/** Sets `extraEnvVars` of what is left of the variables. */
export function finishEnvironment(release: Release): void {
  const code: Record<string, Code> = {};
  for (const variable of release.environment.rest()) {
    const refusal = refusalOf(variable.name);
    const made = refusal === undefined ? codeOf(variable, release) : undefined;
    if (refusal !== undefined) {
      release.note('changed', variable.key, refusal);
    } else if (made === undefined) {
      const field = variable.field ?? 'its source';
      release.note(
        'to do',
        variable.key,
        `cdk8s-plus has no value for ${field}: add it with a JSON patch of server.deployment.`,
      );
    } else {
      code[variable.name] = made;
    }
  }
  if (Object.keys(code).length > 0) {
    release.set('extraEnvVars', map(code));
  }
}

/** A text with the values of the variables that it refers to as Kubernetes does, `$(NAME)`. They are taken. */
export function expanded(release: Release, text: string): string {
  return text.replace(/\$\((\w+)\)/g, (reference, name: string) => release.environment.takeText(name) ?? reference);
}

/** A key of a Secret that exists, as the value of a variable. */
export function secretValue({ name, key }: KeyReference, release: Release): Code {
  return call(
    kplus('EnvValue'),
    'fromSecretValue',
    positional(struct(kplus('SecretValue'), { secret: secretOf(name, release), key: value(key) })),
  );
}

function codeOf({ name, text, secret, configMap, field }: Variable, release: Release): Code | undefined {
  if (secret !== undefined) {
    return secretValue(secret, release);
  }
  if (configMap !== undefined) {
    const reference = call(
      kplus('ConfigMap'),
      'fromConfigMapName',
      SCOPE,
      value(`${configMap.name}-config`),
      value(configMap.name),
    );
    const variable = release.addBefore(variableName(configMap.name, 'Config'), reference);
    return call(kplus('EnvValue'), 'fromConfigMap', variable, value(configMap.key));
  }
  if (field !== undefined) {
    const known = entryOf(FIELDS, field);
    return known === undefined
      ? undefined
      : call(kplus('EnvValue'), 'fromFieldRef', { kind: 'member', of: kplus('EnvFieldPaths'), member: known });
  }
  if (text !== undefined && isSecret(name.toUpperCase(), text)) {
    const secretName = release.need({
      name: `${release.names.server}-environment`,
      keys: [{ key: name, value: `the ${name} of your values` }],
    });
    return secretValue({ name: secretName, key: name }, release);
  }
  return text === undefined ? undefined : call(kplus('EnvValue'), 'fromValue', value(text));
}

function secretOf(name: string, release: Release): Code {
  const reference = call(kplus('Secret'), 'fromSecretName', SCOPE, value(`${name}-secret`), value(name));
  return release.addBefore(variableName(name, 'Secret'), reference);
}

/** A name for a variable of the app: `mlflow-env` is `mlflowEnvSecret`. */
function variableName(name: string, ending: string): string {
  const words = name.split(/[^A-Za-z\d]+/).filter((each) => each !== '');
  const joined = words.map((word, i) => (i === 0 ? word : word.charAt(0).toUpperCase() + word.slice(1))).join('');
  const whole = /^\d/.test(joined) ? `_${joined}${ending}` : `${joined}${ending}`;
  return whole.charAt(0).toLowerCase() + whole.slice(1);
}

/** Why a variable cannot be set, if it cannot. */
function refusalOf(name: string): string | undefined {
  const decision = entryOf(SERVER_VARIABLES, name);
  if (decision !== undefined) {
    return `${decision.reason}. ${decision.wayOut ?? ''}`.trim();
  }
  if (INTERNAL_VARIABLES.some((start) => name.startsWith(start))) {
    return 'MLflow sets it itself for its processes.';
  }
  if (name.startsWith('PG')) {
    return 'a variable of libpq: the backend sets what it needs; `parameters` of the backend takes others.';
  }
  const own = entryOf(OWN, name);
  return own === undefined ? undefined : `${own}.`;
}

function referenceOf(of: unknown): KeyReference | undefined {
  return isData(of) ? { name: plain(of.name), key: plain(of.key) } : undefined;
}

function textOf(of: unknown): string {
  return of === undefined || of === null ? '' : typeof of === 'object' ? JSON.stringify(of) : plain(of);
}
