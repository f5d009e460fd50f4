import type { ApiObject } from 'cdk8s';
import type * as kplus from 'cdk8s-plus-28';
import type { Construct } from 'constructs';

import type { ObjectLabels } from '../../kube/pod/labels';
import type { Problems } from '../../validation/problems';

import { checkKeda, type KedaOptions, scaledObject } from './keda';
import type { ScaledServer } from './keda-trigger';
import { checkResourceScaling, podAutoscaler, type ResourceScalingOptions } from './pod-autoscaler';

/** What sets the number of pods: exactly one of the two. */
export interface Autoscaler {
  readonly podAutoscaler?: kplus.HorizontalPodAutoscaler;
  readonly scaledObject?: ApiObject;
}

/** A number of pods that follows the load. */
export class Autoscaling {
  /** By CPU and memory, with a HorizontalPodAutoscaler. Needs a metrics server in the cluster. Choose it unless you run KEDA. */
  public static byResources(options: ResourceScalingOptions): Autoscaling {
    return new Autoscaling(
      options.maxReplicas,
      (problems) => {
        checkResourceScaling(problems, options);
      },
      (server, deployment, labels) => ({ podAutoscaler: podAutoscaler(server, deployment, options, labels) }),
    );
  }

  /** By what KEDA measures, such as requests a second, with its ScaledObject. Needs the KEDA operator in the cluster. */
  public static keda(options: KedaOptions): Autoscaling {
    return new Autoscaling(
      options.maxReplicas,
      (problems, server) => {
        checkKeda(problems, options, server);
      },
      (server, deployment, labels) => ({ scaledObject: scaledObject(server, deployment, options, labels) }),
    );
  }

  private constructor(
    /** Pods at the most. */
    public readonly maxReplicas: number,
    /** @internal */
    public readonly _check: (problems: Problems, server: ScaledServer) => void,
    /** @internal */
    public readonly _bind: (server: Construct, deployment: kplus.Deployment, labels: ObjectLabels) => Autoscaler,
  ) {}
}
