import { ApiObject, type Duration } from 'cdk8s';
import type { Construct } from 'constructs';

import { checkSeconds } from '../validation/checks';
import { withTemplates } from '../kube/values/templates';
import type { Problems } from '../validation/problems';

/** How urgent an alert is: the label `severity`, by which Alertmanager routes. */
export enum AlertSeverity {
  /** Needs action at once. */
  CRITICAL = 'critical',
  /** Needs action in working hours. */
  WARNING = 'warning',
  /** Needs no action. */
  INFO = 'info',
}

/** An alerting rule of Prometheus. */
export interface AlertRule {
  /** Name of the alert, unique in the deployment. */
  readonly name: string;

  /** PromQL that returns series while the condition holds. */
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

  /** What is wrong, in one sentence. Prometheus fills in `{{ $value }}` and `{{ $labels.… }}`, in a Helm chart, too. */
  readonly summary: string;

  /**
   * How to find the cause and what to do.
   * @default - none
   */
  readonly runbook?: string;
}

/** Validates your own rules. `taken` are the names of the library's. */
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
        'Exclude the other with `excludeAlerts`, or rename this one.',
      );
    }
    names.push(rule.name);
    checkSeconds(problems, `${at}.duration`, rule.duration, 'Leave it out for an alert that fires at once.');
  });
}

/**
 * The PrometheusRule with these alerts, each labelled with the namespace and the Service of the server.
 * @see https://prometheus-operator.dev/docs/api-reference/api/#monitoring.coreos.com/v1.PrometheusRule
 */
export function prometheusRule(
  scope: Construct,
  rules: AlertRule[],
  options: { readonly labels: Record<string, string>; readonly namespace: string; readonly service: string },
): ApiObject {
  const { labels, namespace, service } = options;
  return new ApiObject(scope, 'rule', {
    apiVersion: 'monitoring.coreos.com/v1',
    kind: 'PrometheusRule',
    metadata: { name: scope.node.id, labels },
    spec: {
      groups: [
        {
          name: `${namespace}/${service}`,
          rules: rules.map(({ name, expression, duration, severity = AlertSeverity.WARNING, summary, runbook }) => ({
            alert: name,
            expr: expression,
            for: duration && `${String(duration.toSeconds())}s`,
            labels: { severity, namespace, service },
            annotations: {
              summary: withTemplates(scope, summary),
              description: runbook && withTemplates(scope, runbook),
            },
          })),
        },
      ],
    },
  });
}
