import type { Construct } from 'constructs';

import { addRule, type Rule, type RuleSubject } from '../validation/rule';

/** A server whose way to run jobs is for one pod. */
interface JobServer extends RuleSubject {
  /** The prop that sets the number of pods. */
  readonly replicasProp: string;
  readonly pods: number;
  /** The prop that is for one pod. */
  readonly prop: string;
  readonly reason: string;
  readonly wayOut: string;
}

export const JOBS_ON_ONE_POD: Rule<JobServer> = {
  id: 'jobs-on-one-pod',
  description: 'A server with `jobExecution` has one pod, unless its queue is shared and another server schedules.',
  validate: ({ replicasProp, pods, prop, reason, wayOut }) =>
    pods <= 1
      ? []
      : [`\`${replicasProp}\` must be at most 1 with \`${prop}\`, got ${String(pods)}: ${reason}. ${wayOut}`],
};

/** Adds the rule to a server that executes jobs in a way that is for one pod. */
export function addJobRule(server: Construct, pods: Omit<JobServer, 'constructs'>): void {
  addRule(server, JOBS_ON_ONE_POD, { ...pods, constructs: [server] });
}
