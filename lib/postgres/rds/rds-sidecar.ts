import { Duration, Size } from 'cdk8s';
import * as kplus from 'cdk8s-plus-28';
import type { Construct } from 'constructs';

import { AwsIdentity } from '../../identity/aws-identity';
import { IMAGES } from '../../images';
import { routeAt } from '../../kube/network/network-route';
import { RESTRICTED_CONTAINER } from '../../kube/pod/restricted';
import { LITTLE_SCRATCH_SPACE } from '../../kube/pod/scratch-space';
import { texts } from '../../kube/values/env-values';
import { scriptCommand, ScriptFiles } from '../../scripts/scripts';
import { ConnectionFailure, type ConnectionSidecar } from '../connection/connection-sidecar';
import { POSTGRES_PORT } from '../connection/postgres-settings';

import type { RdsPostgresProps } from './rds-postgres-props';

const SCRIPT = 'write_rds_token.py';
const TOKEN_FOLDER = '/run/rds-token';
const TOKEN_FILE = 'pgpass';

const DEFAULT_RESOURCES: kplus.ContainerResources = {
  cpu: { request: kplus.Cpu.millis(50), limit: kplus.Cpu.units(1) },
  memory: { request: Size.mebibytes(128), limit: Size.mebibytes(256) },
  ephemeralStorage: LITTLE_SCRATCH_SPACE,
};

/** Regular expression for the name of a region. */
export const REGION = '[a-z]{2,4}(?:-[a-z]+)+-\\d+';
// In China, the region comes after the service.
const REGION_OF_HOST = new RegExp(`\\.(${REGION})\\.rds\\.|\\.rds\\.(${REGION})\\.`);

/** The region that an endpoint's name contains. */
export function regionOf(host: string): string | undefined {
  const [, before, after] = REGION_OF_HOST.exec(host) ?? [];
  return before ?? after;
}

/** The native sidecar that keeps a valid token in a password file. */
export function rdsSidecar(scope: Construct, props: RdsPostgresProps): ConnectionSidecar {
  const identity = (props.identity ?? AwsIdentity.ambient())._part();
  const { tokenRenewal = Duration.minutes(10), port = POSTGRES_PORT } = props;
  const volume = kplus.Volume.fromEmptyDir(scope, 'rds-token', 'rds-token', {
    medium: kplus.EmptyDirMedium.MEMORY,
    sizeLimit: Size.mebibytes(1),
  });
  return {
    container: {
      name: 'rds-token',
      image: props.image ?? IMAGES.mlflow,
      imagePullPolicy: kplus.ImagePullPolicy.IF_NOT_PRESENT,
      restartPolicy: kplus.ContainerRestartPolicy.ALWAYS,
      securityContext: RESTRICTED_CONTAINER,
      command: scriptCommand(SCRIPT),
      envVariables: {
        ...identity.envVariables,
        ...texts({
          PGUSER: props.user,
          PGPASSFILE: `${TOKEN_FOLDER}/${TOKEN_FILE}`,
          RDS_HOSTS: hostsOf(props),
          RDS_RENEWAL_SECONDS: tokenRenewal.toSeconds(),
          // Older SDKs ask the global endpoint of STS, which the network policy may not allow.
          AWS_STS_REGIONAL_ENDPOINTS: 'regional',
          PGPORT: port,
        }),
      },
      volumeMounts: [{ path: TOKEN_FOLDER, volume }, ScriptFiles.named(SCRIPT).mount(scope, 'rds-scripts')],
      resources: props.resources ?? DEFAULT_RESOURCES,
      startup: probe(1, 60),
      liveness: probe(30, 2),
    },
    routes: [routeAt(port, props.route), ...(identity.routes ?? [])],
    serviceAccountAnnotations: identity.serviceAccountAnnotations,
    passwordFile: { volume, name: TOKEN_FILE },
    failureCauses: [
      {
        replaces: ConnectionFailure.WRONG_PASSWORD,
        name: 'rds-iam',
        advice:
          'GRANT rds_iam TO this user, allow the identity of the pod rds-db:connect as it at this instance, and look at the log of the container rds-token and at the clock of the node',
      },
    ],
  };
}

// Each host with its region, since replicas may be in other regions.
function hostsOf({ host, failoverHosts = [], readHost, region = '' }: RdsPostgresProps): string {
  const hosts = [host, ...failoverHosts, ...(readHost === undefined ? [] : [readHost])];
  return [...new Set(hosts)].map((each) => `${regionOf(each) ?? region}/${each}`).join(',');
}

// The other containers wait for the first token. Kubernetes restarts a sidecar that fails to renew its token, before that expires.
function probe(everySeconds: number, failureThreshold: number): kplus.Probe {
  return kplus.Probe.fromCommand(scriptCommand(SCRIPT, '--check'), {
    periodSeconds: Duration.seconds(everySeconds),
    timeoutSeconds: Duration.seconds(5),
    failureThreshold,
  });
}
