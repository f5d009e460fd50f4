import {
  call,
  type Code,
  construct,
  data,
  kplus,
  list,
  map,
  member,
  mlflow,
  type Name,
  SCOPE,
  struct,
  textMap,
  texts,
  value,
} from '../../code/code';

import type { Release } from '../release';
import { isSecret } from '../secrets';
import type { Values } from '../values';
import { type Data, entryOf, isData, plain, splitFields } from '../data';

import { resourcesOf } from './quantities';

/** Sets the pull policy, pull secrets and priority class. */
export function setPodOptions(
  values: Values,
  release: Release,
  keys: { policy: string; secrets: readonly string[]; priority?: string },
): void {
  const policy = values.text(keys.policy);
  const names: Record<string, string> = { Always: 'ALWAYS', IfNotPresent: 'IF_NOT_PRESENT', Never: 'NEVER' };
  const known = entryOf(names, policy ?? 'IfNotPresent');
  if (known === undefined) {
    values.problem(keys.policy, 'Always, IfNotPresent or Never', policy);
  } else if (known !== 'IF_NOT_PRESENT') {
    release.set('imagePullPolicy', { kind: 'member', of: kplus('ImagePullPolicy'), member: known });
  }
  const secrets = keys.secrets.flatMap((key) =>
    values.list(key).map((each) => (isData(each) ? String(each.name) : String(each))),
  );
  release.set('imagePullSecrets', secrets.length === 0 ? undefined : texts([...new Set(secrets)]));
  const priority = keys.priority === undefined ? undefined : values.text(keys.priority);
  release.set('priorityClassName', priority === undefined ? undefined : value(priority));
}

/** Sets the CPU and memory of the server. */
export function setResources(values: Values, release: Release, key: string): void {
  const resources = values.map(key);
  if (!values.has(key)) {
    release.note(
      'changed',
      key,
      'The chart sets no limits. The app requests 500 millicores and 1 GiB, and has limits of 2 CPUs and 2 GiB.',
    );
    return;
  }
  release.set('resources', resourcesOf(release, key, resources));
}

/** Sets nodes, tolerations, labels and annotations of the pods. */
export function setPlacement(
  values: Values,
  release: Release,
  keys: { nodeSelector: string; tolerations: string; affinity: string; labels?: string; annotations: string },
): void {
  const maps = { podLabels: keys.labels, podAnnotations: keys.annotations, nodeSelector: keys.nodeSelector };
  for (const [option, key] of Object.entries(maps)) {
    const entries = key === undefined ? {} : values.textMap(key);
    if (Object.keys(entries).length > 0) {
      release.setForPods(option, textMap(entries));
    }
  }
  const tolerations = values.maps(keys.tolerations);
  if (tolerations.length > 0) {
    const known = ['key', 'operator', 'value', 'effect', 'tolerationSeconds'];
    const items = tolerations.map((each) => typed(release, keys.tolerations, kplus('k8s.Toleration'), each, known));
    release.setForPods('tolerations', list(items));
  }
  const affinity = values.map(keys.affinity);
  if (Object.keys(affinity).length > 0) {
    release.patch('/spec/template/spec/affinity', data(affinity));
  }
}

/** A struct of plain data. Fields that its type does not have are named, since TypeScript would refuse them. */
export function typed(release: Release, key: string, type: Name, of: Data, known: readonly string[]): Code {
  const { fields, others } = splitFields(of, known);
  for (const name of others) {
    release.note('to do', `${key}.${name}`, `${type.name} has no such field: leave it out, or use a JSON patch.`);
  }
  return struct(type, Object.fromEntries(Object.entries(fields).map(([name, each]) => [name, data(each)])));
}

/** Constraints by which the pods are spread, with the fields of cdk8s-plus-28. */
export function spreadConstraints(release: Release, key: string, constraints: readonly Data[]): Code | undefined {
  const known =
    'labelSelector matchLabelKeys maxSkew minDomains nodeAffinityPolicy nodeTaintsPolicy topologyKey whenUnsatisfiable';
  const type = kplus('k8s.TopologySpreadConstraint');
  const items = constraints.map((each) => typed(release, key, type, each, known.split(' ')));
  return items.length === 0 ? undefined : list(items);
}

/** Fields whose values are quantities or ports in cdk8s-plus, by the field above them. */
const QUANTITIES = new Set(['requests', 'limits']);
const PORTS = new Set(['port', 'targetPort', 'maxSurge', 'maxUnavailable']);

/** A part of a manifest as cdk8s-plus types it, for a JSON patch: the patch is applied before its types are rendered. */
export function manifest(of: unknown, above = '', isData_ = false): Code {
  if (Array.isArray(of)) {
    return list(of.map((each) => manifest(each, above)));
  }
  if (isData(of)) {
    // Names in these maps are data.
    const isFree =
      isData_ ||
      ['labels', 'annotations', 'matchLabels', 'nodeSelector', 'volumeAttributes', 'requests', 'limits'].includes(
        above,
      );
    return map(
      Object.fromEntries(
        Object.entries(of).map(([name, each]) => {
          if (QUANTITIES.has(above) || name === 'sizeLimit') {
            return [name, call(kplus('k8s.Quantity'), 'fromString', value(String(each)))];
          }
          if (PORTS.has(name) && !isFree && above !== 'ports') {
            const method = typeof each === 'number' ? 'fromNumber' : 'fromString';
            return [name, call(kplus('k8s.IntOrString'), method, value(each as string | number))];
          }
          return [isFree ? name : camelCase(name), manifest(each, name, false)];
        }),
      ),
    );
  }
  return value(of as string | number | boolean | null);
}

