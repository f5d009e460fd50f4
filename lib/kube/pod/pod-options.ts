import type * as kplus from 'cdk8s-plus-28';

import { checkObjectName } from '../../validation/checks';
import type { Problems } from '../../validation/problems';

/** Options of every pod. */
export interface PodOptions {
  /**
   * When images are pulled.
   * @default ImagePullPolicy.IF_NOT_PRESENT
   */
  readonly imagePullPolicy?: kplus.ImagePullPolicy;

  /**
   * Names of the Secrets with logins to the registry.
   * @default - none
   */
  readonly imagePullSecrets?: string[];

  /**
   * Name of the priority class.
   * @default - the default class of the cluster
   */
  readonly priorityClassName?: string;
}

/** Validates the options. */
export function checkPodOptions(problems: Problems, { imagePullSecrets = [] }: PodOptions): void {
  imagePullSecrets.forEach((name) => {
    checkObjectName(problems, 'imagePullSecrets', name);
  });
}
