import { fullName, type Chart } from '../../chart';

import { POD_RULES } from './pod-rules';
import { SERVER_RULES } from './server-rules';

/** The chart of the MLflow project, `charts/` of mlflow/mlflow. */
export const OFFICIAL: Chart = {
  title: 'mlflow of the MLflow project',
  rules: [...POD_RULES, ...SERVER_RULES],
  namesOf: (values, release, namespace) => ({
    release,
    namespace,
    server: fullName(values, release, { full: 'fullnameOverride', name: 'nameOverride' }),
  }),
};
