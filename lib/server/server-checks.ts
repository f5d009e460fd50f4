import { ArtifactVisibility } from '../artifacts/artifact-store';
import { checkTransfers } from '../artifacts/artifact-transfers';
import { checkTraceArchival } from '../artifacts/trace-archival';
import { safeThreads } from '../postgres/capacity/connection-math';
import { checkPooling } from '../postgres/capacity/pooling-profile';
import { checkId, checkVariableNames, checkWhole } from '../validation/checks';
import { checkSpread } from '../kube/pod/placement';
import { checkPodOptions } from '../kube/pod/pod-options';
import { checkResources } from '../kube/pod/resources';
import type { Problems } from '../validation/problems';

import { checkHttpRoute } from './access/http-route';
import { checkIngress } from './access/ingress';
import { checkService } from './access/service-options';
import { checkServerIsolation } from './access/server-isolation';
import { checkExtraOptions } from './server-arguments';
import type { ServerSettings, ServerSpec } from './server-spec';
import { checkAiGateway } from './settings/ai-gateway';
import { checkJobEngine } from './settings/job-execution';
import { checkEncryption } from './settings/encryption';
import { UpgradeStrategy } from './settings/upgrade-strategy';

/** Validates the props of a server. */
export function checkServer(problems: Problems, server: ServerSettings): void {
  const { namespace, metrics, autoscaling, backend } = server;
  checkId(problems, server.id);
  checkWhole(problems, 'replicas', server.replicas, { least: 0 });
  autoscaling?._check(problems, { namespace, metrics, resources: server.resources });
  if (autoscaling !== undefined && server.replicas !== undefined) {
    problems.add('replicas', 'must be left out with `autoscaling`', server.replicas, 'Use `autoscaling.minReplicas`.');
  }
  checkWhole(problems, 'workers', server.workers, { least: 1 });
  checkPooling(problems, server.pooling);
  checkThreads(problems, server);
  if (server.readFromReplica && backend.connection.readHost === undefined) {
    problems.say(
      `\`readFromReplica\` needs read replicas, and "${backend.node.id}" has none.`,
      'Set its `readHost`, or use BitnamiArchitecture.replication().',
    );
  }
  server.databaseConnectionCheck._check(problems);
  server.databaseMigration._check(problems);
  checkPodOptions(problems, server);
  checkResources(problems, 'initResources', server.initResources);
  checkService(problems, server.service);
  checkSpread(problems, 'topologySpreadConstraints', server.topologySpreadConstraints);
  const hasCertificate = server.certificate !== undefined;
  checkIngress(problems, server.ingress, { hasCertificate, namespace: server.namespace });
  checkHttpRoute(problems, server.httpRoute, hasCertificate);
  server.certificate?._check(problems, 'certificate');
  checkServerIsolation(problems, server);
  checkHosts(problems, server);
  server.auth?._strategy.check(problems, server);
  checkEncryption(problems, server.encryption, {
    hasAuth: server.auth !== undefined,
    variables: Object.keys(server.extraEnvVars),
  });
  server.jobExecution?._check(problems, server.image);
  checkAiGateway(problems, server.aiGateway);
  checkTraceArchival(problems, server.traceArchival);
  checkVariableNames(problems, 'extraEnvVars', server.extraEnvVars);
  checkVariableNames(problems, 'extraInitEnvVars', server.extraInitEnvVars);
  checkExtraOptions(problems, server);
}

/** Validates the props that depend on the location of the artifacts. */
export function checkArtifacts(
  problems: Problems,
  { autoscaling, upgradeStrategy, maxReplicas, rolls, artifacts, image, extraEnvVars }: ServerSpec,
): void {
  const { visibility } = artifacts;
  checkTransfers(problems, artifacts, { image, extraEnvVars });
  checkJobEngine(problems, { maxReplicas, rolls, extraEnvVars });
  if (Number.isInteger(maxReplicas) && maxReplicas > 1 && visibility !== ArtifactVisibility.CLUSTER) {
    problems.add(
      autoscaling === undefined ? 'replicas' : 'autoscaling.maxReplicas',
      `must be at most 1 with artifacts that only one ${visibility} can access`,
      maxReplicas,
      'Use a volume with READ_WRITE_MANY, or an object store, as `artifactRoot`.',
    );
  }
  if (upgradeStrategy === UpgradeStrategy.ROLLING && visibility === ArtifactVisibility.NODE) {
    problems.add(
      'upgradeStrategy',
      'must not be ROLLING with artifacts that only one node can access',
      upgradeStrategy,
      'The second pod could wait for the volume forever. Use a volume with READ_WRITE_MANY, or leave it out.',
    );
  }
}

function checkThreads(problems: Problems, { threads, pooling }: ServerSettings): void {
  const most = safeThreads(pooling);
  // An invalid pool is already a problem.
  if (Number.isInteger(most) && most >= 1) {
    checkWhole(
      problems,
      'threads',
      threads,
      { least: 1, most },
      'With more, requests can deadlock on connections. Enlarge `pooling`.',
    );
  }
}

function checkHosts(problems: Problems, server: ServerSettings): void {
  for (const host of server.allowedHosts ?? []) {
    if (!/^[^\s,/]+$/.test(host)) {
      problems.add(
        'allowedHosts',
        'must be Host headers, without scheme or path',
        host,
        'Add the port if clients send one, or `:*` for any.',
      );
    }
  }
  for (const origin of server.corsAllowedOrigins ?? []) {
    if (!/^(\*|https?:\/\/[^\s,/]+)$/.test(origin)) {
      problems.add(
        'corsAllowedOrigins',
        'must be origins, with scheme and without path',
        origin,
        'Write https://host or https://host:port.',
      );
    }
  }
  if (server.staticPrefix !== '' && !/^(\/[-\w.~]+)+$/.test(server.staticPrefix)) {
    problems.add('staticPrefix', 'must start with a slash and not end with one', server.staticPrefix);
  }
}
