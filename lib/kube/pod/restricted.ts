import * as kplus from 'cdk8s-plus-28';

/** User and group of every container, and of its volumes. */
export const POD_USER = 1001;

/** Security context of a pod under the "restricted" Pod Security Standard. */
export const RESTRICTED_POD: kplus.PodSecurityContextProps = {
  ensureNonRoot: true,
  user: POD_USER,
  group: POD_USER,
  fsGroup: POD_USER,
  // Kubernetes changes the owner of all files once, not at every start.
  fsGroupChangePolicy: kplus.FsGroupChangePolicy.ON_ROOT_MISMATCH,
};

/** Security context of a container under the "restricted" Pod Security Standard, with a read-only root. */
export const RESTRICTED_CONTAINER: kplus.ContainerSecurityContextProps = {
  ensureNonRoot: true,
  user: POD_USER,
  group: POD_USER,
  privileged: false,
  allowPrivilegeEscalation: false,
  readOnlyRootFilesystem: true,
  capabilities: { drop: [kplus.Capability.ALL] },
  seccompProfile: { type: kplus.SeccompProfileType.RUNTIME_DEFAULT },
};
