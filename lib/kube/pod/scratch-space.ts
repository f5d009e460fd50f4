import { Size } from 'cdk8s';
import type * as kplus from 'cdk8s-plus-28';

/**
 * Disk of the node for temporary files and logs. Whoever takes more is evicted, before others suffer from a full disk.
 *
 * Uploads through a server wait there, and so does data that is not to be kept. cdk8s-plus-28 takes whole GiB only.
 */
export const SCRATCH_SPACE: kplus.EphemeralStorageResources = {
  request: Size.gibibytes(1),
  limit: Size.gibibytes(20),
};

/** The same, for what writes little but logs. */
export const LITTLE_SCRATCH_SPACE: kplus.EphemeralStorageResources = {
  request: Size.gibibytes(1),
  limit: Size.gibibytes(1),
};
