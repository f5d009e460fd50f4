import type * as kplus from 'cdk8s-plus-28';
import type { Construct } from 'constructs';

import type { PodPart } from '../../kube/pod/pod-part';
import { mountSharedFiles } from '../../kube/pod/shared-files';
import { text, texts } from '../../kube/values/env-values';
import { FileSource } from '../../kube/values/file-source';

import { serviceFile } from './connection-options';
import { failureCausesOf } from './connection-sidecar';
import { addressFor, letIn } from './other-namespace';
import type { PostgresConnection } from './postgres-connection';
import type { PostgresCredentials } from './postgres-credentials';
import { schemaOptions } from './schema';
import { type SystemCaImage, systemCaPart } from './system-ca';

const PASSWORD_FOLDER = '/etc/postgres-password';

/** Section of the service file. */
const SERVICE = 'mlflow';

/**
 * The part of each pod that connects: libpq's environment variables, the files that they name, and what the pod itself needs.
 *
 * libpq takes everything from its environment, so no password is ever part of a URI. `name` tells the files of two connections
 * in one pod apart. `systemCa` writes the CAs of the system into a file; programs in Go need none.
 * @see https://www.postgresql.org/docs/current/libpq-envars.html
 */
export function connectionPart(
  scope: Construct,
  connection: PostgresConnection,
  systemCa?: SystemCaImage,
  name = 'postgres',
): PodPart {
  const { credentials, tls, sidecar, schema } = connection;
  const { ca, clientCertificate } = tls;
  const tlsFolder = `/etc/${name}-tls`;
  const passwordFile = sidecar?.passwordFile;
  const passwordFolder = `/run/${name}-password`;
  const { host, route } = addressFor(scope, connection);
  letIn(scope, connection);
  const system = tls._usesSystemCa && systemCa ? systemCaPart(scope, name, systemCa) : undefined;
  return {
    of: 'backend',
    envVariables: {
      PGHOST: host,
      PGPORT: connection.port,
      PGDATABASE: connection.database,
      PGUSER: credentials.username,
      ...(credentials.password && { PGPASSWORD: credentials.password }),
      ...system?.envVariables,
      ...texts({
        PGSSLMODE: tls.mode,
        ...(ca && { PGSSLROOTCERT: `${tlsFolder}/ca/ca.crt` }),
        ...(clientCertificate && {
          PGSSLCERT: `${tlsFolder}/certificate/tls.crt`,
          PGSSLKEY: `${tlsFolder}/key/tls.key`,
        }),
        // For each host of a list: two lost packets. Without it, libpq waits for the kernel's timeout of two minutes.
        PGCONNECT_TIMEOUT: 5,
        ...(connection.readWriteOnly && { PGTARGETSESSIONATTRS: 'read-write' }),
        ...(passwordFile && { PGPASSFILE: `${passwordFolder}/${passwordFile.name}` }),
        // A pooler refuses or ignores PGOPTIONS: it sets the schema itself.
        ...(schema !== undefined && connection.bypass === undefined && { PGOPTIONS: schemaOptions(schema) }),
        // Not libpq's: the schema that our scripts expect.
        ...(schema !== undefined && { DATABASE_SCHEMA: schema }),
        // Not libpq's: the advice of our scripts for failures that the sidecar causes.
        ...(sidecar && { DATABASE_FAILURE_CAUSES: JSON.stringify(failureCausesOf(sidecar)) }),
      }),
    },
    volumeMounts: [
      ...(ca ? [ca._mount(scope, `${name}-tls-ca`, `${tlsFolder}/ca`, 'ca.crt')] : []),
      ...(system?.volumeMounts ?? []),
      ...(clientCertificate?._mounts(scope, `${name}-tls`, tlsFolder) ?? []),
      ...(passwordFile ? [{ path: passwordFolder, volume: passwordFile.volume, readOnly: true }] : []),
    ],
    initContainers: system?.initContainers,
    sidecars: sidecar && [sidecar.container],
    podLabels: connection.clientLabels,
    podAnnotations: credentialsRevision(credentials),
    serviceAccountAnnotations: sidecar?.serviceAccountAnnotations,
    routes: sidecar?.routes ?? [route],
  };
}

/**
 * The part of containers that connect by libpq: the connection, and a service file with the parameters that have no environment
 * variable. Other drivers, such as Go's lib/pq, refuse its variables.
 * @see https://www.postgresql.org/docs/current/libpq-pgservice.html
 */
export function libpqPart(
  scope: Construct,
  connection: PostgresConnection,
  systemCa: SystemCaImage,
  name = 'postgres',
): PodPart {
  const part = connectionPart(scope, connection, systemCa, name);
  const path = `/etc/${name}-service`;
  const file = mountSharedFiles(scope, {
    app: 'mlflow',
    name: 'postgres-service',
    volumeName: `${name}-service`,
    path,
    files: { 'pg_service.conf': serviceFile(SERVICE, connection) },
  });
  return {
    ...part,
    envVariables: { ...part.envVariables, ...texts({ PGSERVICE: SERVICE, PGSERVICEFILE: `${path}/pg_service.conf` }) },
    volumeMounts: [...(part.volumeMounts ?? []), file],
  };
}

/**
 * The part of a server, whose new connections follow a Secret that changes. Operations end before that matters.
 *
 * A variable keeps what it was when the container started.
 */
export function passwordPart(scope: Construct, { credentials }: PostgresConnection): PodPart | undefined {
  const { secretKeyRef } = (credentials.password?.valueFrom ?? {}) as Partial<kplus.k8s.EnvVarSource>;
  if (secretKeyRef?.name === undefined) {
    return undefined;
  }
  const file = FileSource.fromSecret(secretKeyRef.name, secretKeyRef.key);
  return {
    of: 'backend',
    envVariables: texts({ DATABASE_PASSWORD_FILE: `${PASSWORD_FOLDER}/password` }),
    volumeMounts: [file._mount(scope, 'postgres-password', PASSWORD_FOLDER, 'password')],
  };
}

/** The part of a server that reads from the replicas. Port, database and login come from libpq's variables. */
export function replicaPart(scope: Construct, connection: PostgresConnection): PodPart {
  const { readHost, readRoute } = addressFor(scope, connection);
  return {
    of: 'readFromReplica',
    envVariables: readHost && {
      READ_REPLICA_HOST: readHost,
      // A replica accepts no writes, so PGTARGETSESSIONATTRS=read-write must not apply to it.
      MLFLOW_READ_REPLICA_BACKEND_STORE_URI: text(
        'postgresql+psycopg2:///?host=$(READ_REPLICA_HOST)&target_session_attrs=any',
      ),
    },
    routes: readRoute && [readRoute],
  };
}

/** The annotation that replaces pods when a password changes that is known at synthesis. */
export function credentialsRevision({ revision }: PostgresCredentials): Record<string, string> | undefined {
  return revision === undefined ? undefined : { 'cdk8s-mlflow/credentials-revision': revision };
}
