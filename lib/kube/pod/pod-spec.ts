import { ApiObject, JsonPatch } from 'cdk8s';
import * as kplus from 'cdk8s-plus-28';

/** A volume that is made for a pod and goes with it. */
export interface EphemeralVolume {
  /** Of a volume of the pod, in whose place it comes. */
  readonly name: string;
  /** As Kubernetes writes it. */
  readonly size: string;
  readonly storageClassName?: string;
}

/** Fields of a pod that cdk8s-plus-28 has no props for. */
export interface PodSpecFields {
  readonly imagePullSecrets?: string[];
  readonly priorityClassName?: string;
  readonly topologySpreadConstraints?: kplus.k8s.TopologySpreadConstraint[];
  readonly ephemeralVolumes?: EphemeralVolume[];
}

/** Completes the pod template of a workload. */
export function completePodSpec(workload: kplus.Workload, fields: PodSpecFields = {}): void {
  const { ephemeralVolumes = [], ...others } = fields;
  const values: Record<string, unknown> = {
    ...others,
    imagePullSecrets: others.imagePullSecrets?.map((name) => ({ name })),
    // A Service called `mlflow` would inject MLFLOW_PORT=tcp://…, which MLflow reads as its own setting.
    enableServiceLinks: false,
  };
  const patches = Object.entries(values)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => JsonPatch.add(`${podSpecPath(workload)}/${name}`, value));
  ApiObject.of(workload).addJsonPatch(...patches, ...ephemeralVolumes.map((volume) => inPlaceOf(workload, volume)));
}

function inPlaceOf(workload: kplus.Workload, { name, size, storageClassName }: EphemeralVolume): JsonPatch {
  const manifest = ApiObject.of(workload).toJson() as { spec: { template: { spec: { volumes: { name: string }[] } } } };
  const index = manifest.spec.template.spec.volumes.findIndex((volume) => volume.name === name);
  const spec = {
    accessModes: ['ReadWriteOnce'],
    resources: { requests: { storage: kplus.k8s.Quantity.fromString(size) } },
    storageClassName,
  };
  return JsonPatch.replace(`/spec/template/spec/volumes/${String(index)}`, {
    name,
    ephemeral: { volumeClaimTemplate: { spec } },
  });
}

function podSpecPath(workload: kplus.Workload): string {
  return workload instanceof kplus.CronJob ? '/spec/jobTemplate/spec/template/spec' : '/spec/template/spec';
}
