import type { Duration } from 'cdk8s';

import type { Problems } from '../kube/problems';

/** A deadline has to leave time for one try. */
export function checkDeadline(problems: Problems, prop: string, deadline: Duration | undefined): void {
  if (deadline !== undefined && deadline.toMilliseconds() < 1000) {
    problems.add(prop, 'must be at least 1 second', `${String(deadline.toMilliseconds())} ms`);
  }
}
