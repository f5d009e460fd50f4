import { ApiObject, JsonPatch } from 'cdk8s';
import * as kplus from 'cdk8s-plus-28';

/** Fields of a pod that cdk8s-plus-28 has no props for. */
export interface PodSpecFields {
  readonly imagePullSecrets?: string[];
  readonly priorityClassName?: string;
  readonly topologySpreadConstraints?: kplus.k8s.TopologySpreadConstraint[];
}

/** Completes the pod template of a workload. */
export function completePodSpec(workload: kplus.Workload, fields: PodSpecFields = {}): void {
  const values: Record<string, unknown> = {
    ...fields,
    imagePullSecrets: fields.imagePullSecrets?.map((name) => ({ name })),
    // A Service called `mlflow` would inject MLFLOW_PORT=tcp://…, which MLflow reads as its own setting.
    enableServiceLinks: false,
  };
  const template = workload instanceof kplus.CronJob ? '/spec/jobTemplate/spec/template' : '/spec/template';
  const patches = Object.entries(values)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => JsonPatch.add(`${template}/spec/${name}`, value));
  ApiObject.of(workload).addJsonPatch(...patches);
}
