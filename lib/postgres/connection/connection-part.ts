import type * as kplus from 'cdk8s-plus-28';
import type { Construct } from 'constructs';

import type { PodPart } from '../../kube/pod/pod-part';
import { text, texts } from '../../kube/values/env-values';
import type { FileSource } from '../../kube/values/file-source';

import { failureCausesOf, routesTo } from './connection-sidecar';
import type { PostgresConnection } from './postgres-connection';
import type { PostgresCredentials } from './postgres-credentials';
import type { PostgresTls } from './postgres-tls';

/** What a container needs in order to connect. */
export interface ConnectionRendering {
  /** The environment variables of libpq. */
  readonly env: Record<string, kplus.EnvValue>;
  /** The files that they name. */
  readonly mounts: kplus.VolumeMount[];
}

/**
 * The one way from a connection to a container: every container that connects gets what this returns.
 *
 * `name` tells the files of two connections in one pod apart.
 *
 * libpq takes everything from its environment, so that no password is ever part of a URI.
 * @see https://www.postgresql.org/docs/current/libpq-envars.html
 */
export function renderConnection(
  scope: Construct,
  connection: PostgresConnection,
  name = 'postgres',
): ConnectionRendering {
  const folder = `/etc/${name}-tls`;
  const files = tlsFiles(connection.tls);
  const { sidecar } = connection;
  const passwordFolder = `/run/${name}-password`;
  return {
    env: {
      PGHOST: connection.host,
      PGPORT: connection.port,
      PGDATABASE: connection.database,
      PGUSER: connection.credentials.username,
      ...(connection.credentials.password && { PGPASSWORD: connection.credentials.password }),
      PGSSLMODE: text(connection.tls.mode),
      ...texts(Object.fromEntries(files.map((file) => [file.variable, `${folder}/${file.folder}/${file.name}`]))),
      // Counts for each host of a list; libpq would wait for the kernel's two minutes.
      PGCONNECT_TIMEOUT: text(10),
      ...(connection.readWriteOnly && { PGTARGETSESSIONATTRS: text('read-write') }),
      ...(sidecar?.passwordFile && { PGPASSFILE: text(`${passwordFolder}/${sidecar.passwordFile.name}`) }),
      // Not libpq's: what our scripts say where the sidecar is the cause.
      ...(sidecar && { DATABASE_FAILURE_CAUSES: text(JSON.stringify(failureCausesOf(sidecar))) }),
    },
    mounts: [
      ...files.map((file) => ({
        path: `${folder}/${file.folder}`,
        volume: file.source._volume(scope, `${name}-tls-${file.folder}`, file.name),
        readOnly: true,
      })),
      ...(sidecar?.passwordFile === undefined
        ? []
        : [{ path: passwordFolder, volume: sidecar.passwordFile.volume, readOnly: true }]),
    ],
  };
}

/** Everything that a pod needs for a connection, as a part of the pod. `name` tells the files of two connections in one pod apart. */
export function connectionPart(scope: Construct, connection: PostgresConnection, name?: string): PodPart {
  const { env, mounts } = renderConnection(scope, connection, name);
  const { sidecar, credentials } = connection;
  return {
    of: 'backend',
    envVariables: env,
    volumeMounts: mounts,
    sidecars: sidecar && [sidecar.container],
    podLabels: connection.clientLabels,
    podAnnotations: credentialsRevision(credentials),
    serviceAccountAnnotations: sidecar?.serviceAccountAnnotations,
    routes: routesTo(connection),
  };
}

/** What a server needs that reads from the replicas. Port, database and login come from libpq's variables. */
export function replicaPart({ readHost, readRoute }: PostgresConnection): PodPart {
  return {
    of: 'readFromReplica',
    envVariables: readHost && {
      READ_REPLICA_HOST: readHost,
      // A replica takes no writes, so that this must not be asked of it.
      MLFLOW_READ_REPLICA_BACKEND_STORE_URI: text(
        'postgresql+psycopg2:///?host=$(READ_REPLICA_HOST)&target_session_attrs=any',
      ),
    },
    routes: readRoute && [readRoute],
  };
}

/** The annotation that replaces pods when a login changes that is known at synth. */
export function credentialsRevision({ revision }: PostgresCredentials): Record<string, string> | undefined {
  return revision === undefined ? undefined : { 'cdk8s-mlflow/credentials-revision': revision };
}

interface TlsFile {
  readonly variable: string;
  readonly folder: string;
  readonly name: string;
  readonly source: FileSource;
}

function tlsFiles(tls: PostgresTls): TlsFile[] {
  const certificate = tls.clientCertificate;
  const files = [
    { variable: 'PGSSLROOTCERT', folder: 'ca', name: 'ca.crt', source: tls.ca },
    { variable: 'PGSSLCERT', folder: 'certificate', name: 'tls.crt', source: certificate?.certificate },
    { variable: 'PGSSLKEY', folder: 'key', name: 'tls.key', source: certificate?.privateKey },
  ];
  return files.filter((file): file is TlsFile => file.source !== undefined);
}
