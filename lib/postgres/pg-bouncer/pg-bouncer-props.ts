import type * as kplus from 'cdk8s-plus-28';

import type { PodOptions } from '../../kube/pod/pod-options';
import type { FileSource } from '../../kube/values/file-source';
import type { IsolationOptions } from '../../kube/network/isolation';
import type { NetworkPeer } from '../../kube/network/network-peer';
import type { SecretKey } from '../../kube/values/secret-key';
import type { PoolerOptions } from '../capacity/pooler-options';
import type { IPostgresBackend } from '../connection/postgres-backend';

/** Certificate of PgBouncer for its clients. */
export interface PgBouncerTlsOptions {
  /** Certificate, PEM. */
  readonly certificate: FileSource;

  /** Private key, PEM without a passphrase. */
  readonly privateKey: FileSource;

  /**
   * Certificate of the CA that signed `certificate`. With it, MLflow accepts only a certificate for the name of the Service.
   * @default - MLflow accepts any certificate
   */
  readonly ca?: FileSource;
}

/** Metrics exporter of PgBouncer's statistics, a container of the same pod. */
export interface PgBouncerMetricsOptions {
  /**
   * Image of pgbouncer_exporter, by tag or digest.
   * @default 'docker.io/prometheuscommunity/pgbouncer-exporter:v0.11.0'
   */
  readonly image?: string;

  /**
   * Peers that may read the metrics.
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
  /** Database that PgBouncer connects to. Schema migrations bypass PgBouncer. */
  readonly backend: IPostgresBackend;

  /**
   * Number of pods. They are spread over nodes and zones, and a drained node evicts one of them at a time.
   * @default 2
   */
  readonly replicas?: number;

  /**
   * The most connections to the database that each pod opens, over all pools.
   * @default - the size of the pool
   */
  readonly maxDatabaseConnections?: number;

  /**
   * Query for users besides that of the backend: it returns name and password hash of the user `$1`. The backend's user runs it, so
   * it must call a function that may read hashes (docs/connections.md has one). Each user has a pool of its own, so
   * `maxDatabaseConnections` is required. Pods of these users need the labels `connection.clientLabels`.
   * @default - only the user of the backend
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
   * Password of MLflow at PgBouncer, if the backend logs in without one. At most 1024 bytes.
   * @default - the password of the backend
   */
  readonly clientPassword?: SecretKey;

  /**
   * Encryption of the connections from MLflow to PgBouncer. For those to the database, `tls` of the backend applies.
   * @default - not encrypted
   */
  readonly clientTls?: PgBouncerTlsOptions;

  /**
   * Metrics for Prometheus, on the port `metrics` (9127) of the Service. The exporter logs in with a password of its own, which
   * each pod generates when it starts.
   * @default - none
   */
  readonly metrics?: PgBouncerMetricsOptions;

  /**
   * Port of the Service.
   * @default 6432
   */
  readonly servicePort?: number;

  /**
   * Image with PgBouncer 1.23 or later, by tag or digest, with `pgbouncer` on its path and a shell.
   *
   * When earlier versions stop, a request that needs a second connection hangs until the pod is killed.
   * @default 'docker.io/edoburu/pgbouncer:v1.25.2-p0'
   */
  readonly image?: string;

  /**
   * Image with Python 3.9 or later, which writes the login into a file that only PgBouncer can read.
   * @default 'ghcr.io/mlflow/mlflow:v3.18.0-full' - that of MLflow, which the nodes already have
   */
  readonly initImage?: string;

  /**
   * CPU, memory and disk for the logs of each pod. PgBouncer uses at most one CPU.
   * @default - requests 100 millicores, 64 MiB and 1 GiB of disk, limits 1 CPU, 256 MiB and 1 GiB of disk
   */
  readonly resources?: kplus.ContainerResources;

  /**
   * CPU, memory and disk for the logs of the container that writes the login.
   * @default - requests 50 millicores, 64 MiB and 1 GiB of disk, limits 1 CPU, 256 MiB and 1 GiB of disk
   */
  readonly initResources?: kplus.ContainerResources;

  /**
   * Isolate the pods: they connect only to DNS and the database. A NetworkPolicy restricts their clients in any case.
   * @default - the pods may connect to every address
   */
  readonly isolation?: IsolationOptions;
}
