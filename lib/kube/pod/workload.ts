import * as kplus from 'cdk8s-plus-28';
import type { Construct } from 'constructs';

import type { ObjectLabels } from './labels';
import { completePod, type Pod, podProps } from './pod';

/** A Deployment of a pod, named by the construct's id. */
export function deploymentOf(
  scope: Construct,
  pod: Pod,
  props: Pick<kplus.DeploymentProps, 'replicas' | 'strategy' | 'terminationGracePeriod'>,
): kplus.Deployment {
  return selecting(pod, new kplus.Deployment(scope, 'deployment', workloadProps(scope, pod, scope.node.id, props)));
}

/** A StatefulSet of a pod, behind a headless Service. */
export function statefulSetOf(
  scope: Construct,
  pod: Pod,
  props: Pick<kplus.StatefulSetProps, 'service' | 'replicas' | 'terminationGracePeriod'> & { readonly name: string },
): kplus.StatefulSet {
  const { name, ...others } = props;
  return selecting(pod, new kplus.StatefulSet(scope, 'servers', workloadProps(scope, pod, name, others)));
}

function workloadProps<Props>(scope: Construct, pod: Pod, name: string, props: Props): Props & kplus.WorkloadProps {
  return { ...podProps(scope, pod), ...props, metadata: { name, labels: pod.labels.all }, select: false };
}

function selecting<Workload extends kplus.Workload>(pod: Pod, workload: Workload): Workload {
  workload.select(kplus.LabelSelector.of({ labels: pod.labels.selector }));
  completePod(workload, pod);
  return workload;
}

/** A rolling update that starts a new pod before it stops an old one. */
export const ROLLING = kplus.DeploymentStrategy.rollingUpdate({
  maxSurge: kplus.PercentOrAbsolute.absolute(1),
  maxUnavailable: kplus.PercentOrAbsolute.absolute(0),
});

/** A Service of the pods with these labels. */
export function serviceOf(
  scope: Construct,
  id: string,
  labels: ObjectLabels,
  props: kplus.ServiceProps,
): kplus.Service {
  const service = new kplus.Service(scope, id, { ...props, metadata: { ...props.metadata, labels: labels.all } });
  for (const [key, value] of Object.entries(labels.selector)) {
    service.selectLabel(key, value);
  }
  return service;
}

/** A PodDisruptionBudget: a drained node, or a cluster upgrade, evicts one of these pods at a time. */
export function disruptionBudget(scope: Construct, name: string, labels: ObjectLabels): void {
  new kplus.k8s.KubePodDisruptionBudget(scope, 'disruption-budget', {
    metadata: { name, labels: labels.all },
    spec: { maxUnavailable: kplus.k8s.IntOrString.fromNumber(1), selector: { matchLabels: labels.selector } },
  });
}
