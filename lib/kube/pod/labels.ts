/** Labels of an object. `selector` never changes during its life; `all` are all that it has. */
export interface ObjectLabels {
  readonly selector: Record<string, string>;
  readonly all: Record<string, string>;
}

/** Kubernetes' recommended labels, without a version: selectors are immutable, so a version would prevent upgrades. */
export function labelsOf(name: string, instance: string, component: string): ObjectLabels {
  const selector = {
    'app.kubernetes.io/name': name,
    'app.kubernetes.io/instance': instance,
    'app.kubernetes.io/component': component,
  };
  return { selector, all: { ...selector, 'app.kubernetes.io/managed-by': 'cdk8s' } };
}
