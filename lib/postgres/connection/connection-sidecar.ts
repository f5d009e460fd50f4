import type * as kplus from 'cdk8s-plus-28';

import type { NetworkRoute } from '../../kube/network/network-route';

/**
 * What runs in each pod that connects: a proxy to the database, which listens on the loopback address, or who keeps the
 * password in a file where it expires. Kubernetes 1.29 or later.
 */
export interface ConnectionSidecar {
  /**
   * Its container, complete. It needs the restart policy ALWAYS, which makes it start before all others and stop after them,
   * and a startup probe, which the others wait for.
   */
  readonly container: kplus.ContainerProps;

  /** All ways that the connection takes through the network: those of a proxy, instead of that to the connection's host. */
  readonly routes: NetworkRoute[];

  /**
   * Annotations that the ServiceAccount of these pods needs for it, as workload identities do.
   * @default - none
   */
  readonly serviceAccountAnnotations?: Record<string, string>;

  /**
   * The password that it keeps, for those who read it at each connection.
   * @default - none: it is a proxy, or the password lasts
   */
  readonly passwordFile?: PasswordFile;

  /**
   * Why connections fail at this sidecar, and what to do about it. Pods and the runbook say so in place of the general advice.
   * @default - its log is named: for what is refused or dropped where it is a proxy, for a wrong password where it keeps that
   */
  readonly failureCauses?: ConnectionFailureCause[];
}

/** Why a connection fails at a {@link ConnectionSidecar}, and what to do about it. The first that fits an error counts. */
export interface ConnectionFailureCause {
  /** The general failure that this cause is given in place of. Whether to wait for it is decided as for that one. */
  readonly replaces: ConnectionFailure;

  /**
   * Its name in logs, such as `expired-lease`.
   * @default - that of the general failure
   */
  readonly name?: string;

  /**
   * Text that the error has, in capitals or not.
   * @default - any
   */
  readonly messageContains?: string;

  /** What to do about it, in one sentence without a full stop. */
  readonly advice: string;
}

/** What keeps a connection from being made, as `wait-for-database` names it. */
export enum ConnectionFailure {
  /** The server does not take the password. */
  WRONG_PASSWORD = 'wrong-password',
  /** The role does not exist, or may not log in. */
  NO_LOGIN = 'no-login',
  /** `pg_hba.conf` does not let this user in from this address. */
  PG_HBA = 'pg-hba',
  /** The server does not take the client certificate. */
  CLIENT_CERTIFICATE = 'client-certificate',
  /** Nothing listens at the port. */
  REFUSED = 'refused',
  /** The other side closed the connection. */
  DROPPED = 'dropped',
  /** No answer. */
  TIMEOUT = 'timeout',
  /** An error that has no other name. */
  UNKNOWN = 'unknown',
}

/**
 * A file with a password that expires, which a sidecar replaces before it does.
 * @see https://www.postgresql.org/docs/current/libpq-pgpass.html
 */
export interface PasswordFile {
  /** The volume that it is in, which the sidecar writes to, and who connects can read. */
  readonly volume: kplus.Volume;

  /** Its name there. Its mode must be 0600, and its owner the user of the pod: libpq does not read it otherwise. */
  readonly name: string;
}

/** The failure causes of a proxy: where it connects for the others, it knows why that fails. */
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
