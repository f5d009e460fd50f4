import type { IsolationOptions } from '../kube/network/isolation';
import type { NetworkPeer } from '../kube/network/network-peer';

/** Who may reach a server, and what it may reach besides what its other props lead to. */
export interface ServerIsolationOptions extends IsolationOptions {
  /**
   * Who may reach the server: clients, and Prometheus (`NetworkPeer.PROMETHEUS`) where it scrapes. An empty list is nobody.
   * A Service of the type LoadBalancer or NodePort brings clients from outside, who have to be named.
   * @default [NetworkPeer.OWN_NAMESPACE]
   */
  readonly clients?: NetworkPeer[];

  /**
   * Who brings in requests from outside, where there is an `ingress`.
   * @default - NetworkPeer.INGRESS_NGINX or NetworkPeer.TRAEFIK, by `ingress.className`; for others it has to be given
   */
  readonly ingressControllers?: NetworkPeer[];
}
