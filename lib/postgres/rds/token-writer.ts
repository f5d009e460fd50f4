import { Duration, Size } from 'cdk8s';
import * as kplus from 'cdk8s-plus-28';
import type { Construct } from 'constructs';

import { IMAGES } from '../../images';
import { contentDigest } from '../../kube/values/digest';
import { texts } from '../../kube/values/env-values';
import { labelsOf } from '../../kube/pod/labels';
import { RESTRICTED_CONTAINER } from '../../kube/pod/restricted';
import { LITTLE_SCRATCH_SPACE } from '../../kube/pod/scratch-space';
import { scriptsNamed } from '../../scripts/scripts';
import { routeTo } from '../connection/connection-route';
import { ConnectionFailure, type ConnectionSidecar } from '../connection/connection-sidecar';
import { endpointValues } from '../connection/endpoint';

import { regionOf } from './check-rds';
import { RdsIdentity } from './rds-identity';
import type { RdsPostgresProps } from './rds-postgres-props';

const SCRIPT = 'write_rds_token.py';
const SCRIPT_FOLDER = '/opt/rds-token';
const TOKEN_FOLDER = '/run/rds-token';
const TOKEN_FILE = 'pgpass';

const DEFAULT_RESOURCES: kplus.ContainerResources = {
  cpu: { request: kplus.Cpu.millis(50), limit: kplus.Cpu.units(1) },
  memory: { request: Size.mebibytes(128), limit: Size.mebibytes(256) },
  ephemeralStorage: LITTLE_SCRATCH_SPACE,
};

/** What keeps a fresh token in a password file, as a sidecar in Kubernetes' own sense. */
export function tokenWriter(scope: Construct, props: RdsPostgresProps): ConnectionSidecar {
  const { identity = RdsIdentity.ambient(), tokenRenewal = Duration.minutes(10) } = props;
  const { host, port } = endpointValues(props);
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
      command: ['python', `${SCRIPT_FOLDER}/${SCRIPT}`],
      envVariables: {
        ...identity._environment(),
        ...texts({
          PGUSER: props.user,
          PGPASSFILE: `${TOKEN_FOLDER}/${TOKEN_FILE}`,
          RDS_HOSTS: hostsOf(props),
          RDS_RENEWAL_SECONDS: tokenRenewal.toSeconds(),
          // Older versions ask the global endpoint, which the pod may have no way to.
          AWS_STS_REGIONAL_ENDPOINTS: 'regional',
          PYTHONDONTWRITEBYTECODE: 1,
        }),
        PGPORT: port,
      },
      volumeMounts: [{ path: TOKEN_FOLDER, volume }, scriptMount(scope)],
      resources: props.resources ?? DEFAULT_RESOURCES,
      startup: probe(1, 60),
      liveness: probe(30, 2),
    },
    routes: [routeTo(host, port, props.route), ...identity._routes],
    serviceAccountAnnotations: identity._serviceAccountAnnotations,
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

/** Each with its region, since replicas may be in others. */
function hostsOf({ host, failoverHosts = [], readHost, region = '' }: RdsPostgresProps): string {
  const hosts = [host, ...failoverHosts, ...(readHost === undefined ? [] : [readHost])];
  return [...new Set(hosts)].map((each) => `${regionOf(each) ?? region}/${each}`).join(',');
}

/** The ConfigMap is named by its content, so that a change replaces the pods. */
function scriptMount(scope: Construct): kplus.VolumeMount {
  const { id } = scope.node;
  const data = scriptsNamed(SCRIPT);
  const configMap = new kplus.ConfigMap(scope, 'scripts', {
    metadata: { name: `${id}-scripts-${contentDigest(data)}`, labels: labelsOf('mlflow', id, 'rds-token').all },
    immutable: true,
    data,
  });
  const volume = kplus.Volume.fromConfigMap(scope, 'rds-scripts', configMap, { name: 'rds-scripts' });
  return { path: SCRIPT_FOLDER, volume, readOnly: true };
}

// The others wait for the first token, and who cannot renew it says why and is started anew before it expires.
function probe(everySeconds: number, failureThreshold: number): kplus.Probe {
  return kplus.Probe.fromCommand(['python', `${SCRIPT_FOLDER}/${SCRIPT}`, '--check'], {
    periodSeconds: Duration.seconds(everySeconds),
    timeoutSeconds: Duration.seconds(5),
    failureThreshold,
  });
}
