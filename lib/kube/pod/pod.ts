import { ApiObject, JsonPatch } from 'cdk8s';
import * as kplus from 'cdk8s-plus-28';
import type { Construct } from 'constructs';

import { checkObjectName } from '../../validation/checks';
import type { Problems } from '../../validation/problems';
import type { NetworkRoute } from '../network/network-route';
import { addPullSecrets } from '../same-namespace';

import type { ObjectLabels } from './labels';
import { pullSecretsOf } from './pod-options';
import { checkPart, type ContainerOptions, type PodContainer, type PodPart } from './pod-part';
import { exactResources } from './resources';
import { RESTRICTED_CONTAINER, RESTRICTED_POD } from './restricted';

export type { ContainerOptions, PodContainer };

/** A container with these parts. */
export function container(
  name: string,
  parts: readonly (PodPart | undefined)[],
  options: ContainerOptions,
): PodContainer {
  return { name, parts: parts.filter((part) => part !== undefined), options };
}

/** A volume that Kubernetes makes for a pod and removes with it. */
export interface EphemeralVolume {
  /** Name of the volume of the pod that it replaces. */
  readonly name: string;
  /** A quantity of Kubernetes, such as `10Gi`. */
  readonly size: string;
  readonly storageClassName?: string;
}

/** Fields of a pod that cdk8s-plus-28 has no props for. */
export interface PodSpecFields {
  readonly imagePullSecrets?: string[];
  readonly priorityClassName?: string;
  readonly topologySpreadConstraints?: kplus.k8s.TopologySpreadConstraint[];
  readonly ephemeralVolumes?: EphemeralVolume[];
}

/** Input of {@link podOf}. */
export interface PodInput extends PodSpecFields {
  readonly initContainers?: readonly PodContainer[];
  readonly containers: readonly PodContainer[];
  /** Parts of the pod that no container lists, such as labels that a network policy requires. */
  readonly parts?: readonly PodPart[];
  /**
   * ServiceAccount of the pod.
   * @default - a new one, with the annotations of the parts
   */
  readonly serviceAccount?: kplus.IServiceAccount;
  /** Whether `serviceAccount` already has the annotations of the parts, as that of a server has. */
  readonly isAnnotated?: boolean;
}

/** The sum of the parts of a pod. The functions in workload.ts and job.ts make a workload of it. */
export interface Pod {
  readonly labels: ObjectLabels;
  readonly podLabels: Record<string, string>;
  readonly podAnnotations: Record<string, string>;
  readonly serviceAccountAnnotations: Record<string, string>;
  readonly serviceAccount?: kplus.IServiceAccount;
  readonly initContainers: kplus.ContainerProps[];
  readonly containers: kplus.ContainerProps[];
  /** Network routes of all parts. */
  readonly routes: NetworkRoute[];
  readonly fields: PodSpecFields;
}

/** Sums up the parts of a pod. Two parts that set one thing to two values are a problem, which names the props they come from. */
export function podOf(problems: Problems, labels: ObjectLabels, input: PodInput): Pod {
  const { initContainers = [], containers, parts = [], serviceAccount, isAnnotated, ...fields } = input;
  const all = distinct([...parts, ...[...initContainers, ...containers].flatMap((each) => each.parts)]);
  const serviceAccountAnnotations = merged(all, 'serviceAccountAnnotations', (part, name, wanted, got, first) => {
    problems.add(
      part,
      `must have the identity of \`${first}\`, ${wanted} (${name})`,
      got,
      'A pod has one ServiceAccount: give one account the rights of both.',
    );
  });
  all.forEach((part) => {
    checkPart(problems.at(part.of ?? 'part'), part);
  });
  if (serviceAccount !== undefined) {
    checkObjectName(problems, 'serviceAccount', serviceAccount.name);
  }
  if (serviceAccount !== undefined && isAnnotated !== true) {
    checkServiceAccount(problems, all);
  }
  checkVolumes(problems, all);
  return {
    labels,
    podLabels: merged([{ of: 'id', podLabels: labels.all }, ...all], 'podLabels', (part, name, wanted, got, first) => {
      problems.say(`\`${part}\` must not set the pod label ${name} to ${got}: \`${first}\` sets it to ${wanted}.`);
    }),
    podAnnotations: joined(all),
    serviceAccountAnnotations,
    serviceAccount,
    initContainers: [
      ...distinct(all.flatMap((part) => part.initContainers ?? [])).map((each) => render(problems, each)),
      ...distinct(all.flatMap((part) => part.sidecars ?? [])).map(exactContainer),
      ...initContainers.map((each) => render(problems, each)),
    ],
    containers: containers.map((each) => render(problems, each)),
    routes: distinct(all.flatMap((part) => part.routes ?? [])),
    fields,
  };
}

/** The props of a workload of cdk8s-plus-28 with this pod. */
export function podProps(scope: Construct, pod: Pod): kplus.WorkloadProps {
  return {
    podMetadata: {
      labels: pod.podLabels,
      annotations: Object.keys(pod.podAnnotations).length === 0 ? undefined : pod.podAnnotations,
    },
    serviceAccount: pod.serviceAccount ?? serviceAccountOf(scope, pod.labels, pod.serviceAccountAnnotations),
    automountServiceAccountToken: false,
    securityContext: RESTRICTED_POD,
    initContainers: pod.initContainers,
    containers: pod.containers,
  };
}

