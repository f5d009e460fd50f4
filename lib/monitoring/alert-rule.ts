import { type Duration } from 'cdk8s';

import { checkSeconds } from '../validation/checks';
import type { Problems } from '../validation/problems';

/** How urgent an alert is: the label `severity`, by which Alertmanager routes. */
export enum AlertSeverity {
  /** Somebody has to act now. */
  CRITICAL = 'critical',
  /** Somebody has to act, in working hours. */
  WARNING = 'warning',
  /** Nobody has to act. */
  INFO = 'info',
}

/** A condition that Prometheus watches. */
export interface AlertRule {
  /** Name of the alert, unique in the deployment. */
  readonly name: string;

  /** PromQL that returns something while the alert is on. */
  readonly expression: string;

  /**
   * How long the expression has to hold before the alert fires.
   * @default - it fires at once
   */
  readonly duration?: Duration;

  /**
   * How urgent it is.
   * @default AlertSeverity.WARNING
   */
  readonly severity?: AlertSeverity;

  /** One sentence that says what is wrong. Prometheus fills in `{{ $value }}` and `{{ $labels.… }}`. */
  readonly summary: string;

  /**
   * What to look at and what to do.
   * @default - none
   */
  readonly runbook?: string;
}

/** What rules of one's own must look like. `taken` are the names of those that are there already. */
export function checkRules(problems: Problems, rules: AlertRule[], taken: string[]): void {
  const names = [...taken];
  rules.forEach((rule, i) => {
    const at = `extraRules[${String(i)}]`;
    if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(rule.name)) {
      problems.add(`${at}.name`, 'must be letters, digits and underscores', rule.name);
    } else if (names.includes(rule.name)) {
      problems.add(
        `${at}.name`,
        'must be unique',
        rule.name,
        'Leave the other out by `excludeAlerts`, or call this one otherwise.',
      );
    }
    names.push(rule.name);
    checkSeconds(problems, `${at}.duration`, rule.duration, 'Leave it out for an alert that fires at once.');
  });
}

/** The rule as the Prometheus operator takes it, labelled with whose it is. */
export function renderRule(rule: AlertRule, labels: Record<string, string>): Record<string, unknown> {
  const { name, expression, duration, severity = AlertSeverity.WARNING, summary, runbook } = rule;
  return {
    alert: name,
    expr: expression,
    for: duration && `${String(duration.toSeconds())}s`,
    labels: { severity, ...labels },
    annotations: { summary, description: runbook },
  };
}
