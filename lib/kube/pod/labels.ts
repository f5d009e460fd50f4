/** Labels of an object: `selector` never changes over its life, `all` is what it carries. */
export interface ObjectLabels {
  readonly selector: Record<string, string>;
  readonly all: Record<string, string>;
}

/** The recommended labels, without a version: a version in a selector would forbid upgrades. */
export function labelsOf(name: string, instance: string, component: string): ObjectLabels {
  const selector = {
    'app.kubernetes.io/name': name,
    'app.kubernetes.io/instance': instance,
    'app.kubernetes.io/component': component,
  };
  return { selector, all: { ...selector, 'app.kubernetes.io/managed-by': 'cdk8s' } };
}
