import type { IConstruct } from 'constructs';

/** Constructs that a rule compares, with what they share, such as a database that all of them connect to. */
export interface RuleSubject {
  /** The constructs. The error names the last one. It is enough if one of them acknowledges the rule. */
  readonly constructs: readonly IConstruct[];
}

/**
 * A requirement on several constructs. The synthesis validates it, when all of them exist, and fails if it is violated.
 *
 * The props of one construct need no rule: its constructor validates them with {@link Problems}. To write a rule:
 *
 * 1. Describe the subject: one object for all constructs that the rule compares (`DatabaseDemand`: a database and its
 *    clients), in a `WeakMap` by what they have in common. So the subject gets one error, not one for each construct.
 * 2. Write the rule as a constant in a file of its own, beside its subject: `POOL_FITS_DATABASE` in
 *    `postgres/capacity/pool-fits-database.ts`. `validate` returns a text for each violation: what is, what is required, and
 *    what to change, with the names of the props and, where it can be computed, a value that fits. It changes nothing.
 * 3. Call {@link addRule} in the function that adds a construct to the subject, so that no construct can forget it:
 *    `addConnectionDemand` adds the rules on connections.
 * 4. Add it to `RULES` in `rules/rules.ts`, which lets users acknowledge it, and to the table in README.md. Test the whole
 *    text, what just fits, and that it can be acknowledged.
 */
export interface Rule<Subject extends RuleSubject> {
  /** Name in errors and acknowledgements: lower case with dashes. It never changes after its release. */
  readonly id: string;
  /** The requirement, as a sentence. */
  readonly description: string;
  validate(subject: Subject): string[];
}

const ACKNOWLEDGED = 'cdk8s-mlflow/acknowledged-rule';

/** Adds a rule to a construct of the subject: the synthesis validates it. */
export function addRule<Subject extends RuleSubject>(
  construct: IConstruct,
  rule: Rule<Subject>,
  subject: Subject,
): void {
  construct.node.addValidation({
    validate: () => {
      const violations = rule.validate(subject);
      const constructs = violations.length === 0 ? [] : subject.constructs;
      return constructs.at(-1) !== construct || constructs.some((each) => isAcknowledged(each, rule.id))
        ? []
        : violations.map((text) => `${rule.id}: ${text}`);
    },
  });
}

/** Accepts violations of the rule by the construct and its children. The metadata of its node keeps the reason. */
export function acknowledgeRule(construct: IConstruct, id: string, reason: string): void {
  construct.node.addMetadata(ACKNOWLEDGED, { id, reason });
}

function isAcknowledged(construct: IConstruct, id: string): boolean {
  return construct.node.scopes.some(({ node }) =>
    node.metadata.some(({ type, data }) => type === ACKNOWLEDGED && (data as { id: string }).id === id),
  );
}
