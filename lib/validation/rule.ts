import type { IConstruct } from 'constructs';

import { inAppLanguage } from './app-language';

/** Constructs that a rule compares, with what they share, such as a server that all of them connect to. */
export interface RuleSubject {
  /** The constructs. It is enough if one of them acknowledges the rule. */
  readonly constructs: readonly IConstruct[];
  /** The construct that the error names: the last one, where this is not given. */
  readonly named?: IConstruct;
}

/**
 * A requirement on several constructs. The synthesis validates it, when all of them exist, and fails if it is violated.
 *
 * The props of one construct need no rule: its constructor validates them with {@link Problems}. To write a rule:
 *
 * 1. Describe the subject: one object for all constructs that the rule compares (`DatabaseDemand`: a PostgreSQL server and
 *    its clients), in a `WeakMap` by what they have in common. So the subject gets one error, not one for each construct.
 * 2. Write the rule as a constant in a file of its own, beside its subject: `POOL_FITS_DATABASE` in
 *    `postgres/capacity/pool-fits-database.ts`. `validate` returns a text for each violation: what is, what is required, and
 *    what to change, with the names of the props and, where it can be computed, a value that fits. It changes nothing.
 * 3. Call {@link addRule} or {@link addRuleOnApp} in the function that adds a construct to the subject, so that no construct
 *    can forget it: `addConnectionDemand` adds the rules on connections.
 * 4. Add it to `RULES` in `rules/rules.ts`, which lets users acknowledge it, and write it into docs/errors.md by
 *    `UPDATE_GOLDEN=1 npx jest test/errors`. Test the whole text, what just fits, and that it can be acknowledged.
 */
export interface Rule<Subject extends RuleSubject> {
  /** Name in errors and acknowledgements: lower case with dashes. It never changes after its release. */
  readonly id: string;
  /** The requirement, as a sentence. */
  readonly description: string;
  validate(subject: Subject): string[];
}

const ACKNOWLEDGED = 'cdk8s-mlflow/acknowledged-rule';
/** What validates the rules on each app, by their names. */
const RULES_ON_APP = new WeakMap<IConstruct, Map<string, (all: readonly IConstruct[]) => void>>();

/** Adds a rule to a construct of the subject, which may be looked up at the synthesis: the synthesis validates it. */
export function addRule<Subject extends RuleSubject>(
  construct: IConstruct,
  rule: Rule<Subject>,
  subject: Subject | (() => Subject),
): void {
  construct.node.addValidation({
    validate: () => {
      const found = typeof subject === 'function' ? subject() : subject;
      // The others of a subject cost nothing.
      return construct === (found.named ?? found.constructs.at(-1)) ? unacknowledged(rule, found) : [];
    },
  });
}

/**
 * Validates the rule at the synthesis on subjects that are looked up then, among all constructs of the app of a construct.
 *
 * An app is validated before all that is in it: it looks for the subjects, and the last construct of each says what is wrong.
 */
export function addRuleOnApp<Subject extends RuleSubject>(
  construct: IConstruct,
  rule: Rule<Subject>,
  subjectsIn: (all: readonly IConstruct[]) => readonly Subject[],
): void {
  const { root } = construct.node;
  const rules = RULES_ON_APP.get(root) ?? addRulesOn(root);
  if (rules.has(rule.id)) {
    return;
  }
  const texts = new Map<IConstruct, string[]>();
  rules.set(rule.id, (all) => {
    [...texts.keys()].forEach((each) => texts.set(each, []));
    for (const subject of subjectsIn(all)) {
      const last = subject.constructs.at(-1) ?? root;
      if (!texts.has(last)) {
        last.node.addValidation({ validate: () => texts.get(last) ?? [] });
      }
      texts.set(last, [...(texts.get(last) ?? []), ...unacknowledged(rule, subject)]);
    }
  });
}

/** All rules on an app share one walk of its tree: cdk8s validates the whole app once for each chart. */
function addRulesOn(root: IConstruct): Map<string, (all: readonly IConstruct[]) => void> {
  const rules = new Map<string, (all: readonly IConstruct[]) => void>();
  RULES_ON_APP.set(root, rules);
  root.node.addValidation({
    validate: () => {
      const all = root.node.findAll();
      rules.forEach((validate) => {
        validate(all);
      });
      return [];
    },
  });
  return rules;
}

/** Accepts violations of the rule by the construct and its children. The metadata of its node keeps the reason. */
export function acknowledgeRule(construct: IConstruct, id: string, reason: string): void {
  construct.node.addMetadata(ACKNOWLEDGED, { id, reason });
}

function unacknowledged<Subject extends RuleSubject>(rule: Rule<Subject>, subject: Subject): string[] {
  const violations = rule.validate(subject);
  return violations.length === 0 || subject.constructs.some((each) => isAcknowledged(each, rule.id))
    ? []
    : violations.map((text) => inAppLanguage(`${rule.id}: ${text}`));
}

function isAcknowledged(construct: IConstruct, id: string): boolean {
  return construct.node.scopes.some(({ node }) =>
    node.metadata.some(({ type, data }) => type === ACKNOWLEDGED && (data as { id: string }).id === id),
  );
}
