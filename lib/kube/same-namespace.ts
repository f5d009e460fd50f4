import { ApiObject } from 'cdk8s';
import * as kplus from 'cdk8s-plus-28';
import type { IConstruct } from 'constructs';

import { type Rule, type RuleSubject } from '../validation/rule';

import { makerOf, objectsOf } from './unique-name';

/** Objects that pods need, of one construct in another namespace. */
interface ForeignObjects extends RuleSubject {
  /** The construct that makes the objects, and the one that makes the pods. */
  readonly constructs: readonly [IConstruct, IConstruct];
  readonly namespaces: readonly [string | undefined, string | undefined];
  /** Kinds of the objects by their name. */
  readonly kinds: Map<string, Set<string>>;
}

/** References of a part of a pod, by the names of the fields of Kubernetes. */
type References = Readonly<Record<string, Readonly<Record<string, unknown>> | undefined>>;

const KINDS: Record<string, { readonly kind: string; readonly key: string }> = {
  secretKeyRef: { kind: 'Secret', key: 'name' },
  secretRef: { kind: 'Secret', key: 'name' },
  secret: { kind: 'Secret', key: 'secretName' },
  configMapKeyRef: { kind: 'ConfigMap', key: 'name' },
  configMapRef: { kind: 'ConfigMap', key: 'name' },
  configMap: { kind: 'ConfigMap', key: 'name' },
  persistentVolumeClaim: { kind: 'PersistentVolumeClaim', key: 'claimName' },
};
const NEEDED = new Set(['ServiceAccount', ...Object.values(KINDS).map(({ kind }) => kind)]);

/** The rule on the namespace of what pods read. */
export const SAME_NAMESPACE: Rule<ForeignObjects> = {
  id: 'same-namespace',
  description: 'Secrets, ConfigMaps, claims and ServiceAccounts of a pod are in its namespace: it cannot use others.',
  validate: ({ constructs: [maker], namespaces: [there, here], kinds }) => {
    const objects = [...kinds].map(([name, each]) => `"${name}" (${[...each].join(', ')})`);
    const onlySecrets = [...kinds.values()].every((each) => [...each].every((kind) => kind === 'Secret'));
    return [
      [
        `pods ${inNamespace(here)} need ${objects.join(' and ')}, which ${maker.node.path} makes ${inNamespace(there)}.`,
        'A pod can only use those of its own namespace. Put both into charts of one namespace.',
        ...(onlySecrets
          ? [
              `Or copy each Secret to the namespace of the pods, acknowledge the rule, and give hosts with their namespace${there === undefined ? '' : `, such as "host.${there}"`}.`,
            ]
          : []),
      ].join(' '),
    ];
  },
};

/** What pods of the app need, and the app makes in other namespaces alone. */
export function foreignObjectsIn(app: IConstruct): ForeignObjects[] {
  const all = app.node.findAll();
  const apiObjects = all.filter((each) => ApiObject.isApiObject(each));
  // Pods need no look where everything is in one namespace.
  if (new Set(apiObjects.map(({ metadata }) => metadata.namespace)).size < 2) {
    return [];
  }
  const made = new Map<string, ApiObject[]>();
  for (const object of apiObjects) {
    // The kind first: the name of a Job by its content is rendered at each look.
    for (const { kind, name } of objectsOf(object).filter((each) => NEEDED.has(each.kind))) {
      made.set(`${kind}/${name}`, [...(made.get(`${kind}/${name}`) ?? []), object]);
    }
  }
  const found = new Map<string, ForeignObjects>();
  for (const workload of all.filter((each) => each instanceof kplus.AbstractPod)) {
    const { namespace } = workload.metadata;
    for (const { kind, name } of referencesOf(workload)) {
      const objects = made.get(`${kind}/${name}`) ?? [];
      const [object] = objects;
      if (object === undefined || objects.some(({ metadata }) => metadata.namespace === namespace)) {
        continue;
      }
      const constructs = [makerOf(object), makerOf(ApiObject.of(workload))] as const;
      const pair = constructs.map(({ node }) => node.path).join(' ');
      const foreign = found.get(pair) ?? {
        constructs,
        namespaces: [object.metadata.namespace, namespace] as const,
        kinds: new Map<string, Set<string>>(),
      };
      found.set(pair, foreign);
      foreign.kinds.set(name, (foreign.kinds.get(name) ?? new Set()).add(kind));
    }
  }
  return [...found.values()];
}

/** What a pod needs. Its constructs know; to render it would cost as much as the synthesis. */
function referencesOf(pod: kplus.AbstractPod): { readonly kind: string; readonly name: string }[] {
  const containers = [...pod.initContainers, ...pod.containers];
  const volumes = new Set([...pod.volumes, ...containers.flatMap(({ mounts }) => mounts.map(({ volume }) => volume))]);
  const fields = [
    ...containers.flatMap(({ env }) => [
      ...Object.values(env.variables).map(({ valueFrom }) => valueFrom as unknown),
      ...env.sources.map((source) => source._toKube()),
    ]),
    ...[...volumes].map((volume) => volume._toKube()),
  ].flatMap((each) => Object.entries((each ?? {}) as References));
  const { serviceAccount, dockerRegistryAuth } = pod;
  return [
    ...(serviceAccount === undefined ? [] : [{ kind: 'ServiceAccount', name: serviceAccount.name }]),
    ...(dockerRegistryAuth === undefined ? [] : [{ kind: 'Secret', name: dockerRegistryAuth.name }]),
    ...fields.flatMap(([field, value]) => {
      const { kind, key } = KINDS[field] ?? {};
      return kind === undefined || key === undefined || value === undefined || value.optional === true
        ? []
        : [{ kind, name: String(value[key]) }];
    }),
  ];
}

function inNamespace(namespace: string | undefined): string {
  return namespace === undefined ? 'in a chart without a namespace' : `in the namespace "${namespace}"`;
}
