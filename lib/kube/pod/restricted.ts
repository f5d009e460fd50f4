import * as kplus from 'cdk8s-plus-28';

/** The user and group that every container of the library runs as, and that owns its volumes. */
export const POD_USER = 1001;

/** What the "restricted" Pod Security Standard asks of a pod. */
export const RESTRICTED_POD: kplus.PodSecurityContextProps = {
  ensureNonRoot: true,
  user: POD_USER,
  group: POD_USER,
  fsGroup: POD_USER,
  // A large volume is walked once, not at every start.
  fsGroupChangePolicy: kplus.FsGroupChangePolicy.ON_ROOT_MISMATCH,
};

/** What the "restricted" Pod Security Standard asks of a container, and a read-only root besides. */
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
