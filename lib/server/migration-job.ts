import type * as kplus from 'cdk8s-plus-28';
import type { Construct } from 'constructs';

import { labelsOf } from '../kube/pod/labels';
import { oneShotJob } from '../kube/pod/one-shot-job';
import { DatabaseConnectionCheck } from '../startup/database-connection-check';
import type { DatabaseMigration } from '../startup/database-migration';

import type { MlflowServerProps } from './mlflow-server-props';
import type { PodRecipe } from './pod-recipe';

/** The Job that migrates the schema: a new image or another setting makes another Job. */
export function migrationJob(
  scope: Construct,
  migration: DatabaseMigration,
  props: MlflowServerProps,
  recipe: PodRecipe,
  serviceAccount: kplus.IServiceAccount,
): kplus.Job {
  const { imagePullSecrets, priorityClassName } = props;
  const { databaseConnectionCheck: check = DatabaseConnectionCheck.initContainer() } = props;
  return oneShotJob(
    scope,
    'migration',
    labelsOf('mlflow', scope.node.id, 'migration'),
    {
      ...recipe.pod,
      name: `${scope.node.id}-migration`,
      serviceAccount,
      backoffLimit: 3,
      // A database that is made with it takes longer to start than all tries together.
      initContainers: [...recipe.sidecars, ...check._initContainers(recipe.migrationBase)],
      containers: [migration._jobContainer(recipe.migrationBase)],
    },
    { imagePullSecrets, priorityClassName },
  );
}
