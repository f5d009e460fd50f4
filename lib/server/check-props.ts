import { checkId, checkImage, checkObjectName, checkPort, checkWhole } from '../validation/checks';
import type { Problems } from '../validation/problems';
import { safeThreads } from '../postgres/capacity/connection-math';
import { checkPooling, PoolingProfile } from '../postgres/capacity/pooling-profile';

import { checkHttpRoute } from './access/http-route';
import { checkIngress } from './access/ingress';
import { checkAuth } from './bind-auth';
import { checkEncryption } from './encryption';
import type { MlflowServerProps } from './mlflow-server-props';
import { checkServerIsolation } from './server-isolation';
import { checkExtraArguments, checkExtraVariables } from './reserved-settings';

/** What the props of a server must look like, as far as the props alone can tell. */
export function checkProps(
  problems: Problems,
  id: string,
  props: MlflowServerProps,
  namespace: string | undefined,
): void {
  checkId(problems, id);
  checkWhole(problems, 'replicas', props.replicas, { least: 0 });
  props.autoscaling?._check(problems, { namespace, metrics: props.metrics === true });
  if (props.autoscaling !== undefined && props.replicas !== undefined) {
    problems.add('replicas', 'must be left out with `autoscaling`', props.replicas, 'Use `autoscaling.minReplicas`.');
  }
  checkWhole(problems, 'workers', props.workers, { least: 1 });
  checkPooling(problems, props.pooling ?? PoolingProfile.STANDARD);
  checkThreads(problems, props);
  if (props.readFromReplica === true && props.backend.connection.readHost === undefined) {
    problems.say(
      `\`readFromReplica\` needs read replicas, and "${props.backend.node.id}" has none.`,
      'Set its `readHost`, or use BitnamiArchitecture.replication().',
    );
  }
  props.databaseConnectionCheck?._check(problems);
  props.databaseMigration?._check(problems);
  checkImage(problems, 'image', props.image);
  (props.imagePullSecrets ?? []).forEach((name) => {
    checkObjectName(problems, 'imagePullSecrets', name);
  });
  checkPort(problems, 'service.port', props.service?.port);
  checkPort(problems, 'service.nodePort', props.service?.nodePort);
  checkIngress(problems, props.ingress);
  checkHttpRoute(problems, props.httpRoute);
  props.certificate?._check(problems, 'certificate');
  checkServerIsolation(problems, props);
  checkHosts(problems, props);
  checkAuth(problems, props);
  checkEncryption(problems, props.encryption, props.auth !== undefined);
  checkExtraVariables(problems, 'extraEnvVars', Object.keys(props.extraEnvVars ?? {}));
  checkExtraVariables(problems, 'extraInitEnvVars', Object.keys(props.extraInitEnvVars ?? {}));
  checkExtraArguments(problems, props.extraArgs ?? []);
}

function checkThreads(problems: Problems, { threads, pooling = PoolingProfile.STANDARD }: MlflowServerProps): void {
  const most = safeThreads(pooling);
  // A pool that cannot be has been told about already.
  if (most >= 1) {
    checkWhole(
      problems,
      'threads',
      threads,
      { least: 1, most },
      'With more, requests can wait for connections that other waiting requests hold. Enlarge `pooling`.',
    );
  }
}

function checkHosts(problems: Problems, props: MlflowServerProps): void {
  for (const host of props.allowedHosts ?? []) {
    if (!/^[^\s,/]+$/.test(host)) {
      problems.add(
        'allowedHosts',
        'must be Host headers, without scheme or path',
        host,
        'Add the port if clients send one, or `:*` for any.',
      );
    }
  }
  for (const origin of props.corsAllowedOrigins ?? []) {
    if (!/^(\*|https?:\/\/[^\s,/]+)$/.test(origin)) {
      problems.add(
        'corsAllowedOrigins',
        'must be origins, with scheme and without path',
        origin,
        'Write https://host or https://host:port.',
      );
    }
  }
  if (props.staticPrefix !== undefined && !/^(\/[-\w.~]+)+$/.test(props.staticPrefix)) {
    problems.add('staticPrefix', 'must start with a slash and not end with one', props.staticPrefix);
  }
}
