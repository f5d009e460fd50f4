import { ApiObject } from 'cdk8s';
import * as kplus from 'cdk8s-plus-28';
import type { IConstruct } from 'constructs';

import { type Rule, type RuleSubject } from '../validation/rule';

import { makerOf, objectsOf } from './unique-name';

/** Objects that another one needs, of one construct in another namespace. */
interface ForeignObjects extends RuleSubject {
  /** The construct that makes the objects, and the one that needs them. */
  readonly constructs: readonly [IConstruct, IConstruct];
  readonly namespaces: readonly [string | undefined, string | undefined];
  /** The kind of the object that needs them. */
  readonly neededBy: string;
  /** Kinds of the objects by their name. */
  readonly kinds: Map<string, Set<string>>;
}

/** An object that another one needs, in its own namespace. */
interface Reference {
  readonly kind: string;
  readonly name: string;
}

const NEEDED = new Set(['ConfigMap', 'PersistentVolumeClaim', 'Secret', 'ServiceAccount']);
const WORKLOADS = new Set(['CronJob', 'DaemonSet', 'Deployment', 'Job', 'Pod', 'ReplicaSet', 'StatefulSet']);
/** Kinds that cost a rendering, and refer to nothing of the kind. */
const WITHOUT_REFERENCES = new Set([
  ...['ConfigMap', 'HorizontalPodAutoscaler', 'NetworkPolicy', 'PersistentVolumeClaim', 'PodDisruptionBudget'],
  ...['PrometheusRule', 'Secret', 'Service'],
]);
/** What completes the manifests below a scope. */
const COMPLETIONS = new WeakMap<IConstruct, () => void>();
const PULL_SECRETS = new WeakMap<ApiObject, readonly Reference[]>();
/** Their `secretName` and the like name what their controllers make. */
const MAKERS_OF_SECRETS = /^(cert-manager\.io|external-secrets\.io|bitnami\.com)$/;

/** The rule on the namespace of what pods read. */
export const SAME_NAMESPACE: Rule<ForeignObjects> = {
  id: 'same-namespace',
  description:
    'Secrets, ConfigMaps, claims and ServiceAccounts of a pod, an Ingress or a monitor are in its namespace: it cannot use others.',
  validate: ({ constructs: [maker], namespaces: [there, here], neededBy, kinds }) => {
    const isWorkload = WORKLOADS.has(neededBy);
    const what = isWorkload ? `pods ${inNamespace(here)} need` : `the ${neededBy} ${inNamespace(here)} needs`;
    const objects = [...kinds].map(([name, each]) => `"${name}" (${[...each].join(', ')})`);
    const onlySecrets = [...kinds.values()].every((each) => [...each].every((kind) => kind === 'Secret'));
    return [
      [
        `${what} ${objects.join(' and ')}, which ${maker.node.path} makes ${inNamespace(there)}.`,
        `${isWorkload ? 'A pod' : 'It'} can only use those of its own namespace. Put both into charts of one namespace.`,
        ...(onlySecrets ? ['Or copy each Secret to the namespace of the pods, and acknowledge the rule.'] : []),
      ].join(' '),
    ];
  },
};

/** What objects of the app need, and the app makes in other namespaces alone. */
export function foreignObjectsIn(constructs: readonly IConstruct[]): ForeignObjects[] {
  const all = constructs.filter((each) => ApiObject.isApiObject(each));
  // To render costs as much as the synthesis, and there is nothing to find in one namespace.
  if (new Set(all.map(({ metadata }) => metadata.namespace)).size < 2) {
    return [];
  }
  completeAll(constructs);
  const made = new Map<string, ApiObject[]>();
  for (const object of all) {
    // The kind first: the name of a Job by its content is rendered at each look.
    for (const { kind, name } of objectsOf(object).filter((each) => NEEDED.has(each.kind))) {
      made.set(`${kind}/${name}`, [...(made.get(`${kind}/${name}`) ?? []), object]);
    }
  }
  const found = new Map<string, ForeignObjects>();
  for (const user of all) {
    const { namespace } = user.metadata;
    for (const { kind, name } of neededBy(user)) {
      const objects = made.get(`${kind}/${name}`) ?? [];
      const [object] = objects;
      if (object === undefined || objects.some(({ metadata }) => metadata.namespace === namespace)) {
        continue;
      }
      const constructs = [makerOf(object), makerOf(user)] as const;
      const group = WORKLOADS.has(user.kind) ? 'Pod' : user.kind;
      const key = [...constructs.map(({ node }) => node.path), group].join(' ');
      const foreign = found.get(key) ?? {
        constructs,
        namespaces: [object.metadata.namespace, namespace] as const,
        neededBy: group,
        kinds: new Map<string, Set<string>>(),
      };
      found.set(key, foreign);
      foreign.kinds.set(name, (foreign.kinds.get(name) ?? new Set()).add(kind));
    }
  }
  return [...found.values()];
}

