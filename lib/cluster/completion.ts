import type { ApiObject } from 'cdk8s';
import * as kplus from 'cdk8s-plus-28';

import { dnsRule } from '../kube/network/isolation';
import type { NetworkRoute } from '../kube/network/network-route';
import { pullSecretsOf } from '../kube/pod/pod-options';
import { ScriptFormat } from '../scripts/scripts';

import { type ClusterOptions, IpFamilies, LogFormat } from './cluster-options';
import { logJson } from './log-format';
import { containersOf, type Manifest, type ManifestPod, podIn, sortFields } from './manifest';
import { runFromZip } from './scripts-in-zip';
import { trustCa } from './trusted-ca';

/** Completes the manifest of an object that an operator makes pods of. */
export type Completion = (manifest: Manifest, options: ClusterOptions) => void;

const COMPLETIONS = new WeakMap<ApiObject, Completion>();
const CLUSTER_DOMAIN = 'cluster.local';
const DEFAULT_DNS = renderedDns();

/** Completes an object that holds no pod, but what an operator makes pods of. */
export function completeBy(object: ApiObject, completion: Completion): void {
  COMPLETIONS.set(object, completion);
}

/** The manifest of an object, with what the cluster asks of it. `services` are the app's, each as `name.namespace`. */
export function complete(
  object: ApiObject,
  manifest: Manifest,
  options: ClusterOptions,
  services: ReadonlySet<string>,
): Manifest {
  const pod = podIn(manifest);
  if (pod !== undefined) {
    completePod(object, pod, options, services);
  }
  if (manifest.kind === 'Service' && options.ipFamilies !== undefined) {
    completeService(manifest, options.ipFamilies);
  }
  if (manifest.kind === 'NetworkPolicy' && options.dns !== undefined) {
    completePolicy(manifest, options.dns);
  }
  COMPLETIONS.get(object)?.(manifest, options);
  // What several containers share would become an anchor in YAML.
  return JSON.parse(JSON.stringify(manifest)) as Manifest;
}

function completePod(
  object: ApiObject,
  pod: ManifestPod,
  options: ClusterOptions,
  services: ReadonlySet<string>,
): void {
  const { imageRegistry, trustedCa, clusterDomain = CLUSTER_DOMAIN } = options;
  options.podUser?._complete(pod);
  completeMetadata(pod, options);
  completePlacement(pod, options);
  if (trustedCa !== undefined) {
    trustCa(pod, trustedCa);
  }
  for (const container of containersOf(pod)) {
    if (container.image !== undefined && imageRegistry !== undefined) {
      container.image = imageRegistry._imageOf(container.image);
    }
    if (options.logFormat === LogFormat.JSON) {
      logJson(object, container);
    }
    if (options.scriptFormat === ScriptFormat.COMPACT) {
      runFromZip(container);
    }
    if (clusterDomain !== CLUSTER_DOMAIN) {
      const moved = (text: string): string => text.replaceAll(`.svc.${CLUSTER_DOMAIN}`, `.svc.${clusterDomain}`);
      container.args = container.args?.map(moved);
      container.env = container.env?.map(({ value, ...variable }) =>
        value === undefined ? variable : { ...variable, value: moved(value) },
      );
    }
  }
  options.httpProxy?._complete(pod, clusterDomain, services);
  sortFields(pod);
}

function completeMetadata(pod: ManifestPod, { podLabels = {}, podAnnotations = {} }: ClusterOptions): void {
  const { labels = {}, annotations = {} } = pod.metadata ?? {};
  const added = { annotations: { ...podAnnotations, ...annotations }, labels: { ...podLabels, ...labels } };
  pod.metadata = {
    ...pod.metadata,
    ...Object.fromEntries(Object.entries(added).filter(([, values]) => Object.keys(values).length > 0)),
  };
}

function completePlacement({ spec }: ManifestPod, options: ClusterOptions): void {
  const { imagePullSecrets, nodeSelector = {}, priorityClassName, tolerations = [] } = options;
  spec.imagePullSecrets ??= pullSecretsOf(imagePullSecrets);
  spec.priorityClassName ??= priorityClassName;
  if (Object.keys(nodeSelector).length > 0) {
    spec.nodeSelector = { ...nodeSelector, ...spec.nodeSelector };
  }
  if (tolerations.length > 0) {
    spec.tolerations = [...(spec.tolerations ?? []), ...tolerations];
  }
}

function completeService(manifest: Manifest, families: IpFamilies): void {
  const { spec } = manifest as { spec?: Record<string, unknown> };
  // A Service of this type is a name of DNS: it has no address.
  if (spec === undefined || spec.type === 'ExternalName') {
    return;
  }
  if (families === IpFamilies.IPV4 || families === IpFamilies.IPV6) {
    spec.ipFamilies ??= [families];
    spec.ipFamilyPolicy ??= 'SingleStack';
  } else {
    spec.ipFamilyPolicy ??= families;
  }
}

function completePolicy(manifest: Manifest, dns: NetworkRoute): void {
  const { spec } = manifest as { spec?: { egress?: unknown[] } };
  if (spec?.egress !== undefined) {
    spec.egress = spec.egress.map((rule): unknown =>
      JSON.stringify(rule) === DEFAULT_DNS ? JSON.parse(renderedDns(dns)) : rule,
    );
  }
}

function renderedDns(route?: NetworkRoute): string {
  return JSON.stringify(kplus.k8s.toJson_NetworkPolicyEgressRule(dnsRule(route)));
}
