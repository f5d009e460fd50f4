import { Size } from 'cdk8s';
import type * as kplus from 'cdk8s-plus-28';

/**
 * Disk of the node for temporary files and logs. Kubernetes evicts a pod that exceeds the limit, before the disk is full for others.
 *
 * It also holds uploads through a server, and data without persistence. cdk8s-plus-28 accepts whole GiB only.
 */
export const SCRATCH_SPACE: kplus.EphemeralStorageResources = {
  request: Size.gibibytes(1),
  limit: Size.gibibytes(20),
};

/** The same for containers that write little but logs. */
export const LITTLE_SCRATCH_SPACE: kplus.EphemeralStorageResources = {
  request: Size.gibibytes(1),
  limit: Size.gibibytes(1),
};
