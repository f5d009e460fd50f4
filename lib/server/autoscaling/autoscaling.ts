import type { ApiObject } from 'cdk8s';
import type * as kplus from 'cdk8s-plus-28';
import type { Construct } from 'constructs';

import type { ObjectLabels } from '../../kube/pod/labels';
import { checkWhole } from '../../validation/checks';
import type { Problems } from '../../validation/problems';

import { checkKeda, type KedaOptions, scaledObject, type ScaledServer } from './keda';
import { checkResourceScaling, podAutoscaler, type ResourceScalingOptions } from './pod-autoscaler';

/** The object that sets the number of pods: one of the two. */
export interface Autoscaler {
  readonly podAutoscaler?: kplus.HorizontalPodAutoscaler;
  readonly scaledObject?: ApiObject;
}

type Check = (problems: Problems, server: ScaledServer) => void;
type Bind = (server: Construct, deployment: kplus.Deployment, labels: ObjectLabels) => Autoscaler;

/** Scales the number of pods with the load. */
export class Autoscaling {
  /** By CPU and memory, with a HorizontalPodAutoscaler. Needs a metrics server in the cluster. Choose it unless you run KEDA. */
  public static byResources(options: ResourceScalingOptions): Autoscaling {
    const check: Check = (problems) => {
      checkResourceScaling(problems, options);
    };
    return new Autoscaling(options, check, (...args) => ({ podAutoscaler: podAutoscaler(options, ...args) }));
  }

  /** By KEDA's metrics, such as requests per second, with a ScaledObject. Needs the KEDA operator in the cluster. */
  public static keda(options: KedaOptions): Autoscaling {
    const check: Check = (problems, server) => {
      checkKeda(problems, options, server);
    };
    return new Autoscaling(options, check, (...args) => ({ scaledObject: scaledObject(options, ...args) }));
  }

  /** Maximum number of pods. */
  public readonly maxReplicas: number;

  private constructor(
    private readonly replicas: Pick<KedaOptions, 'minReplicas' | 'maxReplicas'>,
    private readonly checkOptions: Check,
    /** @internal */
    public readonly _bind: Bind,
  ) {
    this.maxReplicas = replicas.maxReplicas;
  }

  /** @internal */
  public _check(problems: Problems, server: ScaledServer): void {
    const { minReplicas, maxReplicas } = this.replicas;
    checkWhole(problems, 'autoscaling.minReplicas', minReplicas, { least: 1 });
    checkWhole(problems, 'autoscaling.maxReplicas', maxReplicas, { least: Math.max(1, minReplicas ?? 2) });
    this.checkOptions(problems, server);
  }
}
