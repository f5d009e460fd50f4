import { fullName, type Chart } from '../../chart';

import { ACCESS_RULES } from './access-rules';
import { ARTIFACT_RULES } from './artifact-rules';
import { DATABASE_RULES } from './database-rules';
import { LOGIN_RULES } from './login-rules';
import { POD_RULES } from './pod-rules';

/** The chart `community-charts/mlflow`. */
export const COMMUNITY: Chart = {
  title: 'community-charts/mlflow',
  // Variables and the ServiceAccount come first: databases and stores take what they need of them.
  rules: [...POD_RULES, ...DATABASE_RULES, ...ARTIFACT_RULES, ...LOGIN_RULES, ...ACCESS_RULES],
  namesOf: (values, release, namespace) => ({
    release,
    namespace,
    server: fullName(values, release, { full: 'fullnameOverride', name: 'nameOverride' }),
  }),
};