/** Patches the pod template of a workload with the fields that cdk8s-plus-28 has no props for. */
export function completePod(workload: kplus.Workload, { fields }: Pod): void {
  const { ephemeralVolumes = [], imagePullSecrets, ...others } = fields;
  const path = workload.kind === 'CronJob' ? '/spec/jobTemplate/spec/template/spec' : '/spec/template/spec';
  const values: Record<string, unknown> = {
    ...others,
    imagePullSecrets: pullSecretsOf(imagePullSecrets),
    // A Service called `mlflow` would inject MLFLOW_PORT=tcp://…, which MLflow reads as its own setting.
    enableServiceLinks: false,
  };
  const patches = Object.entries(values)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => JsonPatch.add(`${path}/${name}`, value));
  const object = ApiObject.of(workload);
  addPullSecrets(object, imagePullSecrets ?? []);
  object.addJsonPatch(...patches, ...ephemeralVolumes.map((each) => volumePatch(workload, each)));
}

/** A ServiceAccount named by the construct's id. Its token is not mounted into pods. */
export function serviceAccountOf(
  scope: Construct,
  labels: ObjectLabels,
  annotations: Record<string, string> = {},
): kplus.ServiceAccount {
  return new kplus.ServiceAccount(scope, 'service-account', {
    metadata: { name: scope.node.id, labels: labels.all, annotations },
    automountToken: false,
  });
}

function volumePatch(workload: kplus.Workload, { name, size, storageClassName }: EphemeralVolume): JsonPatch {
  const manifest = ApiObject.of(workload).toJson() as { spec: { template: { spec: { volumes: { name: string }[] } } } };
  const index = manifest.spec.template.spec.volumes.findIndex((volume) => volume.name === name);
  const spec = {
    accessModes: ['ReadWriteOnce'],
    resources: { requests: { storage: kplus.k8s.Quantity.fromString(size) } },
    storageClassName,
  };
  return JsonPatch.replace(`/spec/template/spec/volumes/${String(index)}`, {
    name,
    ephemeral: { volumeClaimTemplate: { spec } },
  });
}

function render(problems: Problems, { name, parts, options }: PodContainer): kplus.ContainerProps {
  const owners = new Map<string, PodPart>();
  const paths = new Map<string, PodPart>();
  const envVariables: Record<string, kplus.EnvValue> = {};
  for (const part of parts) {
    for (const [variable, value] of Object.entries(part.envVariables ?? {})) {
      const other = owners.get(variable);
      if (other !== undefined && JSON.stringify(value) !== JSON.stringify(envVariables[variable])) {
        const [extra, owner] = other.isExtra === true ? [other, part] : [part, other];
        problems.reserved(`${extra.of ?? name}.${variable}`, owner.of ?? '');
      }
      owners.set(variable, part);
      envVariables[variable] = value;
    }
    for (const { path } of distinct(part.volumeMounts ?? [])) {
      const other = paths.get(path);
      if (other === part) {
        problems.say(`\`${part.of ?? name}\` must not mount two volumes at ${path}.`, 'Give each a path of its own.');
      } else if (other !== undefined) {
        problems.reserved(`${part.of ?? name}: a volume at ${path}`, other.of ?? '');
      }
      paths.set(path, part);
    }
  }
  return {
    ...exactContainer(options),
    name,
    imagePullPolicy: options.imagePullPolicy ?? kplus.ImagePullPolicy.IF_NOT_PRESENT,
    securityContext: RESTRICTED_CONTAINER,
    envVariables,
    volumeMounts: distinct(parts.flatMap((part) => part.volumeMounts ?? [])),
  };
}

function exactContainer<T extends ContainerOptions>(options: T): T {
  return { ...options, resources: exactResources(options.resources) };
}

/** Two volumes of one name, or two at one path of a container, are refused by Kubernetes. */
function checkVolumes(problems: Problems, parts: PodPart[]): void {
  const volumes = new Map<string, { readonly volume: kplus.Volume; readonly of: string }>();
  for (const { of = '', volumeMounts = [] } of parts) {
    for (const { volume } of volumeMounts) {
      const first = volumes.get(volume.name);
      if (first !== undefined && first.volume !== volume) {
        problems.say(
          `\`${of}\` must not have a volume "${volume.name}": ${first.of === '' ? 'the library' : `\`${first.of}\``} has one of that name.`,
          'Give it another name.',
        );
      }
      volumes.set(volume.name, first ?? { volume, of });
    }
  }
}

function checkServiceAccount(problems: Problems, parts: PodPart[]): void {
  for (const prop of distinct(parts.filter((part) => part.serviceAccountAnnotations).map((part) => part.of ?? ''))) {
    problems.say(
      `\`serviceAccount\` must not be set if \`${prop}\` has an identity for the ServiceAccount.`,
      `Leave it out, or annotate your own ServiceAccount and give \`${prop}\` ambient credentials.`,
    );
  }
}

function merged(
  parts: PodPart[],
  field: 'podLabels' | 'serviceAccountAnnotations',
  disagree: (part: string, name: string, wanted: string, got: string, first: string) => void,
): Record<string, string> {
  const found: Record<string, { readonly value: string; readonly of: string }> = {};
  for (const part of parts) {
    for (const [name, value] of Object.entries(part[field] ?? {})) {
      const first = found[name];
      if (first !== undefined && first.value !== value) {
        disagree(part.of ?? '', name, first.value, value, first.of);
      }
      found[name] ??= { value, of: part.of ?? '' };
    }
  }
  return Object.fromEntries(Object.entries(found).map(([name, { value }]) => [name, value]));
}

/** Each annotation is a revision: pods are replaced when it changes. So the values of several parts are joined. */
function joined(parts: PodPart[]): Record<string, string> {
  const entries = parts.flatMap((part) => Object.entries(part.podAnnotations ?? {}));
  return Object.fromEntries(
    distinct(entries.map(([name]) => name)).map((name) => [
      name,
      distinct(entries.filter(([each]) => each === name).map(([, value]) => value)).join('-'),
    ]),
  );
}

function distinct<T>(values: readonly T[]): T[] {
  return [...new Set(values)];
}
