import { Duration, Size } from 'cdk8s';
import * as kplus from 'cdk8s-plus-28';

import { IMAGES } from '../../images';
import { texts } from '../../kube/values/env-values';
import { container, type PodContainer } from '../../kube/pod/pod';
import type { PodPart } from '../../kube/pod/pod-part';
import { SCRATCH_SPACE } from '../../kube/pod/scratch-space';

import { DEFAULT_MAX_CONNECTIONS, POSTGRES_PORT } from '../connection/postgres-settings';

import type { BitnamiPostgresProps } from './bitnami-postgres-props';

/** Folder of the data. */
export const DATA_FOLDER = '/bitnami/postgresql';

/** Folder of the password files. */
export const PASSWORD_FOLDER = '/opt/bitnami/postgresql/secrets';

const DEFAULT_RESOURCES: kplus.ContainerResources = {
  cpu: { request: kplus.Cpu.millis(250), limit: kplus.Cpu.units(2) },
  memory: { request: Size.mebibytes(256), limit: Size.gibibytes(1) },
  ephemeralStorage: SCRATCH_SPACE,
};

// SIGINT disconnects the clients and stops; the SIGTERM that follows would wait until they disconnect.
const FAST_SHUTDOWN = 'kill -INT 1 && while kill -0 1; do sleep 0.2; done';

/** The container of a PostgreSQL server, with the variables and folders of Bitnami's image. */
export function databaseContainer(
  backend: BitnamiPostgresProps,
  env: Record<string, string>,
  passwordVariables: string[],
  volumeMounts: kplus.VolumeMount[],
): PodContainer {
  const settings = { max_connections: String(backend.maxConnections ?? DEFAULT_MAX_CONNECTIONS), ...backend.settings };
  const part: PodPart = {
    envVariables: {
      POD_IP: kplus.EnvValue.fromFieldRef(kplus.EnvFieldPaths.POD_IP),
      ...texts({
        POSTGRESQL_PORT_NUMBER: POSTGRES_PORT,
        POSTGRESQL_VOLUME_DIR: DATA_FOLDER,
        PGDATA: `${DATA_FOLDER}/data`,
        POSTGRESQL_CLIENT_MIN_MESSAGES: 'error',
        ...env,
      }),
      ...texts(Object.fromEntries(passwordVariables.map((name) => [`${name}_FILE`, `${PASSWORD_FOLDER}/${name}`]))),
    },
    volumeMounts,
  };
  return container('postgresql', [part], {
    image: backend.image ?? IMAGES.bitnamiPostgres,
    imagePullPolicy: backend.imagePullPolicy,
    // The run script passes its arguments to postgres unchanged, without a shell that could split them.
    args: [
      '/opt/bitnami/scripts/postgresql/run.sh',
      ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
    ],
    ports: [{ name: 'tcp-postgresql', number: POSTGRES_PORT }],
    resources: backend.resources ?? DEFAULT_RESOURCES,
    // During its first initialisation, the server listens only on the loopback address; after it, on the pod's own, too.
    readiness: answersAt('"$POD_IP"', 5, 3),
    liveness: answersAt('127.0.0.1', 10, 6),
    // Ten minutes for the first initialisation, or for the recovery after a crash.
    startup: answersAt('127.0.0.1', 2, 300),
    lifecycle: { preStop: kplus.Handler.fromCommand(['/bin/sh', '-c', FAST_SHUTDOWN]) },
  });
}

function answersAt(host: string, everySeconds: number, failureThreshold: number): kplus.Probe {
  const command = `exec pg_isready -q -h ${host} -p ${String(POSTGRES_PORT)} -U postgres`;
  return kplus.Probe.fromCommand(['/bin/sh', '-c', command], {
    periodSeconds: Duration.seconds(everySeconds),
    timeoutSeconds: Duration.seconds(5),
    failureThreshold,
  });
}
