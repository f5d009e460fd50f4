import type * as kplus from 'cdk8s-plus-28';

import type { ComparedUsage } from '../../rules/autoscaler-needs-requests';
import { checkWhole } from '../../validation/checks';
import type { Problems } from '../../validation/problems';

/** The range of the number of pods. */
export interface ScalingOptions {
  /** Maximum number of pods. */
  readonly maxReplicas: number;

  /**
   * Minimum number of pods. 0 is not possible: clients would find no pod, and no metric would show them.
   * @default 2
   */
  readonly minReplicas?: number;
}

/** The properties of the server that an autoscaler depends on. */
export interface ScaledServer {
  readonly namespace: string | undefined;
  readonly metrics: boolean;
  readonly resources: kplus.ContainerResources;
}

/** Validates that the server requests what `prop` compares its usage with. Kubernetes takes a limit as request. */
export function checkRequest(problems: Problems, prop: string, type: ComparedUsage, server: ScaledServer): void {
  const resource = server.resources[type];
  if (resource?.request === undefined && resource?.limit === undefined) {
    problems.say(
      `\`${prop}\` needs \`resources.${type}.request\`: the autoscaler computes the usage in percent of it.`,
      'Set it.',
    );
  }
}

/** Validates the range. */
export function checkScaling(problems: Problems, { minReplicas, maxReplicas }: ScalingOptions): void {
  checkWhole(problems, 'autoscaling.minReplicas', minReplicas, { least: 1 });
  checkWhole(problems, 'autoscaling.maxReplicas', maxReplicas, { least: Math.max(1, minReplicas ?? 2) });
}
