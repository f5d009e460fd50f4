import type * as kplus from 'cdk8s-plus-28';

import { checkObjectName } from '../../validation/checks';
import type { Problems } from '../../validation/problems';

/** Options of every pod. */
export interface PodOptions {
  /**
   * Pull policy of the images.
   * @default ImagePullPolicy.IF_NOT_PRESENT
   */
  readonly imagePullPolicy?: kplus.ImagePullPolicy;

  /**
   * Names of the Secrets with logins to image registries.
   * @default - none
   */
  readonly imagePullSecrets?: string[];

  /**
   * Name of the PriorityClass of the pods.
   * @default - the default class of the cluster
   */
  readonly priorityClassName?: string;
}

/** Validates the options of a pod. */
export function checkPodOptions(problems: Problems, { imagePullSecrets = [] }: PodOptions): void {
  imagePullSecrets.forEach((name) => {
    checkObjectName(problems, 'imagePullSecrets', name);
  });
}
