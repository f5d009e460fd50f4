import type { Duration } from 'cdk8s';
import * as kplus from 'cdk8s-plus-28';
import type { Construct } from 'constructs';

import { checkWhole } from '../../validation/checks';
import type { ObjectLabels } from '../../kube/pod/labels';
import type { Problems } from '../../validation/problems';

/** How the number of pods follows their CPU and memory. */
export interface ResourceScalingOptions {
  /** Pods at the most. */
  readonly maxReplicas: number;

  /**
   * Pods at the least.
   * @default 2
   */
  readonly minReplicas?: number;

  /**
   * CPU that the pods should use on average, in percent of what they request. The CPU is what MLflow runs out of first.
   * @default 80
   */
  readonly cpuPercent?: number;

  /**
   * Memory that the pods should use on average, in percent of what they request. MLflow's memory hardly follows its load.
   * @default - memory does not count
   */
  readonly memoryPercent?: number;

  /**
   * How fast pods are added.
   * @default - as cdk8s-plus-28 has it: at once, up to twice as many or four more in 15 seconds
   */
  readonly scaleUp?: kplus.ScalingRules;

  /**
   * How fast pods are removed.
   * @default - as cdk8s-plus-28 has it: after five minutes
   */
  readonly scaleDown?: kplus.ScalingRules;
}

/** What the options must look like. */
export function checkResourceScaling(problems: Problems, options: ResourceScalingOptions): void {
  const { minReplicas = 2, maxReplicas } = options;
  checkWhole(problems, 'autoscaling.minReplicas', options.minReplicas, { least: 1 });
  checkWhole(problems, 'autoscaling.maxReplicas', maxReplicas, { least: Math.max(1, minReplicas) });
  checkWhole(problems, 'autoscaling.cpuPercent', options.cpuPercent, { least: 1 });
  checkWhole(problems, 'autoscaling.memoryPercent', options.memoryPercent, { least: 1 });
  checkScaling(problems, 'autoscaling.scaleUp', options.scaleUp);
  checkScaling(problems, 'autoscaling.scaleDown', options.scaleDown);
}

function checkScaling(
  problems: Problems,
  prop: string,
  { stabilizationWindow, policies }: kplus.ScalingRules = {},
): void {
  checkLongest(problems, `${prop}.stabilizationWindow`, stabilizationWindow, { least: 0, most: 3600 });
  policies?.forEach(({ duration }, i) => {
    checkLongest(problems, `${prop}.policies[${String(i)}].duration`, duration, { least: 1, most: 1800 });
  });
}

function checkLongest(
  problems: Problems,
  prop: string,
  duration: Duration | undefined,
  { least, most }: { readonly least: number; readonly most: number },
): void {
  const seconds = duration?.toSeconds({ integral: false });
  if (seconds !== undefined && !(Number.isInteger(seconds) && seconds >= least && seconds <= most)) {
    problems.add(prop, `must be a whole number of seconds from ${String(least)} to ${String(most)}`, seconds);
  }
}

/** The HorizontalPodAutoscaler of a server. The Deployment then has no number of replicas for an apply to reset. */
export function podAutoscaler(
  scope: Construct,
  deployment: kplus.Deployment,
  options: ResourceScalingOptions,
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
