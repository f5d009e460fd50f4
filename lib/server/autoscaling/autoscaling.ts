import type { ApiObject } from 'cdk8s';
import type * as kplus from 'cdk8s-plus-28';
import type { Construct } from 'constructs';

import type { ObjectLabels } from '../../kube/pod/labels';
import type { ComparedUsage } from '../../rules/autoscaler-needs-requests';
import type { Problems } from '../../validation/problems';

import { checkKeda, type KedaOptions, scaledObject } from './keda';
import { checkResourceScaling, podAutoscaler, type ResourceScalingOptions } from './pod-autoscaler';
import type { ScaledServer } from './scaling-options';

/** The object that sets the number of pods: one of the two. */
export interface Autoscaler {
  readonly podAutoscaler?: kplus.HorizontalPodAutoscaler;
  readonly scaledObject?: ApiObject;
}

/** Scales the number of pods with the load. */
export class Autoscaling {
  /** By CPU and memory, with a HorizontalPodAutoscaler. Needs a metrics server in the cluster. Choose it unless you run KEDA. */
  public static byResources(options: ResourceScalingOptions): Autoscaling {
    return new Autoscaling(
      options.maxReplicas,
      options.memoryPercent === undefined ? ['cpu'] : ['cpu', 'memory'],
      (problems, server) => {
        checkResourceScaling(problems, options, server);
      },
      (...server) => ({ podAutoscaler: podAutoscaler(options, ...server) }),
    );
  }

  /** By KEDA's metrics, such as requests per second, with a ScaledObject. Needs the KEDA operator in the cluster. */
  public static keda(options: KedaOptions): Autoscaling {
    return new Autoscaling(
      options.maxReplicas,
      options.triggers.flatMap(({ _usage }) => _usage ?? []),
      (problems, server) => {
        checkKeda(problems, options, server);
      },
      (...server) => ({ scaledObject: scaledObject(options, ...server) }),
    );
  }

  private constructor(
    /** Maximum number of pods. */
    public readonly maxReplicas: number,
    /** @internal */
    public readonly _usages: readonly ComparedUsage[],
    /** @internal */
    public readonly _check: (problems: Problems, server: ScaledServer) => void,
    /** @internal */
    public readonly _bind: (server: Construct, deployment: kplus.Deployment, labels: ObjectLabels) => Autoscaler,
  ) {}
}
