import type * as kplus from 'cdk8s-plus-28';

import type { PodOptions } from '../../kube/pod/pod-options';
import type { FileSource } from '../../kube/values/file-source';
import type { IsolationOptions } from '../../kube/network/isolation';
import type { NetworkPeer } from '../../kube/network/network-peer';
import type { SecretKey } from '../../kube/values/secret-key';
import type { PoolerOptions } from '../capacity/pooler-options';
import type { IPostgresBackend } from '../connection/postgres-backend';

/** The certificate that PgBouncer shows to its clients. */
export interface PgBouncerTlsOptions {
  /** The certificate, PEM. */
  readonly certificate: FileSource;

  /** Its key, PEM without a passphrase. */
  readonly privateKey: FileSource;

  /**
   * The certificate of the CA that signed it. With it, MLflow accepts only a certificate for the name of the Service.
   * @default - MLflow encrypts, and trusts any certificate
   */
  readonly ca?: FileSource;
}

/** The exporter of PgBouncer's own statistics, a container beside it. */
export interface PgBouncerMetricsOptions {
  /**
   * An image of pgbouncer_exporter, by tag or digest.
   * @default 'docker.io/prometheuscommunity/pgbouncer-exporter:v0.11.0'
   */
  readonly image?: string;

  /**
   * Clients that may read the metrics.
   * @default [NetworkPeer.PROMETHEUS]
   */
  readonly scrapers?: NetworkPeer[];

  /**
   * CPU and memory of the exporter.
   * @default - requests 10 millicores and 32 MiB, limits 200 millicores and 64 MiB
   */
  readonly resources?: kplus.ContainerResources;
}

/** Props of {@link PgBouncer}. */
export interface PgBouncerProps extends PoolerOptions, PodOptions {
  /** The database behind it. Schema migrations bypass PgBouncer. */
  readonly backend: IPostgresBackend;

  /**
   * Number of pods. They are spread over nodes and zones, and a drained node takes one of them away at a time.
   * @default 2
   */
  readonly replicas?: number;

  /**
   * Connections to the database that each pod opens at most, whatever the pools are.
   * @default - not limited beyond the pool
   */
  readonly maxDatabaseConnections?: number;

  /**
   * Query for further users, besides the backend's own: it returns name and password hash of the user `$1`. The backend's user runs
   * it, so it has to call a function that may read hashes (README.md has one). Each further user gets a pool of its own, so
   * `maxDatabaseConnections` has to be given; their pods need the labels `connection.clientLabels`.
   * @default - no further users
   * @see https://www.pgbouncer.org/config.html#auth_query
   */
  readonly authQuery?: string;

  /**
   * Further settings of `pgbouncer.ini`, by name.
   * @default - PgBouncer's own, but for query_wait_timeout (30 s), server_login_retry (0.5 s), server_connect_timeout (5 s) and the log of connections (off)
   * @see https://www.pgbouncer.org/config.html
   */
  readonly settings?: Record<string, string>;

  /**
   * The password that MLflow logs in to PgBouncer with, where the backend logs in without one. At most 1024 bytes.
   * @default - that of the backend
   */
  readonly clientPassword?: SecretKey;

  /**
   * Encrypt the connections from MLflow to PgBouncer. Those to the database are encrypted as the backend says.
   * @default - not encrypted
   */
  readonly clientTls?: PgBouncerTlsOptions;

  /**
   * Metrics for Prometheus, on the port `metrics` (9127) of the Service. The exporter logs in with a password of its own, which
   * each pod makes up when it starts.
   * @default - none
   */
  readonly metrics?: PgBouncerMetricsOptions;

  /**
   * Port of the Service.
   * @default 6432
   */
  readonly servicePort?: number;

  /**
   * An image with PgBouncer 1.23 or later, by tag or digest: one that has `pgbouncer` on its path, and a shell.
   *
   * Earlier versions stop worse: they let a call that needs a second connection hang until the pod is killed.
   * @default 'docker.io/edoburu/pgbouncer:v1.25.2-p0'
   */
  readonly image?: string;

  /**
   * An image with Python 3.9 or later, which writes the login into a file that only PgBouncer can read.
   * @default 'ghcr.io/mlflow/mlflow:v3.17.2-full' - MLflow's own, which the nodes have anyway
   */
  readonly initImage?: string;

  /**
   * CPU, memory and logs of each pod. PgBouncer uses one CPU at the most.
   * @default - requests 100 millicores, 64 MiB and 1 GiB of disk, limits 1 CPU, 256 MiB and 1 GiB of disk
   */
  readonly resources?: kplus.ContainerResources;

  /**
   * Let the pods reach nothing but DNS and the database. A policy restricts their clients in any case.
   * @default - the pods may reach everything
   */
  readonly isolation?: IsolationOptions;
}
