import type * as kplus from 'cdk8s-plus-28';

import { ARTIFACTS_CLAIM } from '../artifacts/volume-artifacts';
import type { ObjectLabels } from '../kube/pod/labels';

import type { MlflowServer } from '../server/mlflow-server';
import { DEFAULT_WORKERS, threadsOf } from '../server/server-container';

/** What its monitoring has to know of a server. */
export interface MonitoredServer {
  readonly labels: ObjectLabels;
  readonly hasMetrics: boolean;
  /** Whether the server speaks HTTPS itself. */
  readonly isHttps: boolean;
  /** Whether it asks Prometheus for a login. */
  readonly asksForLogin: boolean;
  /** Whether it lets nobody in who is not named. */
  readonly isIsolated: boolean;
  /** Requests that a pod serves at once. */
  readonly requestsOfPod: number;
  /** The database, where its name is plain text and not in a Secret. */
  readonly database?: string;
  /** The claim of its artifacts, where they are on one. */
  readonly claim?: string;
  /** Whether a pooler is between the server and its database. */
  readonly isPooled: boolean;
}

/** The part of a server that its monitoring has to know. */
export function monitoredServer(server: MlflowServer): MonitoredServer {
  const { props, labels, auth } = server._view;
  const { connection } = props.backend;
  return {
    labels,
    hasMetrics: props.metrics === true,
    isHttps: props.certificate !== undefined,
    asksForLogin: auth.guardsMetrics,
    isIsolated: props.isolation !== undefined,
    requestsOfPod: (props.workers ?? DEFAULT_WORKERS) * threadsOf(props),
    database: connection.database.value as string | undefined,
    claim: (server.node.tryFindChild(ARTIFACTS_CLAIM) as kplus.IPersistentVolumeClaim | undefined)?.name,
    isPooled: connection.bypass !== undefined,
  };
}
