import type * as kplus from 'cdk8s-plus-28';

import { checkObjectName } from '../../validation/checks';
import { checkImage } from '../../validation/image';
import type { Problems } from '../../validation/problems';

import { checkResources } from './resources';

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

/** References to pull secrets. One is rendered once: a server-side apply refuses a name that stands twice. */
export function pullSecretsOf(names: readonly string[] | undefined): { readonly name: string }[] | undefined {
  return names && [...new Set(names)].map((name) => ({ name }));
}

/** Validates the image and the resources of a container. */
export function checkContainer(
  problems: Problems,
  { image, resources }: Pick<kplus.ContainerProps, 'resources'> & { readonly image?: string },
): void {
  checkImage(problems, 'image', image);
  checkResources(problems, 'resources', resources);
}

/** Validates the options of a pod, and those of its container. */
export function checkPodOptions(problems: Problems, options: PodOptions & Parameters<typeof checkContainer>[1]): void {
  const { imagePullSecrets = [], priorityClassName } = options;
  checkContainer(problems, options);
  if (priorityClassName !== undefined) {
    checkObjectName(problems, 'priorityClassName', priorityClassName);
  }
  imagePullSecrets.forEach((name) => {
    checkObjectName(problems, 'imagePullSecrets', name);
  });
}
