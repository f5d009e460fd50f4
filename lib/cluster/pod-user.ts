import { POD_USER } from '../kube/pod/restricted';
import { checkWhole } from '../validation/checks';
import type { Problems } from '../validation/problems';

import { containersOf, type ManifestPod } from './manifest';

const HIGHEST_ID = 2 ** 31 - 1;

/** User and group of all processes of a pod. */
export class PodUser {
  /**
   * The cluster assigns a user to each namespace, and refuses others. Choose it on OpenShift, whose security context constraint
   * `restricted-v2` does so. No pod has runAsUser, runAsGroup or fsGroup.
   */
  public static assignedByCluster(): PodUser {
    return new PodUser();
  }

  /**
   * A user of this id, instead of the library's default, 1001. Pods that have a user of their own keep it.
   *
   * @param user id of the user, from 1
   * @param group id of the group of its processes and volumes; by default that of the user
   */
  public static fromId(user: number, group: number = user): PodUser {
    return new PodUser(user, group);
  }

  private constructor(
    private readonly user?: number,
    private readonly group?: number,
  ) {}

  /** @internal */
  public _check(problems: Problems, prop: string): void {
    checkWhole(problems, `${prop}.user`, this.user, { least: 1, most: HIGHEST_ID });
    checkWhole(problems, `${prop}.group`, this.group, { least: 0, most: HIGHEST_ID });
  }

  /** @internal */
  public _complete(pod: ManifestPod): void {
    const ids = { runAsUser: this.user, runAsGroup: this.group, fsGroup: this.group };
    const containers = containersOf(pod);
    // Without an image, an operator completes the pod: it knows which user its image needs.
    if (this.user !== undefined && containers.every(({ image }) => image !== undefined)) {
      pod.spec.securityContext = { ...ids, ...pod.spec.securityContext };
    }
    for (const each of [pod.spec, ...containers]) {
      each.securityContext &&= withIds(each.securityContext, ids);
    }
  }
}

/** The security context, with these ids instead of the library's own; without any where there are none. */
function withIds(context: Record<string, unknown>, ids: Record<string, number | undefined>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(context)
      .map(([field, value]): [string, unknown] => {
        const isReplaced = field in ids && (value === POD_USER || ids[field] === undefined);
        return [field, isReplaced ? ids[field] : value];
      })
      .filter(([, value]) => value !== undefined),
  );
}
