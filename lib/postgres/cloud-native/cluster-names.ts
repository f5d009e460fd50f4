/** The names that the operator gives to what it makes of a cluster, and that we give to its pooler. */
export interface ClusterNames {
  readonly cluster: string;
  /** The Service of the primary. */
  readonly primary: string;
  /** The Service of the standbys. */
  readonly standbys: string;
  /** The pooler in front of the primary, which its Service is named by. */
  readonly pooler: string;
  /** The Secret with the login of the owner. */
  readonly login: string;
  /** The Secret with the CA, under `ca.crt`. */
  readonly ca: string;
}

/** @see https://cloudnative-pg.io/docs/1.30/applications */
export function namesOf(cluster: string): ClusterNames {
  return {
    cluster,
    primary: `${cluster}-rw`,
    standbys: `${cluster}-ro`,
    pooler: `${cluster}-pooler-rw`,
    login: `${cluster}-app`,
    ca: `${cluster}-ca`,
  };
}
