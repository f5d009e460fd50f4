import type { Construct } from 'constructs';

import { addRule, type Rule, type RuleSubject } from '../validation/rule';

/** A server that executes jobs. */
interface JobServer extends RuleSubject {
  /** The prop that sets the number of pods. */
  readonly prop: string;
  readonly pods: number;
}

export const JOBS_ON_ONE_POD: Rule<JobServer> = {
  id: 'jobs-on-one-pod',
  description: 'A server with `jobExecution` and without a shared queue has one pod.',
  validate: ({ prop, pods }) =>
    pods <= 1
      ? []
      : [
          [
            `\`${prop}\` must be at most 1 with \`jobExecution\`, got ${String(pods)}: each pod has a queue and a scheduler of its own.`,
            'Set MLFLOW_SERVER_JOB_HUEY_REDIS_URL in `extraEnvVars` for a shared queue, or execute the jobs in a second server of one pod.',
          ].join(' '),
        ],
};

/** Adds the rule to a server that executes jobs on a queue of its own. */
export function addJobRule(server: Construct, pods: Omit<JobServer, 'constructs'>): void {
  addRule(server, JOBS_ON_ONE_POD, { ...pods, constructs: [server] });
}
