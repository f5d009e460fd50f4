import { type Chart, Duration } from 'cdk8s';
import {
  FileSource,
  type GatewayModelOptions,
  MlflowExperiment,
  type MlflowExperimentProps,
  MlflowGatewayEndpoint,
  type MlflowGatewayEndpointProps,
  MlflowObjects,
  MlflowPermission,
  type MlflowPermissionProps,
  MlflowRegisteredModel,
  type MlflowRegisteredModelProps,
  type MlflowServer,
  MlflowServiceUser,
  type MlflowServiceUserProps,
  MlflowUser,
  type MlflowUserProps,
  MlflowWebhook,
  type MlflowWebhookProps,
  MlflowWorkspace,
  type MlflowWorkspaceProps,
  PermissionTarget,
  SecretKey,
} from 'cdk8s-mlflow';

type Fields<T> = readonly Omit<T, 'objects'>[];

/** Objects of a case. Each list has the props of its construct. */
export interface ObjectsCase {
  readonly dryRun?: boolean;
  readonly deadline?: number;
  /** Key of the Secret `mlflow-tls` with the CA of the server. */
  readonly ca?: string;
  readonly workspaces?: Fields<MlflowWorkspaceProps>;
  readonly experiments?: Fields<MlflowExperimentProps>;
  readonly models?: Fields<MlflowRegisteredModelProps>;
  /** With their passwords in the Secret `users`, by their names. */
  readonly users?: readonly Omit<MlflowUserProps, 'objects' | 'password'>[];
  /** With their secrets in the Secret `users`, by their names, if `signs`. */
  readonly webhooks?: readonly (Omit<MlflowWebhookProps, 'objects' | 'secret'> & { readonly signs?: boolean })[];
  /** With the keys of their models in the Secret `users`. */
  readonly endpoints?: readonly (Omit<MlflowGatewayEndpointProps, 'objects' | 'models'> & {
    readonly models: readonly (Omit<GatewayModelOptions, 'apiKey'> & { readonly key: string })[];
  })[];
  readonly serviceUsers?: Fields<MlflowServiceUserProps>;
  readonly permissions?: readonly (Omit<MlflowPermissionProps, 'objects' | 'target'> & {
    readonly on: Exclude<keyof typeof PermissionTarget, 'prototype'>;
    readonly of: string;
  })[];
}

/** Adds the Job `objects`, and what it makes. */
export function addObjects(chart: Chart, server: MlflowServer, options: ObjectsCase): void {
  const { dryRun, deadline, ca } = options;
  const objects = new MlflowObjects(chart, 'objects', {
    server,
    dryRun,
    deadline: deadline === undefined ? undefined : Duration.seconds(deadline),
    ca: ca === undefined ? undefined : FileSource.fromSecret('mlflow-tls', ca),
  });
  options.workspaces?.forEach((each, i) => new MlflowWorkspace(chart, `workspace-${String(i)}`, { objects, ...each }));
  options.experiments?.forEach(
    (each, i) => new MlflowExperiment(chart, `experiment-${String(i)}`, { objects, ...each }),
  );
  options.models?.forEach((each, i) => new MlflowRegisteredModel(chart, `model-${String(i)}`, { objects, ...each }));
  options.users?.forEach((each, i) => {
    const password = SecretKey.fromSecretName('users', each.username ?? '');
    new MlflowUser(chart, `user-${String(i)}`, { objects, ...each, password });
  });
  options.webhooks?.forEach(({ signs = false, ...each }, i) => {
    const secret = signs ? SecretKey.fromSecretName('users', each.webhookName ?? '') : undefined;
    new MlflowWebhook(chart, `webhook-${String(i)}`, { objects, ...each, secret });
  });
  options.endpoints?.forEach(({ models, ...each }, i) => {
    new MlflowGatewayEndpoint(chart, `endpoint-${String(i)}`, {
      objects,
      ...each,
      models: models.map(({ key, ...model }) => ({ ...model, apiKey: SecretKey.fromSecretName('users', key) })),
    });
  });
  options.serviceUsers?.forEach(
    (each, i) => new MlflowServiceUser(chart, `service-user-${String(i)}`, { objects, ...each }),
  );
  options.permissions?.forEach(({ on, of, ...each }, i) => {
    const target = PermissionTarget[on](of);
    new MlflowPermission(chart, `permission-${String(i)}`, { objects, ...each, target });
  });
}