/** What an object needs of its namespace. */
function neededBy(object: ApiObject): readonly Reference[] {
  const { scope } = object.node;
  const isCompleted = object.node.scopes.some((each) => COMPLETIONS.has(each));
  if (!isCompleted && scope instanceof kplus.AbstractPod && scope.node.defaultChild === object) {
    return [...referencesOf(scope), ...(PULL_SECRETS.get(object) ?? [])];
  }
  if (WITHOUT_REFERENCES.has(object.kind) || MAKERS_OF_SECRETS.test(object.apiGroup)) {
    return [];
  }
  const { metadata, ...rest } = object.toJson() as Record<string, unknown>;
  return metadata === undefined ? [] : referencesIn(rest);
}

/** Notes what adds references to the manifests below a scope, so that they are rendered to be looked at. */
export function addCompletion(scope: IConstruct, complete?: () => void): void {
  const before = COMPLETIONS.get(scope);
  COMPLETIONS.set(scope, () => {
    before?.();
    complete?.();
  });
}

/** Completes the manifests below all constructs of an app, as its synthesis does. */
export function completeAll(constructs: readonly IConstruct[]): void {
  for (const scope of constructs) {
    COMPLETIONS.get(scope)?.();
  }
}

/** Notes the pull secrets of a workload, which cdk8s-plus-28 does not know. */
export function addPullSecrets(object: ApiObject, names: readonly string[]): void {
  PULL_SECRETS.set(
    object,
    names.map((name) => ({ kind: 'Secret', name })),
  );
}

/** What a pod of cdk8s-plus-28 needs. Its constructs know; to render it would cost as much as the synthesis. */
function referencesOf(pod: kplus.AbstractPod): Reference[] {
  const containers = [...pod.initContainers, ...pod.containers];
  const volumes = new Set([...pod.volumes, ...containers.flatMap(({ mounts }) => mounts.map(({ volume }) => volume))]);
  const { serviceAccount, dockerRegistryAuth } = pod;
  const fields: unknown[] = [
    { serviceAccountName: serviceAccount?.name, dockerSecretName: dockerRegistryAuth?.name },
    ...containers.flatMap(({ env }) => [
      ...Object.values(env.variables).map(({ valueFrom }) => valueFrom as unknown),
      ...env.sources.map((source) => source._toKube()),
    ]),
    ...[...volumes].map((volume) => volume._toKube()),
  ];
  return fields.flatMap((each) => referencesIn(each));
}

/** The references in the value of a field, by the names of Kubernetes' fields, which those of operators follow. */
export function referencesIn(value: unknown, field = ''): Reference[] {
  if (Array.isArray(value)) {
    return value.flatMap((each) => referencesIn(each, field));
  }
  if (typeof value === 'string') {
    const kind =
      { serviceAccountName: 'ServiceAccount', claimName: 'PersistentVolumeClaim' }[field] ??
      (/secret(Name)?$/i.test(field) ? 'Secret' : undefined);
    return kind === undefined ? [] : [{ kind, name: value }];
  }
  if (typeof value !== 'object' || value === null || 'namespace' in value || ('optional' in value && value.optional)) {
    return [];
  }
  const inside = Object.entries(value).flatMap(([key, each]) => referencesIn(each, key));
  if (!('name' in value) || typeof value.name !== 'string') {
    return inside;
  }
  if (/^configMap(KeyRef|Ref)?$/.test(field)) {
    return [{ kind: 'ConfigMap', name: value.name }, ...inside];
  }
  const isSecret = 'key' in value || /secret(s|Ref|KeyRef)?$/i.test(field);
  return isSecret ? [{ kind: 'Secret', name: value.name }, ...inside] : inside;
}

function inNamespace(namespace: string | undefined): string {
  return namespace === undefined ? 'in a chart without a namespace' : `in the namespace "${namespace}"`;
}
