import { Duration, Size } from 'cdk8s';
import * as kplus from 'cdk8s-plus-28';
import type { Construct } from 'constructs';

import type { GoogleIdentity } from '../../identity/google-identity';
import { IMAGES } from '../../images';
import { routeAt } from '../../kube/network/network-route';
import { RESTRICTED_CONTAINER } from '../../kube/pod/restricted';
import { LITTLE_SCRATCH_SPACE } from '../../kube/pod/scratch-space';
import { text } from '../../kube/values/env-values';
import type { Problems } from '../../validation/problems';
import { ConnectionFailure, type ConnectionSidecar, proxyFailureCauses } from '../connection/connection-sidecar';

import { CloudSqlIpType, type CloudSqlPostgresProps } from './cloud-sql-postgres-props';

const NAME = 'cloud-sql-proxy';

/** Port of the proxy, on the loopback address of each pod. */
export const PROXY_PORT = 5432;

// For the probes of the kubelet, on the address of the pod.
const HEALTH_PORT = 9801;

// Port of the instance for proxies.
const INSTANCE_PORT = 3307;
const HTTPS = 443;

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

// Arguments that the library sets, with the prop for each; and those that would reveal a secret to readers of the pod.
const RESERVED_ARGUMENTS: Record<string, string> = {
  '--auto-iam-authn': 'login',
  '-i': 'login',
  '--login-token': 'login',
  '--private-ip': 'ipType',
  '--psc': 'ipType',
  '--auto-ip': 'ipType',
  '--credentials-file': 'identity',
  '-c': 'identity',
  '--json-credentials': 'identity',
  '-j': 'identity',
  '--token': 'identity',
  '-t': 'identity',
  '--gcloud-auth': 'identity',
  '-g': 'identity',
  '--address': '',
  '-a': '',
  '--port': '',
  '-p': '',
  '--unix-socket': '',
  '-u': '',
  '--health-check': '',
  '--http-address': '',
  '--http-port': '',
};

/** The native sidecar with the Cloud SQL Auth Proxy. */
export function cloudSqlSidecar(
  scope: Construct,
  props: CloudSqlPostgresProps,
  googleIdentity: GoogleIdentity,
): ConnectionSidecar {
  const identity = googleIdentity._part(scope, 'cloud-sql');
  return {
    container: {
      name: NAME,
      image: props.image ?? IMAGES.cloudSqlProxy,
      imagePullPolicy: kplus.ImagePullPolicy.IF_NOT_PRESENT,
      restartPolicy: kplus.ContainerRestartPolicy.ALWAYS,
      securityContext: RESTRICTED_CONTAINER,
      args: argumentsOf(props),
      envVariables: {
        ...identity.envVariables,
        // Not as a flag, with which versions before 2.27 do not start. The export of metrics would need a further role.
        CSQL_PROXY_ENABLE_BUILTIN_METRICS: text(false),
      },
      volumeMounts: identity.volumeMounts,
      resources: props.resources ?? DEFAULT_RESOURCES,
      startup: probe('/startup', 1, 60),
      liveness: probe('/liveness', 10, 6),
    },
    routes: [routeAt(INSTANCE_PORT, props.route), routeAt(HTTPS), ...(identity.routes ?? [])],
    serviceAccountAnnotations: identity.serviceAccountAnnotations,
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

/** Validates further arguments of the proxy. */
export function checkExtraArgs(problems: Problems, extraArgs: string[] = []): void {
  for (const arg of extraArgs) {
    const [name = ''] = arg.split('=');
    const owner = RESERVED_ARGUMENTS[name];
    if (!name.startsWith('-')) {
      problems.add(
        'extraArgs',
        'must be flags, each with its value (--name=value)',
        arg,
        'A proxy serves one instance.',
      );
    } else if (owner !== undefined) {
      problems.reserved(`extraArgs ${name}`, owner);
    }
  }
}

/**
 * Arguments of the proxy, none of which is a secret.
 *
 * Not used: `--max-sigterm-delay`, since a sidecar ends after all containers that connect; `--quitquitquit`, which ended Jobs
 * before native sidecars existed; `--lazy-refresh`, for platforms that throttle the CPU between requests; and
 * `--run-connection-test`, which would end the proxy while the database is down, although MLflow can wait for it.
 * @see https://github.com/GoogleCloudPlatform/cloud-sql-proxy/blob/main/docs/cmd/cloud-sql-proxy.md
 */
function argumentsOf(props: CloudSqlPostgresProps): string[] {
  return [
    props.instanceConnectionName,
    '--address=127.0.0.1',
    `--port=${String(PROXY_PORT)}`,
    ...(props.login._iamUser === undefined ? [] : ['--auto-iam-authn']),
    ...IP_ARGUMENTS[props.ipType ?? CloudSqlIpType.PUBLIC],
    '--health-check',
    // Without a host, Go listens on IPv4 and IPv6, whichever the pod has.
    '--http-address=',
    `--http-port=${String(HEALTH_PORT)}`,
    '--exit-zero-on-sigterm',
    '--structured-logs',
    // Without it, the proxy logs two lines for each connection.
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
