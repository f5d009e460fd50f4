import { call, cdk8s, type Code, kplus, list, member, mlflow, struct, value } from '../../code/code';

import type { Release } from '../release';
import { type Data, entryOf, isData, plain } from '../data';

/** What the chart scales by. */
export interface Scaling {
  readonly keys: readonly string[];
  readonly minReplicas?: number;
  readonly maxReplicas: number;
  readonly cpuPercent?: number;
  readonly memoryPercent?: number;
  readonly scaleUp?: Code;
  readonly scaleDown?: Code;
}

/** Sets the autoscaling. */
export function setAutoscaling(release: Release, scaling: Scaling): void {
  const { minReplicas, maxReplicas, cpuPercent, memoryPercent, keys } = scaling;
  const most = Math.max(1, maxReplicas, minReplicas ?? 2);
  release.pods = most;
  const options = struct(mlflow('ResourceScalingOptions'), {
    minReplicas: minReplicas === undefined || minReplicas === 2 ? undefined : value(Math.max(1, minReplicas)),
    maxReplicas: value(most),
    cpuPercent: cpuPercent === undefined || cpuPercent === 80 ? undefined : value(cpuPercent),
    memoryPercent: memoryPercent === undefined ? undefined : value(memoryPercent),
    scaleUp: scaling.scaleUp,
    scaleDown: scaling.scaleDown,
  });
  release.set('autoscaling', call(mlflow('Autoscaling'), 'byResources', options));
  if (memoryPercent !== undefined) {
    release.note('changed', keys, "MLflow's memory hardly depends on its load: consider the CPU alone.");
  }
}

/** Reads metrics of a HorizontalPodAutoscaler. */
export function readMetrics(
  release: Release,
  key: string,
  metrics: readonly Data[],
): Pick<Scaling, 'cpuPercent' | 'memoryPercent'> {
  const found: { cpuPercent?: number; memoryPercent?: number } = {};
  for (const { type, resource } of metrics) {
    const target = isData(resource) && isData(resource.target) ? resource.target : undefined;
    const percent = target?.averageUtilization;
    if (
      type === 'Resource' &&
      isData(resource) &&
      typeof percent === 'number' &&
      (resource.name === 'cpu' || resource.name === 'memory')
    ) {
      found[`${resource.name}Percent`] = percent;
    } else {
      release.note(
        'to do',
        key,
        `No counterpart of a metric of the type ${String(type)}: use Autoscaling.keda() with a trigger, or patch the HorizontalPodAutoscaler.`,
      );
    }
  }
  return found;
}

/** Reads the rules of a direction, such as `scaleDown`. */
export function scalingRules(of: unknown): Code | undefined {
  if (!isData(of)) {
    return undefined;
  }
  const window = of.stabilizationWindowSeconds;
  const strategies: Record<string, string> = { Max: 'MAX_CHANGE', Min: 'MIN_CHANGE', Disabled: 'DISABLED' };
  const strategy = entryOf(strategies, plain(of.selectPolicy));
  const policies = (Array.isArray(of.policies) ? (of.policies as unknown[]) : []).filter(isData);
  return struct(kplus('ScalingRules'), {
    stabilizationWindow: typeof window === 'number' ? call(cdk8s('Duration'), 'seconds', value(window)) : undefined,
    strategy: strategy === undefined ? undefined : member(kplus('ScalingStrategy'), strategy),
    policies:
      policies.length === 0
        ? undefined
        : list(
            policies.map(({ type, value: amount, periodSeconds }) =>
              struct(kplus('ScalingPolicy'), {
                replicas: call(kplus('Replicas'), type === 'Pods' ? 'absolute' : 'percent', value(Number(amount))),
                duration:
                  typeof periodSeconds === 'number'
                    ? call(cdk8s('Duration'), 'seconds', value(periodSeconds))
                    : undefined,
              }),
            ),
          ),
  });
}

/** Sets the number of pods. */
export function setReplicas(release: Release, key: string, replicas: number | undefined): void {
  if (replicas !== undefined && release.propOf('autoscaling') === undefined) {
    release.pods = replicas;
    release.replicasKey = key;
    release.set('replicas', replicas === 1 ? undefined : value(replicas));
  }
}
