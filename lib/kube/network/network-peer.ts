import type * as kplus from 'cdk8s-plus-28';

import { checkCidr } from '../../validation/checks';
import type { Problems } from '../../validation/problems';

import { checkLabels, checkNamespace } from '../values/metadata';

const NAMESPACE_NAME = 'kubernetes.io/metadata.name';

/** Peer of a NetworkPolicy: pods by their labels, or addresses. */
export class NetworkPeer {
  /** Every pod of the policy's namespace. */
  public static readonly OWN_NAMESPACE = NetworkPeer.pods({});

  /** DNS of the cluster, with the labels of kubeadm and of the clouds. */
  public static readonly KUBE_DNS = NetworkPeer.podsOf('kube-system', { 'k8s-app': 'kube-dns' });

  /** The controller of ingress-nginx, in the namespace of its own manifests. */
  public static readonly INGRESS_NGINX = NetworkPeer.podsOf('ingress-nginx', {
    'app.kubernetes.io/name': 'ingress-nginx',
  });

  /** Traefik, in the namespace of its documentation. */
  public static readonly TRAEFIK = NetworkPeer.podsOf('traefik', { 'app.kubernetes.io/name': 'traefik' });

  /** Prometheus in the namespace `monitoring`, with the labels of its operator and of kube-prometheus. */
  public static readonly PROMETHEUS = NetworkPeer.podsOf('monitoring', { 'app.kubernetes.io/name': 'prometheus' });

  /** Pods with all of these labels, in the policy's namespace. */
  public static pods(labels: Record<string, string>): NetworkPeer {
    return new NetworkPeer({ podSelector: selecting(labels) });
  }

  /** Every pod of a namespace. */
  public static inNamespace(name: string): NetworkPeer {
    return NetworkPeer.podsOf(name, {});
  }

  /** Pods with all of these labels, in another namespace. */
  public static podsOf(namespaceName: string, labels: Record<string, string>): NetworkPeer {
    return new NetworkPeer({
      namespaceSelector: selecting({ [NAMESPACE_NAME]: namespaceName }),
      podSelector: selecting(labels),
    });
  }

  /**
   * Addresses outside the cluster, such as `10.20.0.0/16` or `10.20.3.4/32`. Not for pods and Services: their addresses change.
   *
   * @param cidr addresses in CIDR notation
   * @param excluded addresses in `cidr` to exclude, in CIDR notation
   */
  public static cidr(cidr: string, ...excluded: string[]): NetworkPeer {
    return new NetworkPeer({ ipBlock: { cidr, except: excluded.length === 0 ? undefined : excluded } });
  }

  private constructor(
    /** @internal */
    public readonly _rendered: kplus.k8s.NetworkPolicyPeer,
  ) {}

  /**
   * This peer for a policy of another namespace, if it is pods of `namespace`.
   *
   * @internal
   */
  public _in(namespace: string): NetworkPeer {
    const { podSelector, namespaceSelector } = this._rendered;
    return podSelector === undefined || namespaceSelector !== undefined
      ? this
      : NetworkPeer.podsOf(namespace, podSelector.matchLabels ?? {});
  }

  /** @internal */
  public _check(problems: Problems, prop: string): void {
    const { ipBlock, namespaceSelector, podSelector } = this._rendered;
    if (ipBlock !== undefined) {
      checkCidr(problems, prop, ipBlock.cidr, ipBlock.except);
    }
    if (namespaceSelector !== undefined) {
      checkNamespace(problems, `${prop}.namespaceName`, namespaceSelector.matchLabels?.[NAMESPACE_NAME]);
    }
    checkLabels(problems, `${prop}.labels`, podSelector?.matchLabels);
  }
}

function selecting(matchLabels: Record<string, string>): kplus.k8s.LabelSelector {
  // An empty selector selects everything.
  return Object.keys(matchLabels).length === 0 ? {} : { matchLabels };
}
