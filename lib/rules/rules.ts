import type { IConstruct } from 'constructs';

import { SAME_NAMESPACE } from '../kube/same-namespace';
import { UNIQUE_NAME } from '../kube/unique-name';
import { POOL_FITS_DATABASE } from '../postgres/capacity/pool-fits-database';
import { REQUESTS_FIT_POOLER } from '../postgres/capacity/requests-fit-pooler';
import { Problems } from '../validation/problems';
import { acknowledgeRule, type Rule } from '../validation/rule';

import { AUTOSCALER_NEEDS_REQUESTS } from './autoscaler-needs-requests';
import { JOBS_ON_ONE_POD } from './jobs-on-one-pod';
import { MEMORY_FITS_PROCESSES } from './memory-fits-processes';
import {
  NO_SERVER_WHILE_IMPORTING,
  NO_SERVER_WHILE_MOVING,
  NO_SERVER_WHILE_RELOCATING,
  NO_SERVER_WHILE_RESTORING,
} from './no-running-server';
import { ONE_FILLING_JOB } from './one-filling-job';
import { UNIQUE_ROUTE } from './unique-route';

/** All rules that users can acknowledge. */
export const RULES: readonly Pick<Rule<never>, 'id' | 'description'>[] = [
  POOL_FITS_DATABASE,
  REQUESTS_FIT_POOLER,
  NO_SERVER_WHILE_IMPORTING,
  NO_SERVER_WHILE_RESTORING,
  NO_SERVER_WHILE_MOVING,
  NO_SERVER_WHILE_RELOCATING,
  ONE_FILLING_JOB,
  MEMORY_FITS_PROCESSES,
  JOBS_ON_ONE_POD,
  UNIQUE_NAME,
  SAME_NAMESPACE,
  UNIQUE_ROUTE,
  AUTOSCALER_NEEDS_REQUESTS,
];

/**
 * The rules on what has to fit together, such as servers that share a database. They fail the synthesis, with an error that
 * starts with the id of the rule: `pool-fits-database`, `requests-fit-pooler`, `no-server-while-importing`,
 * `no-server-while-restoring`, `no-server-while-moving`, `no-server-while-relocating`, `one-filling-job`,
 * `memory-fits-processes`, `jobs-on-one-pod`, `unique-name`, `same-namespace`, `unique-route` or `autoscaler-needs-requests`.
 *
 * @example
 * Rules.of(server).acknowledge('pool-fits-database', 'The other server is scaled to zero at night.');
 */
export class Rules {
  /** The rules for a construct and everything below it: a server, a backend, or a whole chart. */
  public static of(scope: IConstruct): Rules {
    return new Rules(scope);
  }

  private constructor(private readonly scope: IConstruct) {}

  /**
   * Accepts violations of a rule. One of the constructs that the rule compares is enough.
   *
   * @param rule the id of the rule
   * @param reason why the rule may be violated here, for readers of the app
   */
  public acknowledge(rule: string, reason: string): void {
    const problems = new Problems(this.scope);
    const ids = RULES.map(({ id }) => id);
    if (!ids.includes(rule)) {
      problems.add('rule', `must be one of ${ids.join(', ')}`, rule);
    }
    problems.throwIfAny();
    acknowledgeRule(this.scope, rule, reason);
  }
}
