import type { Duration } from 'cdk8s';
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
  checkScalingRules(problems, 'autoscaling.scaleUp', options.scaleUp);
  checkScalingRules(problems, 'autoscaling.scaleDown', options.scaleDown);
  checkRequest(problems, 'autoscaling', 'cpu', server);
  if (options.memoryPercent !== undefined) {
    checkRequest(problems, 'autoscaling.memoryPercent', 'memory', server);
  }
}

function checkScalingRules(
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
