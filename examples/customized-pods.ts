import { ApiObject, Chart, JsonPatch } from 'cdk8s';
import { ClusterSettings, ExistingSecretPostgres, MlflowServer } from 'cdk8s-mlflow';
import type { Construct } from 'constructs';

/** Labels, nodes and fields of a server's pods without a class of cdk8s-plus: for an app with any version of it. */
export class CustomizedPods extends Chart {
  public constructor(scope: Construct, id: string) {
    super(scope, id);

    const server = new MlflowServer(this, 'mlflow', {
      backend: new ExistingSecretPostgres(this, 'postgres', {
        host: 'your-postgres-host',
        secretName: 'postgres-database-secret',
      }),
    });
    ClusterSettings.of(server).apply({
      podLabels: { team: 'ml-platform' },
      podAnnotations: { 'cluster-autoscaler.kubernetes.io/safe-to-evict': 'true' },
      nodeSelector: { 'example.com/pool': 'services' },
      tolerations: [{ key: 'dedicated', value: 'services', effect: 'NoSchedule' }],
    });
    ApiObject.of(server.deployment).addJsonPatch(JsonPatch.add('/spec/revisionHistoryLimit', 3));
  }
}
