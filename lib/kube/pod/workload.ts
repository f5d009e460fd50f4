import * as kplus from 'cdk8s-plus-28';
import type { Construct } from 'constructs';

import { completePod, type Pod, podProps } from './pod';

/** A Deployment of a pod, named by the construct's id. */
export function deploymentOf(
  scope: Construct,
  pod: Pod,
  props: Pick<kplus.DeploymentProps, 'replicas' | 'strategy' | 'terminationGracePeriod'>,
): kplus.Deployment {
  const deployment = new kplus.Deployment(scope, 'deployment', {
    ...podProps(scope, pod),
    ...props,
    metadata: { name: scope.node.id, labels: pod.labels.all },
    select: false,
  });
  deployment.select(kplus.LabelSelector.of({ labels: pod.labels.selector }));
  completePod(deployment, pod);
  return deployment;
}

/** A StatefulSet of a pod, behind a headless Service. */
export function statefulSetOf(
  scope: Construct,
  pod: Pod,
  props: Pick<kplus.StatefulSetProps, 'service' | 'replicas' | 'terminationGracePeriod'> & { readonly name: string },
): kplus.StatefulSet {
  const { name, ...others } = props;
  const statefulSet = new kplus.StatefulSet(scope, 'servers', {
    ...podProps(scope, pod),
    ...others,
    metadata: { name, labels: pod.labels.all },
    select: false,
  });
  statefulSet.select(kplus.LabelSelector.of({ labels: pod.labels.selector }));
  completePod(statefulSet, pod);
  return statefulSet;
}

/** Lets a rolling update add a pod before it takes one away. */
export const ROLLING = kplus.DeploymentStrategy.rollingUpdate({
  maxSurge: kplus.PercentOrAbsolute.absolute(1),
  maxUnavailable: kplus.PercentOrAbsolute.absolute(0),
});
