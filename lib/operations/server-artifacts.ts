import * as kplus from 'cdk8s-plus-28';
import type { Construct } from 'constructs';

import { artifactsPart, ArtifactVisibility } from '../artifacts/artifact-store';
import type { PodPart } from '../kube/pod/pod-part';
import { texts } from '../kube/values/env-values';
import type { IMlflowServer } from '../server/mlflow-server-reference';
import type { Problems } from '../validation/problems';

/** The parts of a container that works on the artifacts of a server. */
export function artifactParts({ artifacts, extraEnvVars }: IMlflowServer): PodPart[] {
  return [
    {
      envVariables: texts({
        MLFLOW_DEFAULT_ARTIFACT_ROOT: artifacts.defaultArtifactRoot ?? 'mlflow-artifacts:/',
      }),
    },
    artifactsPart(artifacts),
    // These may hold settings that access to the artifacts needs: a proxy, a region, a CA.
    { of: 'server.extraEnvVars', isExtra: true, envVariables: extraEnvVars },
  ];
}

/** Runs the pods on the node of the server where its artifacts are a ReadWriteOnce volume, mounted on one node at a time. */
export function joinArtifacts(scope: Construct, cronJob: kplus.CronJob, server: IMlflowServer): void {
  if (server.artifacts.visibility === ArtifactVisibility.NODE) {
    cronJob.scheduling.colocate(kplus.Pods.select(scope, 'server', { labels: server.podSelector }));
  }
}

/** Validates that another pod can reach the artifacts. `what` is what it does there. */
export function checkReachesArtifacts(problems: Problems, server: IMlflowServer, what: string): void {
  if (server.artifacts.visibility === ArtifactVisibility.POD) {
    problems.say(
      `\`server\` must not keep its artifacts in its pod, where no other pod can ${what}.`,
      'Give it a volume with a claim, or an object store, as `artifactRoot`.',
    );
  }
}
