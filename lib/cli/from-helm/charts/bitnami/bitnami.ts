import { fullName, shortened, type Chart } from '../../chart';

import { ACCESS_RULES } from './access-rules';
import { POD_RULES } from './pod-rules';
import { STORE_RULES } from './store-rules';

/** The chart `bitnami/mlflow`. */
export const BITNAMI: Chart = {
  title: 'bitnami/mlflow',
  rules: [...POD_RULES, ...STORE_RULES, ...ACCESS_RULES],
  namesOf: (values, release, namespace) => ({
    release,
    namespace: values.name('namespaceOverride') ?? namespace,
    server: shortened(`${fullName(values, release, { full: 'fullnameOverride', name: 'nameOverride' })}-tracking`),
  }),
};
