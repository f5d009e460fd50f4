import { ApiObject, Duration, JsonPatch } from 'cdk8s';
import * as kplus from 'cdk8s-plus-28';
import { Construct } from 'constructs';

import { egressOf, networkPolicy } from '../../kube/network/isolation';
import type { NetworkPeer } from '../../kube/network/network-peer';
import type { NetworkRoute } from '../../kube/network/network-route';
import { labelsOf, type ObjectLabels } from '../../kube/pod/labels';
import { podOf } from '../../kube/pod/pod';
import { disruptionBudget, serviceOf, statefulSetOf } from '../../kube/pod/workload';
import { Persistence } from '../../kube/values/persistence';
import { Problems } from '../../validation/problems';
import { POSTGRES_PORT } from '../connection/postgres-settings';

import type { BitnamiPostgresProps } from './bitnami-postgres-props';
import { DATA_FOLDER, databaseContainer, PASSWORD_FOLDER } from './database-container';

/** Props of a {@link DatabaseServer}: those of the backend, and what differs between primary and read replicas. */
export interface DatabaseServerProps extends BitnamiPostgresProps {
  readonly serviceAccount: kplus.IServiceAccount;
  readonly passwordSecret: kplus.ISecret;
  /** Keys of the Secret, by the password variable of the image that each is for. */
  readonly passwordKeys: Record<string, string>;
  readonly env: Record<string, string>;
  readonly replicas: number;
  /** Clients that may connect. */
  readonly clients: NetworkPeer[];
  /** Network routes of the servers, if they are isolated. */
  readonly routes: NetworkRoute[];
}

/** A StatefulSet of PostgreSQL servers with its Services, NetworkPolicy and PodDisruptionBudget. */
export class DatabaseServer extends Construct {
  public readonly statefulSet: kplus.StatefulSet;
  public readonly service: kplus.Service;
  /** Names of the claims that hold the data. */
  public readonly claimNames: string[];

  public constructor(scope: Construct, component: 'primary' | 'read', props: DatabaseServerProps) {
    super(scope, component);
    const { persistence = Persistence.newClaim(), isolation } = props;
    const instance = scope.node.id;
    const name = component === 'primary' ? instance : `${instance}-read`;
    const labels = labelsOf('postgresql', instance, component);
    const port = { name: 'tcp-postgresql', port: props.servicePort ?? POSTGRES_PORT, targetPort: POSTGRES_PORT };
    this.service = serviceOf(this, 'service', labels, { metadata: { name }, ports: [port] });
    const headless = serviceOf(this, 'headless', labels, {
      metadata: { name: `${name}-hl` },
      clusterIP: 'None',
      publishNotReadyAddresses: true,
      ports: [{ ...port, port: POSTGRES_PORT }],
    });

    const problems = new Problems(this);
    const pod = problems.finish(() =>
      podOf(problems, labels, {
        imagePullSecrets: props.imagePullSecrets,
        priorityClassName: props.priorityClassName,
        serviceAccount: props.serviceAccount,
        containers: [
          databaseContainer(props, props.env, Object.keys(props.passwordKeys), this.mounts(name, labels, props)),
        ],
      }),
    );
    this.statefulSet = statefulSetOf(this, pod, {
      name,
      service: headless,
      replicas: props.replicas,
      // A shutdown writes a checkpoint, which takes its time on a busy database.
      terminationGracePeriod: Duration.minutes(2),
    });
    this.claimNames = persistence._kind === 'existing' ? [persistence._claimName] : [];
    if (persistence._kind === 'new') {
      addClaimTemplate(this.statefulSet, persistence);
      this.claimNames = Array.from({ length: props.replicas }, (_, i) => `data-${name}-${String(i)}`);
    }
    disruptionBudget(this, name, labels);
    networkPolicy(this, 'network-policy', name, labels, {
      ingress: [{ peers: props.clients, port: POSTGRES_PORT }],
      egress: isolation && egressOf(isolation, props.routes),
    });
  }

  private mounts(name: string, labels: ObjectLabels, props: DatabaseServerProps): kplus.VolumeMount[] {
    const { persistence = Persistence.newClaim(), passwordKeys, initScripts } = props;
    const writable = kplus.Volume.fromEmptyDir(this, 'writable', 'writable');
    const shm = kplus.Volume.fromEmptyDir(this, 'shm', 'shm', { medium: kplus.EmptyDirMedium.MEMORY });
    const passwords = kplus.Volume.fromSecret(this, 'passwords', props.passwordSecret, {
      name: 'passwords',
      items: Object.fromEntries(Object.entries(passwordKeys).map(([path, key]) => [key, { path, mode: 0o440 }])),
    });
    const mounts: kplus.VolumeMount[] = [
      { path: '/tmp', volume: writable, subPath: 'tmp' },
      { path: '/opt/bitnami/postgresql/conf', volume: writable, subPath: 'conf' },
      { path: '/opt/bitnami/postgresql/tmp', volume: writable, subPath: 'run' },
      { path: '/dev/shm', volume: shm },
      { path: PASSWORD_FOLDER, volume: passwords, readOnly: true },
    ];
    if (persistence._kind !== 'new') {
      mounts.push({ path: DATA_FOLDER, volume: persistence._volume(this, 'data', labels) });
    }
    if (initScripts !== undefined) {
      const configMap = new kplus.ConfigMap(this, 'init-scripts', {
        metadata: { name: `${name}-init-scripts`, labels: labels.all },
        data: initScripts,
      });
      const volume = kplus.Volume.fromConfigMap(this, 'init-scripts-volume', configMap, { name: 'init-scripts' });
      mounts.push({ path: '/docker-entrypoint-initdb.d', volume, readOnly: true });
    }
    return mounts;
  }
}

// cdk8s-plus-28 has no claim templates. Kubernetes keeps their claims when the StatefulSet is removed.
// Patches are applied before the generated types render, so the quantity has its generated type.
function addClaimTemplate(statefulSet: kplus.StatefulSet, persistence: Persistence): void {
  const template = {
    metadata: { name: 'data' },
    spec: {
      accessModes: persistence._accessModes,
      storageClassName: persistence._storageClassName,
      resources: { requests: { storage: kplus.k8s.Quantity.fromString(persistence._quantity) } },
    },
  };
  const object = ApiObject.of(statefulSet);
  object.addJsonPatch(
    JsonPatch.add('/spec/volumeClaimTemplates', [template]),
    JsonPatch.add('/spec/template/spec/containers/0/volumeMounts/-', { name: 'data', mountPath: DATA_FOLDER }),
  );
  writeOutKinds(object);
}

// Defaults in lists are written out: Argo CD shows them as a difference otherwise. The generated type drops these two of a template.
function writeOutKinds(statefulSet: ApiObject): void {
  const render = statefulSet.toJson.bind(statefulSet);
  statefulSet.toJson = (): unknown => {
    const manifest = render() as { spec: { volumeClaimTemplates?: object[] } };
    const templates = manifest.spec.volumeClaimTemplates?.map((template) => ({
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      ...template,
    }));
    return { ...manifest, spec: { ...manifest.spec, ...(templates && { volumeClaimTemplates: templates }) } };
  };
}
