import type * as kplus from 'cdk8s-plus-28';

import type { PodOptions } from '../kube/pod/pod-options';
import type { NetworkPeer } from '../kube/network/network-peer';
import type { IPostgresBackend } from '../postgres/connection/postgres-backend';
import type { PostgresCredentials } from '../postgres/connection/postgres-credentials';
import type { PostgresTls } from '../postgres/connection/postgres-tls';

/** Props of {@link PostgresExporter}. */
export interface PostgresExporterProps extends PodOptions {
  /** The database to monitor. The exporter bypasses a pooler. */
  readonly backend: IPostgresBackend;

  /**
   * Login of the exporter. A role with `GRANT pg_monitor` sees the activity of all roles, MLflow's role only its own.
   * @default - MLflow's login
   */
  readonly credentials?: PostgresCredentials;

  /**
   * TLS of the connection. The exporter's driver does not support PostgresTls.PREFER.
   * @default - the backend's; PostgresTls.DISABLE for PostgresTls.PREFER
   */
  readonly tls?: PostgresTls;

  /**
   * Clients that may scrape the exporter.
   * @default [NetworkPeer.PROMETHEUS]
   */
  readonly scrapers?: NetworkPeer[];

  /**
   * The image of postgres_exporter, by tag or digest.
   * @default 'quay.io/prometheuscommunity/postgres-exporter:v0.18.1'
   */
  readonly image?: string;

  /**
   * CPU and memory of the pod.
   * @default - requests 20 millicores and 32 MiB, limits 200 millicores and 128 MiB
   */
  readonly resources?: kplus.ContainerResources;
}
