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

/** Validates the range. */
export function checkScaling(problems: Problems, { minReplicas, maxReplicas }: ScalingOptions): void {
  checkWhole(problems, 'autoscaling.minReplicas', minReplicas, { least: 1 });
  checkWhole(problems, 'autoscaling.maxReplicas', maxReplicas, { least: Math.max(1, minReplicas ?? 2) });
}
