import { ApiObject, Duration, JsonPatch } from 'cdk8s';
import * as kplus from 'cdk8s-plus-28';
import { Construct } from 'constructs';

import { disruptionBudget } from '../../kube/pod/disruption-budget';
import { egressOf } from '../../kube/network/isolation';
import { labelsOf, type ObjectLabels } from '../../kube/pod/labels';
import { NetworkPeer } from '../../kube/network/network-peer';
import { networkPolicy } from '../../kube/network/network-policy';
import type { NetworkRoute } from '../../kube/network/network-route';
import { type Persistence } from '../../kube/values/persistence';
import { podOf } from '../../kube/pod/pod';
import { serviceOf } from '../../kube/pod/service';
import { statefulSetOf } from '../../kube/pod/workload';
import { Problems } from '../../validation/problems';
import { POSTGRES_PORT } from '../connection/postgres-settings';

import type { BitnamiPostgresProps } from './bitnami-postgres-props';
import { DATA_FOLDER, databaseContainer, PASSWORD_FOLDER } from './database-container';

/** What sets one set of servers apart from another, primary from read replicas. */
export interface DatabaseServerProps {
  /** Name of the StatefulSet and of the Service; the headless Service is called the same with `-hl`. */
  readonly name: string;
  /** The backend's id, which primary and replicas share. */
  readonly instance: string;
  readonly component: 'primary' | 'read';
  readonly replicas: number;
  readonly serviceAccount: kplus.IServiceAccount;
  readonly env: Record<string, string>;
  /** Which key of the Secret holds the password for which variable of the image. */
  readonly passwords: Record<string, string>;
  readonly passwordSecret: kplus.ISecret;
  readonly persistence: Persistence;
  readonly podAnnotations?: Record<string, string>;
  /** Sets of labels, each of which lets a pod reach the port. */
  readonly clients: Record<string, string>[];
  /** What isolated servers reach. */
  readonly routes: NetworkRoute[];
  readonly initScripts?: Record<string, string>;
}

/** A StatefulSet of PostgreSQL servers with its Services, NetworkPolicy and PodDisruptionBudget. */
export class DatabaseServer extends Construct {
  public readonly statefulSet: kplus.StatefulSet;
  public readonly service: kplus.Service;
  /** Names of the claims that hold the data. */
  public readonly claimNames: string[];

  public constructor(scope: Construct, id: string, backend: BitnamiPostgresProps, props: DatabaseServerProps) {
    super(scope, id);
    const labels = labelsOf('postgresql', props.instance, props.component);
    const port = { name: 'tcp-postgresql', port: backend.servicePort ?? POSTGRES_PORT, targetPort: POSTGRES_PORT };
    this.service = serviceOf(this, 'service', labels, { metadata: { name: props.name }, ports: [port] });
    const headless = serviceOf(this, 'headless', labels, {
      metadata: { name: `${props.name}-hl` },
      clusterIP: 'None',
      publishNotReadyAddresses: true,
      ports: [{ ...port, port: POSTGRES_PORT }],
    });
    this.statefulSet = this.servers(backend, props, labels, headless);
    this.claimNames = claimNamesOf(props);
    disruptionBudget(this, props.name, labels);
    networkPolicy(this, 'network-policy', props.name, labels, {
      ingress: [{ peers: props.clients.map((each) => NetworkPeer.pods(each)), port: POSTGRES_PORT }],
      egress: backend.isolation && egressOf(backend.isolation, props.routes),
    });
  }

