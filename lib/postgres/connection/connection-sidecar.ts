import type * as kplus from 'cdk8s-plus-28';

import type { NetworkRoute } from '../../kube/network/network-route';

/**
 * Native sidecar of every pod that connects: a proxy to the database, which listens on the loopback address, or a container that
 * writes a password that expires into a file. Needs Kubernetes 1.29 or later.
 */
export interface ConnectionSidecar {
  /**
   * Container of the sidecar. It needs the restart policy ALWAYS, so that it starts before all other containers and stops after
   * them, and a startup probe, which the others wait for.
   */
  readonly container: kplus.ContainerProps;

  /** Network routes of the pod for the connection, instead of the connection's `route`. */
  readonly routes: NetworkRoute[];

  /**
   * Annotations of the pods' ServiceAccount, such as a workload identity needs.
   * @default - none
   */
  readonly serviceAccountAnnotations?: Record<string, string>;

  /**
   * File with the current password, which libpq reads at each connection.
   * @default - none: the sidecar is a proxy, or the password does not expire
   */
  readonly passwordFile?: PasswordFile;

  /**
   * Causes of connection failures at this sidecar, with advice. Pods and the runbook give it instead of the general advice.
   * @default - advice to read the sidecar's log: of a proxy after a refused or dropped connection, with `passwordFile` after a wrong password
   */
  readonly failureCauses?: ConnectionFailureCause[];
}

/** Cause of connection failures at a {@link ConnectionSidecar}, with advice. The first that matches an error applies. */
export interface ConnectionFailureCause {
  /** General failure that this cause replaces. Pods wait for this cause if they wait for that failure. */
  readonly replaces: ConnectionFailure;

  /**
   * Name of the cause in logs, such as `expired-lease`.
   * @default - the name of the general failure
   */
  readonly name?: string;

  /**
   * Text that the message of the error contains, in upper or lower case.
   * @default - any text
   */
  readonly messageContains?: string;

  /** Advice, one sentence without a full stop. */
  readonly advice: string;
}

/** Connection failures, by their names in the log of `wait-for-database`. */
export enum ConnectionFailure {
  /** The server rejects the password. */
  WRONG_PASSWORD = 'wrong-password',
  /** The role does not exist, or may not log in. */
  NO_LOGIN = 'no-login',
  /** `pg_hba.conf` rejects this user from this address. */
  PG_HBA = 'pg-hba',
  /** The server rejects the client certificate. */
  CLIENT_CERTIFICATE = 'client-certificate',
  /** The connection is refused: nothing listens on the port. */
  REFUSED = 'refused',
  /** The other side closed the connection. */
  DROPPED = 'dropped',
  /** No answer. */
  TIMEOUT = 'timeout',
  /** Any other error. */
  UNKNOWN = 'unknown',
}

/**
 * File with a password that expires, in the format of libpq's password file. A sidecar renews it in time.
 * @see https://www.postgresql.org/docs/current/libpq-pgpass.html
 */
export interface PasswordFile {
  /** Volume of the file. The sidecar writes to it; containers that connect read it. */
  readonly volume: kplus.Volume;

  /** Name of the file in the volume. libpq requires the mode 0600, with the pod's user as owner. */
  readonly name: string;
}

/** The failure causes of a proxy, which connects for the other containers, so its log has the cause. */
export function proxyFailureCauses(container: string): ConnectionFailureCause[] {
  const advice = `The container ${container} connects for this one: the cause is in its log`;
  return [ConnectionFailure.REFUSED, ConnectionFailure.DROPPED].map((replaces) => ({ replaces, advice }));
}

/** The failure causes of a sidecar, each with its name. */
export function failureCausesOf(sidecar: ConnectionSidecar): (ConnectionFailureCause & { readonly name: string })[] {
  const { container, passwordFile } = sidecar;
  const { name = 'main' } = container;
  const keeper: ConnectionFailureCause = {
    replaces: ConnectionFailure.WRONG_PASSWORD,
    advice: `The container ${name} keeps the password for this one: look at its log, and at what PGUSER may do`,
  };
  const byDefault = passwordFile === undefined ? proxyFailureCauses(name) : [keeper];
  return (sidecar.failureCauses ?? byDefault).map((cause) => ({ ...cause, name: cause.name ?? cause.replaces }));
}
