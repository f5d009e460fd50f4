import type { Kubectl } from './kubectl';
import { claimsOf, hasSidecar, missingReferences, podsOf, shown, type Wanted } from './manifests';

/** What a check has found. */
export interface Finding {
  /** The object, or the part of the cluster. */
  readonly about: string;
  readonly text: string;
  /** Whether the app will not run as it is. */
  readonly isProblem: boolean;
}

/** A check of what an app needs of a cluster. */
export interface Check {
  /** What was looked at, in a line. */
  readonly title: string;
  readonly findings: readonly Finding[];
}

/** The oldest minor versions of Kubernetes 1: for all that is made, and for sidecars. */
const OLDEST = 28;
const OLDEST_WITH_SIDECARS = 29;

/** What serves the kinds that are not Kubernetes' own, by API group. */
const OPERATORS: Readonly<Record<string, string>> = {
  'barmancloud.cnpg.io': 'the Barman Cloud plugin of CloudNativePG',
  'external-secrets.io': 'the External Secrets Operator',
  'gateway.networking.k8s.io': 'the Gateway API',
  'keda.sh': 'KEDA',
  'monitoring.coreos.com': 'the Prometheus Operator',
  'postgresql.cnpg.io': 'CloudNativePG',
  'traefik.io': 'Traefik',
};

const problem = (about: string, text: string): Finding => ({ about, text, isProblem: true });
const warning = (about: string, text: string): Finding => ({ about, text, isProblem: false });

/** Whether the cluster answers, which the further checks need, and is new enough. */
export function checkVersion(kubectl: Kubectl, objects: readonly Wanted[]): Check & { readonly answers: boolean } {
  const { ok, stdout, errors } = kubectl.run(['version', '--output', 'json']);
  const { serverVersion } = (ok ? JSON.parse(stdout) : {}) as { serverVersion?: { gitVersion: string; minor: string } };
  if (serverVersion === undefined) {
    const text = errors.join(' ') || 'kubectl names no server.';
    return { title: 'cluster: no answer', findings: [problem('cluster', text)], answers: false };
  }
  const { gitVersion, minor } = serverVersion;
  const number = parseInt(minor, 10);
  const sidecars = objects.filter(hasSidecar).map(shown);
  const findings = [
    ...(number < OLDEST
      ? [problem('cluster', `Kubernetes must be 1.${String(OLDEST)} or later, got ${gitVersion}.`)]
      : []),
    ...(number < OLDEST_WITH_SIDECARS && sidecars.length > 0
      ? [
          problem(
            'cluster',
            `Sidecars need Kubernetes 1.${String(OLDEST_WITH_SIDECARS)}, got ${gitVersion}: ${sidecars.join(', ')}.`,
          ),
        ]
      : []),
  ];
  return { title: `cluster: Kubernetes ${gitVersion}`, findings, answers: true };
}

/** The namespaces that are there, which the further checks need. */
export function checkNamespaces(
  kubectl: Kubectl,
  objects: readonly Wanted[],
): Check & { readonly there: ReadonlySet<string> } {
  const isNamespaced = ({ kind }: Wanted): boolean => kind !== 'Namespace';
  const names = [...new Set(objects.filter(isNamespaced).map(({ namespace }) => namespace))];
  const made = new Set(objects.filter((each) => !isNamespaced(each)).map(({ name }) => name));
  const there = new Set(names.filter((name) => kubectl.has('namespace', name)));
  const findings = names
    .filter((name) => !there.has(name))
    .map((name) =>
      made.has(name)
        ? warning(name, 'The manifests make this namespace: its objects and pods can be tried once it is there.')
        : problem(name, `There is no such namespace, or you may not read it: kubectl create namespace ${name}.`),
    );
  return { title: `namespaces: ${String(there.size)} of ${String(names.length)} are there`, findings, there };
}

