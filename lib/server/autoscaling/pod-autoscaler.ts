import * as kplus from 'cdk8s-plus-28';
import type { Construct } from 'constructs';

import { checkWhole } from '../../validation/checks';
import type { ObjectLabels } from '../../kube/pod/labels';
import type { Problems } from '../../validation/problems';

import { checkRequest, checkScaling, type ScaledServer, type ScalingOptions } from './scaling-options';

/** Options of {@link Autoscaling.byResources}. */
export interface ResourceScalingOptions extends ScalingOptions {
  /**
   * Target of the average CPU usage, in percent of the pods' requests. The CPU is MLflow's first bottleneck.
   * @default 80
   */
  readonly cpuPercent?: number;

  /**
   * Target of the average memory usage, in percent of the pods' requests. MLflow's memory hardly depends on its load.
   * @default - the autoscaler ignores memory
   */
  readonly memoryPercent?: number;

  /**
   * How fast pods are added.
   * @default - that of cdk8s-plus-28: at once, up to twice as many or four more in 15 seconds
   */
  readonly scaleUp?: kplus.ScalingRules;

  /**
   * How fast pods are removed.
   * @default - that of cdk8s-plus-28: after five minutes
   */
  readonly scaleDown?: kplus.ScalingRules;
}

/** Validates the options. */
export function checkResourceScaling(problems: Problems, options: ResourceScalingOptions, server: ScaledServer): void {
  checkScaling(problems, options);
  checkWhole(problems, 'autoscaling.cpuPercent', options.cpuPercent, { least: 1 });
  checkWhole(problems, 'autoscaling.memoryPercent', options.memoryPercent, { least: 1 });
  checkRequest(problems, 'autoscaling', 'cpu', server);
  if (options.memoryPercent !== undefined) {
    checkRequest(problems, 'autoscaling.memoryPercent', 'memory', server);
  }
}

/** The HorizontalPodAutoscaler of a server. Its Deployment then has no number of replicas, to which an apply would reset it. */
export function podAutoscaler(
  options: ResourceScalingOptions,
  scope: Construct,
  deployment: kplus.Deployment,
  labels: ObjectLabels,
): kplus.HorizontalPodAutoscaler {
  const utilization = (percent: number): kplus.MetricTarget => kplus.MetricTarget.averageUtilization(percent);
  return new kplus.HorizontalPodAutoscaler(scope, 'autoscaler', {
    metadata: { name: scope.node.id, labels: labels.all },
    target: deployment,
    minReplicas: options.minReplicas ?? 2,
    maxReplicas: options.maxReplicas,
    metrics: [
      kplus.Metric.resourceCpu(utilization(options.cpuPercent ?? 80)),
      ...(options.memoryPercent === undefined ? [] : [kplus.Metric.resourceMemory(utilization(options.memoryPercent))]),
    ],
    scaleUp: options.scaleUp,
    scaleDown: options.scaleDown,
  });
}
