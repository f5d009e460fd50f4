import type * as kplus from 'cdk8s-plus-28';

import type { NetworkRoute } from '../kube/network/network-route';
import type { FileSource } from '../kube/values/file-source';
import type { ScriptFormat } from '../scripts/scripts';

import type { HttpProxy } from './http-proxy';
import type { ImageRegistry } from './image-registry';
import type { PodUser } from './pod-user';

/** Format of logs. */
export enum LogFormat {
  /** Lines for people. */
  TEXT = 'text',
  /** A JSON object a line, for Loki, Cloud Logging and the like. */
  JSON = 'json',
}

/** IP families of Services. */
export enum IpFamilies {
  /** IPv4 alone. */
  IPV4 = 'IPv4',
  /** IPv6 alone. */
  IPV6 = 'IPv6',
  /** Both, where the cluster has both; otherwise the one that it has. */
  PREFER_DUAL_STACK = 'PreferDualStack',
  /** Both. The API server refuses the Service where the cluster has one. */
  REQUIRE_DUAL_STACK = 'RequireDualStack',
}

/** What a cluster asks of every pod in it. */
export interface ClusterOptions {
  /**
   * User and group of the pods.
   * @default - user and group 1001 for the pods of the library; pods of your own as they are
   */
  readonly podUser?: PodUser;

  /**
   * Where images come from.
   * @default - the registries that the images name
   */
  readonly imageRegistry?: ImageRegistry;

  /**
   * Names of the Secrets with logins to image registries, for pods that have none of their own.
   * @default - none
   */
  readonly imagePullSecrets?: string[];

  /**
   * CAs that pods trust besides those of their images, in PEM, for outgoing TLS: identity providers, object stores, gateways
   * and databases with `PostgresTls.verifyFull()` without a `ca`. MLflow's webhooks take public CAs only. Each namespace with pods needs
   * the ConfigMap or Secret.
   *
   * Programs in Go read them from a folder (`SSL_CERT_DIR`). Containers that run Python get a file with these and
   * all CAs of the image, which an init container writes.
   * @default - those of the images
   */
  readonly trustedCa?: FileSource;

  /**
   * HTTP proxy between the pods and the internet.
   * @default - none
   */
  readonly httpProxy?: HttpProxy;

  /**
   * IP families of Services.
   * @default - those of the cluster: its first one
   */
  readonly ipFamilies?: IpFamilies;

  /**
   * DNS domain of the cluster.
   * @default cluster.local
   */
  readonly clusterDomain?: string;

  /**
   * Network route to the DNS servers, for isolated pods without an `isolation.dns` of their own.
   * @default - port 53 of NetworkPeer.KUBE_DNS
   */
  readonly dns?: NetworkRoute;

  /**
   * Labels of the nodes that pods run on. Labels that a pod selects by itself take precedence.
   * @default - any node
   */
  readonly nodeSelector?: Record<string, string>;

  /**
   * Taints of nodes that pods tolerate, besides those that a pod tolerates by itself.
   * @default - none
   */
  readonly tolerations?: kplus.k8s.Toleration[];

  /**
   * Name of the PriorityClass of pods that have none of their own.
   * @default - the default class of the cluster
   */
  readonly priorityClassName?: string;

  /**
   * Labels of pods. Those that a pod has by itself take precedence.
   * @default - none
   */
  readonly podLabels?: Record<string, string>;

  /**
   * Annotations of pods, such as those of a service mesh. Those that a pod has by itself take precedence.
   * @default - none
   */
  readonly podAnnotations?: Record<string, string>;

  /**
   * Format of the logs of the library's servers, proxies and scripts.
   * @default LogFormat.TEXT
   */
  readonly logFormat?: LogFormat;

  /**
   * Form of the ConfigMaps with the library's scripts. Set it for an app or a chart: all pods of a chart share them.
   * @default ScriptFormat.READABLE
   */
  readonly scriptFormat?: ScriptFormat;
}
