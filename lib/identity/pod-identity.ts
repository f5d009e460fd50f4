import type { Problems } from '../validation/problems';

/** What a prop makes of the pods' ServiceAccount, by annotations. */
export interface PodIdentity {
  readonly prop: string;
  readonly annotations: Record<string, string> | undefined;
}

/** The annotations of a ServiceAccount that several props need. A pod has one, so that they must agree. */
export function annotationsOf(...identities: PodIdentity[]): Record<string, string> | undefined {
  const all = identities.flatMap(({ annotations = {} }) => Object.entries(annotations));
  return all.length === 0 ? undefined : Object.fromEntries(all);
}

/** What these props must look like together, and beside a ServiceAccount of the caller's own. */
export function checkIdentities(
  problems: Problems,
  serviceAccount: object | undefined,
  first: PodIdentity,
  ...others: PodIdentity[]
): void {
  for (const { prop, annotations } of serviceAccount === undefined ? [] : [first, ...others]) {
    if (annotations !== undefined) {
      problems.say(
        `\`serviceAccount\` must be left out where \`${prop}\` has an identity for the ServiceAccount.`,
        `Leave it out, or annotate your own ServiceAccount and give \`${prop}\` ambient credentials.`,
      );
    }
  }
  for (const { prop, annotations = {} } of others) {
    for (const [name, value] of Object.entries(annotations)) {
      const wanted = first.annotations?.[name];
      if (wanted !== undefined && wanted !== value) {
        problems.add(
          prop,
          `must have the identity of \`${first.prop}\`, ${wanted} (${name})`,
          value,
          'A pod has one ServiceAccount: give one account the rights of both.',
        );
      }
    }
  }
}
