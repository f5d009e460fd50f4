import type * as kplus from 'cdk8s-plus-28';
import type { Construct } from 'constructs';

import { addRule, type Rule, type RuleSubject } from '../validation/rule';

/** Usage that an autoscaler compares with the requests of a pod. */
export type ComparedUsage = 'cpu' | 'memory';

/** A workload that is scaled by its usage. */
interface ScaledWorkload extends RuleSubject {
  readonly workload: kplus.Workload;
  readonly usages: readonly ComparedUsage[];
}

export const AUTOSCALER_NEEDS_REQUESTS: Rule<ScaledWorkload> = {
  id: 'autoscaler-needs-requests',
  description: 'Each container of a pod that is scaled by CPU or memory, sidecars too, requests it.',
  validate: ({ workload, usages }) =>
    usages.flatMap((usage) => {
      const names = runningContainers(workload)
        // Kubernetes takes a limit as request.
        .filter(({ resources = {} }) => (resources[usage]?.request ?? resources[usage]?.limit) === undefined)
        .map(({ name }) => `"${name}"`);
      return names.length === 0
        ? []
        : [
            [
              `\`autoscaling\` by ${usage} needs \`resources.${usage}.request\` of each container, sidecars too, and ${names.join(' and ')} ${names.length === 1 ? 'has' : 'have'} none:`,
              'the autoscaler could not compute the usage of the pod in percent, and would not scale it. Set it where the container comes from.',
            ].join(' '),
          ];
    }),
};

/** Adds the rule to a server whose workload is scaled by these usages. It also sees containers that are added later. */
export function addScaledWorkloadRule(
  server: Construct,
  workload: kplus.Workload,
  usages: readonly ComparedUsage[],
): void {
  addRule(server, AUTOSCALER_NEEDS_REQUESTS, { workload, usages, constructs: [server] });
}

/** The containers that run as long as the pod does. */
function runningContainers({ containers, initContainers }: kplus.Workload): kplus.Container[] {
  return [...initContainers.filter(({ restartPolicy }) => restartPolicy !== undefined), ...containers];
}