/** Whether the API server would accept each object: kinds, fields, names, and the cluster's own policies. */
export function checkObjects(kubectl: Kubectl, objects: readonly Wanted[]): Check {
  const tried = objects.map((each) => ({
    each,
    answer: kubectl.run(['apply', '--dry-run=server', '--namespace', each.namespace, '--filename', '-'], each.manifest),
  }));
  const findings = tried.flatMap(({ each, answer: { ok, errors, warnings } }) => [
    ...(ok ? [] : [problem(shown(each), refusal(each, errors))]),
    // What it says of pods is a check of its own.
    ...warnings.filter((text) => !text.includes('PodSecurity')).map((text) => warning(shown(each), text)),
  ]);
  const accepted = tried.filter(({ answer }) => answer.ok).length;
  return { title: `objects: ${String(accepted)} of ${String(tried.length)} would be accepted`, findings };
}

/**
 * Whether the API server would accept each pod. That of a Deployment or Job it looks at only when a controller makes it: quotas,
 * LimitRanges, Pod Security and the cluster's own policies.
 */
export function checkPods(kubectl: Kubectl, objects: readonly Wanted[]): Check {
  const tried = podsOf(objects).map(({ of, pod }) => ({
    of,
    answer: kubectl.run(['create', '--dry-run=server', '--filename', '-'], pod),
  }));
  const findings = tried.flatMap(({ of, answer: { ok, errors, warnings } }) => [
    ...(ok ? [] : [problem(`pods of ${shown(of)}`, errors.join(' '))]),
    ...warnings.map((text) => warning(`pods of ${shown(of)}`, text)),
  ]);
  const accepted = tried.filter(({ answer }) => answer.ok).length;
  return { title: `pods: ${String(accepted)} of ${String(tried.length)} would be accepted`, findings };
}

/** Whether there is a storage class for each claim. */
export function checkStorage(kubectl: Kubectl, objects: readonly Wanted[]): Check {
  const { ok, stdout } = kubectl.run(['get', 'storageclasses', '--output', 'json']);
  const claims = claimsOf(objects);
  if (!ok) {
    return { title: 'volumes: not looked at', findings: [warning('volumes', 'You may not list storage classes.')] };
  }
  const { items } = JSON.parse(stdout) as { items: StorageClass[] };
  const names = items.map(({ metadata }) => metadata.name);
  const hasDefault = items.some(({ metadata }) => metadata.annotations?.[DEFAULT_CLASS] === 'true');
  const findings = claims.flatMap(({ of, storageClass }) => {
    if (storageClass === undefined) {
      const text = 'The cluster has no default storage class: name one of its own as `storageClassName`';
      return hasDefault ? [] : [problem(shown(of), `${text} (${names.join(', ') || 'it has none'}).`)];
    }
    return names.includes(storageClass)
      ? []
      : [problem(shown(of), `There is no storage class "${storageClass}", but ${names.join(', ') || 'none'}.`)];
  });
  return { title: `volumes: ${String(claims.length)} claims`, findings };
}

const DEFAULT_CLASS = 'storageclass.kubernetes.io/is-default-class';

interface StorageClass {
  readonly metadata: { readonly name: string; readonly annotations?: Readonly<Record<string, string>> };
}

/** Whether the Secrets and other objects are there that pods need and the manifests do not make. */
export function checkReferences(kubectl: Kubectl, objects: readonly Wanted[]): Check {
  const needed = missingReferences(objects);
  const missing = needed.filter(({ kind, name, namespace }) => !kubectl.has(kind, name, namespace));
  return {
    title: `needed of the cluster: ${String(needed.length - missing.length)} of ${String(needed.length)} are there`,
    findings: missing.map((each) => problem(shown(each), 'Pods need it, and it is not there, or you may not read it.')),
  };
}

function refusal({ apiVersion, kind }: Wanted, errors: readonly string[]): string {
  const text = errors.join(' ');
  if (!/no matches for kind|the server could not find the requested resource/.test(text)) {
    return text;
  }
  const operator = OPERATORS[apiVersion.split('/')[0] ?? ''];
  return `The cluster has no ${kind} of ${apiVersion}. Install ${operator ?? 'what serves it'}, or leave the object out.`;
}
