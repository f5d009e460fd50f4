import type * as kplus from 'cdk8s-plus-28';

import type { PodOptions } from '../kube/pod/pod-options';
import type { NetworkPeer } from '../kube/network/network-peer';
import type { IPostgresBackend } from '../postgres/connection/postgres-backend';
import type { PostgresCredentials } from '../postgres/connection/postgres-credentials';
import type { PostgresTls } from '../postgres/connection/postgres-tls';

/** Props of {@link PostgresExporter}. */
export interface PostgresExporterProps extends PodOptions {
  /** The database to watch. Where there is a pooler, the exporter goes past it. */
  readonly backend: IPostgresBackend;

  /**
   * Who logs in. A role with `GRANT pg_monitor` sees what all other roles do; MLflow's own sees what MLflow does.
   * @default - as MLflow does
   */
  readonly credentials?: PostgresCredentials;

  /**
   * How the connection is encrypted. The exporter's driver knows no PostgresTls.PREFER.
   * @default - as that of the backend; PostgresTls.DISABLE for a backend that prefers
   */
  readonly tls?: PostgresTls;

  /**
   * Who may ask the exporter.
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
