import * as kplus from 'cdk8s-plus-28';

import { checkAnnotations } from '../../kube/values/metadata';
import { checkCidr, checkPort } from '../../validation/checks';
import type { Problems } from '../../validation/problems';

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

/** Validates the options. */
export function checkService(problems: Problems, options: ServiceOptions = {}): void {
  const { serviceType = kplus.ServiceType.CLUSTER_IP, port, nodePort, loadBalancerSourceRanges, annotations } = options;
  checkPort(problems, 'service.port', port);
  checkPort(problems, 'service.nodePort', nodePort);
  checkAnnotations(problems, 'service.annotations', annotations);
  if (serviceType === kplus.ServiceType.EXTERNAL_NAME) {
    problems.add(
      'service.serviceType',
      'must be CLUSTER_IP, NODE_PORT or LOAD_BALANCER',
      serviceType,
      'It would point away from the server.',
    );
  }
  if (nodePort !== undefined && serviceType === kplus.ServiceType.CLUSTER_IP) {
    problems.say(
      `\`service.nodePort\` must be left out with a Service of the type ClusterIP, got ${String(nodePort)}.`,
      'Set `service.serviceType` to NODE_PORT or LOAD_BALANCER, or leave it out.',
    );
  }
  if (loadBalancerSourceRanges !== undefined && serviceType !== kplus.ServiceType.LOAD_BALANCER) {
    problems.say(
      `\`service.loadBalancerSourceRanges\` must be left out with a Service of the type ${serviceType}, which does not look at them.`,
      'Set `service.serviceType` to LOAD_BALANCER, or let only some clients in with `isolation.clients`.',
    );
  }
  loadBalancerSourceRanges?.forEach((range, i) => {
    checkCidr(problems, `service.loadBalancerSourceRanges[${String(i)}]`, range);
  });
}