/** The name of a field in cdk8s-plus: `hostIP` is `hostIp`. */
function camelCase(name: string): string {
  return name.replace(/[A-Z]{2,}/g, (capitals, at: number) => {
    const isEnd = at + capitals.length === name.length;
    const lower = capitals.charAt(0) + capitals.slice(1).toLowerCase();
    return isEnd ? lower : lower.slice(0, -1) + capitals.slice(-1);
  });
}

/** A container without passwords in its variables: they come from a Secret that the user has to make. */
function withoutPasswords(release: Release, container: Data): Data {
  const variables = Array.isArray(container.env) ? (container.env as unknown[]) : [];
  const secret = `${release.names.server}-environment`;
  const env = variables.map((each) => {
    if (!isData(each) || !isSecret(plain(each.name).toUpperCase(), plain(each.value))) {
      return each;
    }
    const key = plain(each.name);
    release.need({ name: secret, keys: [{ key, value: `the ${key} of your values` }] });
    return { name: key, valueFrom: { secretKeyRef: { name: secret, key } } };
  });
  return variables.length === 0 ? container : { ...container, env };
}

/** Adds volumes, mounts, containers and sources of variables to the server's Deployment. */
export function addToPod(
  values: Values,
  release: Release,
  keys: { volumes: string; mounts: string; containers: string; initContainers: string },
  takenVolumes: readonly string[] = [],
): void {
  const isTaken = (name: unknown): boolean => takenVolumes.includes(String(name));
  for (const volume of values.maps(keys.volumes).filter(({ name }) => !isTaken(name))) {
    release.patch('/spec/template/spec/volumes/-', manifest(volume));
  }
  for (const mount of values.maps(keys.mounts).filter(({ name }) => !isTaken(name))) {
    release.patch('/spec/template/spec/containers/0/volumeMounts/-', manifest(mount));
  }
  const containers = values.maps(keys.containers).map((each) => withoutPasswords(release, each));
  for (const container of containers) {
    release.patch('/spec/template/spec/containers/-', manifest(container));
  }
  const initContainers = values.maps(keys.initContainers).map((each) => withoutPasswords(release, each));
  initContainers.forEach((container, i) => {
    release.patch(`/spec/template/spec/initContainers/${String(i)}`, manifest(container));
  });
  if (containers.length + initContainers.length > 0) {
    const used = [keys.containers, keys.initContainers].filter((key) => values.has(key));
    release.note(
      'changed',
      used,
      'They are added as they are. The pods run as user 1001 on a read-only root file system: give them a security context of their own where they need another.',
    );
  }
}

/** Adds Secrets or ConfigMaps to the variables of the server. */
export function addEnvironmentSources(release: Release, key: string, sources: readonly Data[]): void {
  if (sources.length > 0) {
    release.patch('/spec/template/spec/containers/0/envFrom', list(sources.map((each) => manifest(each))));
    release.note(
      'changed',
      key,
      'They reach the server, not the init containers that check and migrate: these get what the backend needs. Variables that the library sets win.',
    );
  }
}

/** Sets the ServiceAccount, once the identities have taken their annotations. */
export function finishServiceAccount(release: Release): void {
  const { annotations, name, isCreated } = release.serviceAccount;
  if (!isCreated) {
    release.set(
      'serviceAccount',
      call(
        kplus('ServiceAccount'),
        'fromServiceAccountName',
        SCOPE,
        value('service-account'),
        value(name ?? 'default'),
      ),
    );
  } else if (Object.keys(annotations).length > 0 || name !== undefined) {
    const metadata = struct(
      { module: 'cdk8s', name: 'ApiObjectMetadata' },
      {
        name: value(name ?? release.names.server),
        annotations: Object.keys(annotations).length === 0 ? undefined : textMap(annotations),
      },
    );
    release.set(
      'serviceAccount',
      construct(kplus('ServiceAccount'), 'service-account', struct(kplus('ServiceAccountProps'), { metadata })),
    );
  }
}

/** A claim that exists, or a new one. */
export function claim(options: {
  existing?: string;
  size?: Code;
  storageClassName?: string;
  accessModes?: readonly string[];
}): Code {
  const persistence = mlflow('Persistence');
  const modes = (options.accessModes ?? []).flatMap((mode) => entryOf(ACCESS_MODES, mode) ?? []);
  const isDefault = modes.length === 0 || (modes.length === 1 && modes[0] === 'READ_WRITE_ONCE');
  const accessModes = isDefault
    ? undefined
    : list(modes.map((mode) => member(kplus('PersistentVolumeAccessMode'), mode)));
  if (options.existing !== undefined) {
    const extra = accessModes === undefined ? [] : [struct(mlflow('ExistingClaimOptions'), { accessModes })];
    return call(persistence, 'existingClaim', value(options.existing), ...extra);
  }
  const { storageClassName } = options;
  const fields = {
    size: options.size,
    storageClassName:
      storageClassName === undefined ? undefined : value(storageClassName === '-' ? '' : storageClassName),
    accessModes,
  };
  const args = Object.values(fields).every((each) => each === undefined)
    ? []
    : [struct(mlflow('NewClaimOptions'), fields)];
  return call(persistence, 'newClaim', ...args);
}

const ACCESS_MODES: Record<string, string> = {
  ReadWriteOnce: 'READ_WRITE_ONCE',
  ReadOnlyMany: 'READ_ONLY_MANY',
  ReadWriteMany: 'READ_WRITE_MANY',
  ReadWriteOncePod: 'READ_WRITE_ONCE_POD',
};
