import type * as kplus from 'cdk8s-plus-28';

/** Options of the server's Service. */
export interface ServiceOptions {
  /**
   * Type of the Service.
   * @default ServiceType.CLUSTER_IP
   */
  readonly serviceType?: kplus.ServiceType;

  /**
   * Port of the Service.
   * @default 5000
   */
  readonly port?: number;

  /**
   * Port on every node, for the types NodePort and LoadBalancer (30000 to 32767 in most clusters).
   * @default - chosen by Kubernetes
   */
  readonly nodePort?: number;

  /**
   * Client addresses that a load balancer accepts, in CIDR notation.
   * @default - all
   */
  readonly loadBalancerSourceRanges?: string[];

  /**
   * Annotations of the Service, such as a cloud's load balancer settings.
   * @default - none
   */
  readonly annotations?: Record<string, string>;
}
