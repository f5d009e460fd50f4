import type * as kplus from 'cdk8s-plus-28';

import { checkId, checkImage, checkObjectName } from '../validation/checks';
import type { IsolationOptions } from '../kube/network/isolation';
import { checkIdentities } from '../identity/pod-identity';
import type { Problems } from '../validation/problems';
import type { IPostgresBackend } from '../postgres/connection/postgres-backend';

/** What every Job around a database has in common. */
export interface OperationProps {
  /**
   * The image, by tag or digest. It needs MLflow and psycopg2, in the version that the server runs.
   * @default 'ghcr.io/mlflow/mlflow:v3.17.2-full'
   */
  readonly image?: string;

  /**
   * When the image is pulled.
   * @default ImagePullPolicy.IF_NOT_PRESENT
   */
  readonly imagePullPolicy?: kplus.ImagePullPolicy;

  /**
   * Names of the Secrets with logins to the registry.
   * @default - none
   */
  readonly imagePullSecrets?: string[];

  /**
   * CPU, memory and temporary files of the pod.
   * @default - requests 250 millicores, 256 MiB and 1 GiB of disk, limits 2 CPUs, 1 GiB and 20 GiB of disk
   */
  readonly resources?: kplus.ContainerResources;

  /**
   * The ServiceAccount of the pod: one of your own, or an existing one. The pod gets no token of it.
   * @default - a new one, named by the construct's id
   */
  readonly serviceAccount?: kplus.IServiceAccount;

  /**
   * The priority class of the pod.
   * @default - the default class of the cluster
   */
  readonly priorityClassName?: string;

  /**
   * Let the pod reach nothing but DNS, the database and what is named here, and nobody reach it.
   * @default - none: the pod may reach everything
   */
  readonly isolation?: IsolationOptions;
}

/** What these props must look like. */
export function checkOperation(
  problems: Problems,
  id: string,
  props: OperationProps & { readonly backend: IPostgresBackend },
): void {
  checkId(problems, id);
  checkImage(problems, 'image', props.image);
  (props.imagePullSecrets ?? []).forEach((name) => {
    checkObjectName(problems, 'imagePullSecrets', name);
  });
  const { sidecar } = props.backend.connection.unpooled;
  checkIdentities(problems, props.serviceAccount, {
    prop: 'backend',
    annotations: sidecar?.serviceAccountAnnotations,
  });
}