  private servers(
    backend: BitnamiPostgresProps,
    props: DatabaseServerProps,
    labels: ObjectLabels,
    service: kplus.Service,
  ): kplus.StatefulSet {
    const problems = new Problems(this);
    const pod = problems.finish(() =>
      podOf(problems, labels, {
        imagePullSecrets: backend.imagePullSecrets,
        priorityClassName: backend.priorityClassName,
        serviceAccount: props.serviceAccount,
        parts: [{ podAnnotations: props.podAnnotations }],
        containers: [databaseContainer(backend, props.env, Object.keys(props.passwords), this.mounts(props))],
      }),
    );
    const statefulSet = statefulSetOf(this, pod, {
      name: props.name,
      service,
      replicas: props.replicas,
      // A shutdown writes a checkpoint, which takes its time on a busy database.
      terminationGracePeriod: Duration.minutes(2),
    });
    if (props.persistence._kind === 'new') {
      claimForEach(statefulSet, props.persistence);
    }
    return statefulSet;
  }

  private mounts(props: DatabaseServerProps): kplus.VolumeMount[] {
    const writable = kplus.Volume.fromEmptyDir(this, 'writable', 'writable');
    const shm = kplus.Volume.fromEmptyDir(this, 'shm', 'shm', { medium: kplus.EmptyDirMedium.MEMORY });
    const passwords = kplus.Volume.fromSecret(this, 'passwords', props.passwordSecret, {
      name: 'passwords',
      items: Object.fromEntries(Object.entries(props.passwords).map(([path, key]) => [key, { path, mode: 0o440 }])),
    });
    return [
      { path: '/tmp', volume: writable, subPath: 'tmp' },
      { path: '/opt/bitnami/postgresql/conf', volume: writable, subPath: 'conf' },
      { path: '/opt/bitnami/postgresql/tmp', volume: writable, subPath: 'run' },
      { path: '/dev/shm', volume: shm },
      { path: PASSWORD_FOLDER, volume: passwords, readOnly: true },
      ...this.dataMount(props.persistence),
      ...this.initScriptsMount(props),
    ];
  }

  private dataMount(persistence: Persistence): kplus.VolumeMount[] {
    switch (persistence._kind) {
      case 'new':
        return [];
      case 'existing': {
        const claim = kplus.PersistentVolumeClaim.fromClaimName(this, 'claim', persistence._claimName);
        return [
          { path: DATA_FOLDER, volume: kplus.Volume.fromPersistentVolumeClaim(this, 'data', claim, { name: 'data' }) },
        ];
      }
      case 'none':
        return [{ path: DATA_FOLDER, volume: kplus.Volume.fromEmptyDir(this, 'data', 'data') }];
    }
  }

  private initScriptsMount(props: DatabaseServerProps): kplus.VolumeMount[] {
    if (props.initScripts === undefined) {
      return [];
    }
    const configMap = new kplus.ConfigMap(this, 'init-scripts', {
      metadata: {
        name: `${props.name}-init-scripts`,
        labels: labelsOf('postgresql', props.instance, props.component).all,
      },
      data: props.initScripts,
    });
    const volume = kplus.Volume.fromConfigMap(this, 'init-scripts-volume', configMap, { name: 'init-scripts' });
    return [{ path: '/docker-entrypoint-initdb.d', volume, readOnly: true }];
  }
}

function claimNamesOf({ persistence, name, replicas }: DatabaseServerProps): string[] {
  switch (persistence._kind) {
    case 'new':
      return Array.from({ length: replicas }, (_, i) => `data-${name}-${String(i)}`);
    case 'existing':
      return [persistence._claimName];
    case 'none':
      return [];
  }
}

// cdk8s-plus-28 has no claim templates. Claims made by them stay when the StatefulSet is removed.
// Patches are applied before the generated types render, hence the typed quantity.
function claimForEach(statefulSet: kplus.StatefulSet, persistence: Persistence): void {
  const template = {
    metadata: { name: 'data' },
    spec: {
      accessModes: persistence._accessModes,
      storageClassName: persistence._storageClassName,
      resources: { requests: { storage: kplus.k8s.Quantity.fromString(persistence._quantity) } },
    },
  };
  ApiObject.of(statefulSet).addJsonPatch(
    JsonPatch.add('/spec/volumeClaimTemplates', [template]),
    JsonPatch.add('/spec/template/spec/containers/0/volumeMounts/-', { name: 'data', mountPath: DATA_FOLDER }),
  );
}
