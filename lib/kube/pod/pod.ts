import * as kplus from 'cdk8s-plus-28';
import type { Construct } from 'constructs';

import { checkDataKey, checkObjectName } from '../../validation/checks';
import type { Problems } from '../../validation/problems';
import { checkRoute, type NetworkRoute } from '../network/network-route';
import { checkAnnotations, checkLabels } from '../values/metadata';

import type { ObjectLabels } from './labels';
import { checkContainer } from './pod-options';
import type { PodPart } from './pod-part';
import { completePodSpec, type PodSpecFields } from './pod-spec';
import { exactResources } from './resources';
import { RESTRICTED_CONTAINER, RESTRICTED_POD } from './restricted';

/** What a container is, besides the sum of its parts. */
export type ContainerOptions = Omit<kplus.ContainerProps, 'name' | 'envVariables' | 'volumeMounts' | 'securityContext'>;

/** A container of a pod: its parts, in the order in which their variables and files are written. */
export interface PodContainer {
  readonly name: string;
  readonly parts: readonly PodPart[];
  readonly options: ContainerOptions;
}

/** A container that is the sum of these parts. */
export function container(
  name: string,
  parts: readonly (PodPart | undefined)[],
  options: ContainerOptions,
): PodContainer {
  return { name, parts: parts.filter((part) => part !== undefined), options };
}

/** Everything that makes up a pod. */
export interface PodInput extends PodSpecFields {
  readonly initContainers?: readonly PodContainer[];
  readonly containers: readonly PodContainer[];
  /** Parts of the pod that no container lists, such as labels that open a network policy. */
  readonly parts?: readonly PodPart[];
  /** The ServiceAccount of the pod, where the caller has one. */
  readonly serviceAccount?: kplus.IServiceAccount;
  /** Whether the parts' annotations are already on that ServiceAccount, as on the one of a server. */
  readonly isAnnotated?: boolean;
}

/** A pod, summed up. The functions in workload.ts make it a Deployment, a StatefulSet, a Job or a CronJob. */
export interface Pod {
  readonly labels: ObjectLabels;
  readonly podLabels: Record<string, string>;
  readonly podAnnotations: Record<string, string>;
  readonly serviceAccountAnnotations: Record<string, string>;
  readonly serviceAccount?: kplus.IServiceAccount;
  readonly initContainers: kplus.ContainerProps[];
  readonly containers: kplus.ContainerProps[];
  /** The network destinations of all parts. */
  readonly routes: NetworkRoute[];
  /** What cdk8s-plus-28 has no props for. */
  readonly fields: PodSpecFields;
}

/** Sums up the parts of a pod. Parts that disagree are problems, named by the props that they come from. */
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
  return {
    labels,
    podLabels: {
      ...labels.all,
      ...merged(all, 'podLabels', (part, name, wanted, got, first) => {
        problems.say(`\`${part}\` must not set the pod label ${name} to ${got}: \`${first}\` sets it to ${wanted}.`);
      }),
    },
    podAnnotations: joined(all),
    serviceAccountAnnotations,
    serviceAccount,
    initContainers: [
      ...distinct(all.flatMap((part) => part.sidecars ?? [])).map(exactContainer),
      ...initContainers.map((each) => render(problems, each)),
    ],
    containers: containers.map((each) => render(problems, each)),
    routes: distinct(all.flatMap((part) => part.routes ?? [])),
    fields,
  };
}

/** The props of a workload of cdk8s-plus-28 with this pod. */
export function podProps(
  scope: Construct,
  pod: Pod,
): Pick<
  kplus.DeploymentProps,
  | 'podMetadata'
  | 'serviceAccount'
  | 'automountServiceAccountToken'
  | 'securityContext'
  | 'initContainers'
  | 'containers'
> {
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

/** Completes the pod template of a workload with what cdk8s-plus-28 has no props for. */
export function completePod(workload: kplus.Workload, { fields }: Pod): void {
  completePodSpec(workload, fields);
}

/** A ServiceAccount named by the construct's id. Pods get no token of it. */
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

function render(problems: Problems, { name, parts, options }: PodContainer): kplus.ContainerProps {
  const owners = new Map<string, PodPart>();
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

/** Validates what a caller's own value may bring: a connection, an artifact location. */
function checkPart(problems: Problems, part: PodPart): void {
  checkLabels(problems, 'podLabels', part.podLabels);
  checkAnnotations(problems, 'serviceAccountAnnotations', part.serviceAccountAnnotations);
  Object.entries(part.envVariables ?? {}).forEach(([name, value]) => {
    checkReference(problems, name, value);
  });
  part.sidecars?.forEach((sidecar) => {
    checkContainer(problems.at('sidecar.container'), sidecar);
  });
  part.routes?.forEach(({ peers, ports }) => {
    checkRoute(problems, 'route', { peers, ports: ports?.length === 0 ? undefined : ports });
  });
}

/** Validates where a variable gets its value from, unless the prop behind it has been told about already. */
function checkReference(problems: Problems, variable: string, { valueFrom }: kplus.EnvValue): void {
  const { secretKeyRef, configMapKeyRef } = (valueFrom ?? {}) as Partial<kplus.k8s.EnvVarSource>;
  const reference = secretKeyRef ?? configMapKeyRef;
  if (reference !== undefined && !problems.found) {
    checkObjectName(problems, variable, reference.name);
    checkDataKey(problems, variable, reference.key);
  }
}

function exactContainer<T extends ContainerOptions>(options: T): T {
  return { ...options, resources: exactResources(options.resources) };
}

function checkServiceAccount(problems: Problems, parts: PodPart[]): void {
  for (const prop of distinct(parts.filter((part) => part.serviceAccountAnnotations).map((part) => part.of ?? ''))) {
    problems.say(
      `\`serviceAccount\` must be left out where \`${prop}\` has an identity for the ServiceAccount.`,
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

/** Each annotation of a part is a revision that replaces the pods when it changes, so that those of several parts are joined. */
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
