import { Duration, Size } from 'cdk8s';
import * as kplus from 'cdk8s-plus-28';
import type { Construct } from 'constructs';

import { IMAGES } from '../../images';
import { text } from '../../kube/values/env-values';
import { GOOGLE_METADATA, googleAccountAnnotations } from '../../identity/google-identity';
import { RESTRICTED_CONTAINER } from '../../kube/pod/restricted';
import { LITTLE_SCRATCH_SPACE } from '../../kube/pod/scratch-space';
import { ConnectionFailure, type ConnectionSidecar, proxyFailureCauses } from '../connection/connection-sidecar';

import type { CloudSqlIdentity } from './cloud-sql-identity';
import { CloudSqlIpType, type CloudSqlPostgresProps } from './cloud-sql-postgres-props';

const NAME = 'cloud-sql-proxy';

/** The port that the proxy listens on, at the loopback address of each pod. */
export const PROXY_PORT = 5432;

/** The port of its health checks, which the kubelet asks at the address of the pod. */
const HEALTH_PORT = 9801;

/** The port that an instance listens on for proxies. */
const INSTANCE_PORT = 3307;
const HTTPS = 443;
const KEY_FOLDER = '/etc/cloud-sql-key';

const DEFAULT_RESOURCES: kplus.ContainerResources = {
  cpu: { request: kplus.Cpu.millis(50), limit: kplus.Cpu.units(1) },
  memory: { request: Size.mebibytes(64), limit: Size.mebibytes(256) },
  ephemeralStorage: LITTLE_SCRATCH_SPACE,
};

const IP_ARGUMENTS: Record<CloudSqlIpType, string[]> = {
  [CloudSqlIpType.PUBLIC]: [],
  [CloudSqlIpType.PRIVATE]: ['--private-ip'],
  [CloudSqlIpType.PSC]: ['--psc'],
};

/** The Cloud SQL Auth Proxy as a sidecar in Kubernetes' own sense. */
export function cloudSqlProxy(
  scope: Construct,
  props: CloudSqlPostgresProps,
  identity: CloudSqlIdentity,
): ConnectionSidecar {
  const keyFile = identity._keyFile?._volume(scope, 'cloud-sql-key', 'key.json');
  return {
    container: {
      name: NAME,
      image: props.image ?? IMAGES.cloudSqlProxy,
      imagePullPolicy: kplus.ImagePullPolicy.IF_NOT_PRESENT,
      restartPolicy: kplus.ContainerRestartPolicy.ALWAYS,
      securityContext: RESTRICTED_CONTAINER,
      args: argumentsOf(props, keyFile !== undefined),
      // A flag would stop versions before 2.27, which do not know it. The export needs a further role, and is no business of ours.
      envVariables: { CSQL_PROXY_ENABLE_BUILTIN_METRICS: text(false) },
      volumeMounts: keyFile && [{ path: KEY_FOLDER, volume: keyFile, readOnly: true }],
      resources: props.resources ?? DEFAULT_RESOURCES,
      startup: probe('/startup', 1, 60),
      liveness: probe('/liveness', 10, 6),
    },
    routes: [
      { ports: [INSTANCE_PORT], ...props.route },
      { ports: [HTTPS] },
      ...(keyFile === undefined ? [GOOGLE_METADATA] : []),
    ],
    serviceAccountAnnotations: googleAccountAnnotations(identity._serviceAccount),
    failureCauses: [
      {
        replaces: ConnectionFailure.WRONG_PASSWORD,
        name: 'cloud-iam',
        messageContains: 'Cloud SQL IAM',
        advice:
          'Make PGUSER an IAM user of this Cloud SQL instance, and the account that the proxy is; give that account roles/cloudsql.instanceUser, and the instance the flag cloudsql.iam_authentication',
      },
      ...proxyFailureCauses(NAME),
    ],
  };
}

/**
 * The flags of the proxy: nothing in them is secret.
 *
 * Not among them: `--max-sigterm-delay`, since all who connect have ended when a sidecar is told to; `--quitquitquit`, which was
 * how Jobs ended before there were sidecars; `--lazy-refresh`, which is for where nothing runs between requests; and
 * `--run-connection-test`, which would end the proxy when the database is away, where MLflow only has to wait for it.
 * @see https://github.com/GoogleCloudPlatform/cloud-sql-proxy/blob/main/docs/cmd/cloud-sql-proxy.md
 */
function argumentsOf(props: CloudSqlPostgresProps, hasKeyFile: boolean): string[] {
  return [
    props.instanceConnectionName,
    '--address=127.0.0.1',
    `--port=${String(PROXY_PORT)}`,
    ...(props.login._iamUser === undefined ? [] : ['--auto-iam-authn']),
    ...IP_ARGUMENTS[props.ipType ?? CloudSqlIpType.PUBLIC],
    ...(hasKeyFile ? [`--credentials-file=${KEY_FOLDER}/key.json`] : []),
    '--health-check',
    '--http-address=0.0.0.0',
    `--http-port=${String(HEALTH_PORT)}`,
    '--exit-zero-on-sigterm',
    '--structured-logs',
    // Two lines for each connection say nothing.
    '--quiet',
    ...(props.extraArgs ?? []),
  ];
}

function probe(path: string, everySeconds: number, failureThreshold: number): kplus.Probe {
  return kplus.Probe.fromHttpGet(path, {
    port: HEALTH_PORT,
    periodSeconds: Duration.seconds(everySeconds),
    timeoutSeconds: Duration.seconds(5),
    failureThreshold,
  });
}
