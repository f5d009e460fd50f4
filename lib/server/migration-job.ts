import * as kplus from 'cdk8s-plus-28';
import type { Construct } from 'constructs';

import { contentDigest } from '../kube/digest';
import { labelsOf } from '../kube/labels';
import { completePodSpec } from '../kube/pod-spec';
import type { DatabaseMigration } from '../startup/database-migration';

import type { MlflowServerProps } from './mlflow-server-props';
import type { PodRecipe } from './pod-recipe';

/** The Job that migrates the schema. Its template cannot be changed, so its name follows from what it runs. */
export function migrationJob(
  scope: Construct,
  migration: DatabaseMigration,
  props: MlflowServerProps,
  recipe: PodRecipe,
  serviceAccount: kplus.IServiceAccount,
): kplus.Job {
  const container = migration._jobContainer(recipe.migrationBase);
  const { volumeMounts, ...content } = container;
  const mounted = (volumeMounts ?? []).map(({ path, volume }) => [path, volume.name]);
  const digest = contentDigest([
    content,
    mounted,
    props.backend.connection.direct?.tls ?? props.backend.connection.tls,
    props.imagePullSecrets,
    serviceAccount.name,
  ]);
  const labels = labelsOf('mlflow', scope.node.id, 'migration').all;
  const job = new kplus.Job(scope, 'migration', {
    ...recipe.pod,
    podMetadata: { ...recipe.pod.podMetadata, labels: { ...recipe.pod.podMetadata?.labels, ...labels } },
    metadata: { name: `${scope.node.id}-migration-${digest}`, labels },
    serviceAccount,
    backoffLimit: 3,
    containers: [container],
  });
  completePodSpec(job, { imagePullSecrets: props.imagePullSecrets, priorityClassName: props.priorityClassName });
  return job;
}
