import { ApiObject, type Duration } from 'cdk8s';
import type * as kplus from 'cdk8s-plus-28';
import type { Construct } from 'constructs';

import { checkSeconds, checkWhole } from '../../validation/checks';
import type { ObjectLabels } from '../../kube/pod/labels';
import type { Problems } from '../../validation/problems';

import type { KedaTrigger, ScaledServer } from './keda-trigger';

/** How the number of pods follows what KEDA measures. */
export interface KedaOptions {
  /** Pods at the most. */
  readonly maxReplicas: number;

  /**
   * Pods at the least. Never 0: who connects would find nobody, and nothing would measure that.
   * @default 2
   */
  readonly minReplicas?: number;

  /** What is measured. The one that asks for the most pods decides. */
  readonly triggers: KedaTrigger[];

  /**
   * How often it is measured.
   * @default - KEDA's own: 30 seconds
   */
  readonly pollingInterval?: Duration;

  /**
   * Pods to run while it cannot be measured.
   * @default - as many as there are
   */
  readonly fallbackReplicas?: number;
}

/** What the options must look like. */
export function checkKeda(problems: Problems, options: KedaOptions, server: ScaledServer): void {
  const { minReplicas = 2, maxReplicas, triggers } = options;
  checkWhole(problems, 'autoscaling.minReplicas', options.minReplicas, { least: 1 });
  checkWhole(problems, 'autoscaling.maxReplicas', maxReplicas, { least: Math.max(1, minReplicas) });
  checkWhole(problems, 'autoscaling.fallbackReplicas', options.fallbackReplicas, { least: 1, most: maxReplicas });
  checkSeconds(problems, 'autoscaling.pollingInterval', options.pollingInterval);
  if (triggers.length === 0) {
    problems.say('`autoscaling.triggers` must name at least one trigger, got none.');
  }
  triggers.forEach((trigger, i) => {
    trigger._check(problems, `autoscaling.triggers[${String(i)}]`, server);
  });
  if (options.fallbackReplicas !== undefined && !triggers.some((trigger) => trigger._isAverage)) {
    problems.say(
      '`autoscaling.fallbackReplicas` needs a trigger of Prometheus: KEDA takes no fallback for CPU and memory.',
      'Leave it out.',
    );
  }
}

/**
 * The ScaledObject of a server.
 * @see https://keda.sh/docs/2.18/reference/scaledobject-spec/
 */
export function scaledObject(
  server: Construct,
  deployment: kplus.Deployment,
  options: KedaOptions,
  labels: ObjectLabels,
): ApiObject {
  const { fallbackReplicas } = options;
  // So that the Deployment has no number of replicas, which an apply would reset.
  deployment.markHasAutoscaler();
  return new ApiObject(server, 'scaled-object', {
    apiVersion: 'keda.sh/v1alpha1',
    kind: 'ScaledObject',
    metadata: { name: server.node.id, labels: labels.all },
    spec: {
      scaleTargetRef: { name: deployment.name },
      minReplicaCount: options.minReplicas ?? 2,
      maxReplicaCount: options.maxReplicas,
      pollingInterval: options.pollingInterval?.toSeconds(),
      // Three measurements without an answer are KEDA's own number.
      fallback: fallbackReplicas === undefined ? undefined : { failureThreshold: 3, replicas: fallbackReplicas },
      triggers: options.triggers.map((trigger) => trigger._render(server)),
    },
  });
}
