import type * as kplus from 'cdk8s-plus-28';

/** The Service in front of the server. */
export interface ServiceOptions {
  /**
   * How the Service is reached.
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
   * Client addresses that a load balancer lets in, in CIDR notation.
   * @default - all
   */
  readonly loadBalancerSourceRanges?: string[];

  /**
   * Annotations, such as a cloud's settings of its load balancer.
   * @default - none
   */
  readonly annotations?: Record<string, string>;
}
