import { ApiObject, Chart, JsonPatch } from 'cdk8s';
import { ExistingSecretPostgres, MlflowServer } from 'cdk8s-mlflow';
import { EnvValue, Node, NodeLabelQuery, NodeTaintQuery, ServiceAccount } from 'cdk8s-plus-28';
import type { Construct } from 'constructs';

/** What cdk8s-plus-28 can do with a Deployment needs no prop: go on from `server.deployment`. */
export class CustomizedDeployment extends Chart {
  public constructor(scope: Construct, id: string) {
    super(scope, id);

    const server = new MlflowServer(this, 'mlflow', {
      backend: new ExistingSecretPostgres(this, 'postgres', {
        host: 'your-postgres-host',
        secretName: 'postgres-database-secret',
      }),
      serviceAccount: new ServiceAccount(this, 'identity', {
        metadata: {
          name: 'mlflow-identity',
          annotations: { 'eks.amazonaws.com/role-arn': 'arn:aws:iam::123456789012:role/mlflow' },
        },
      }),
      ingress: { hosts: ['mlflow.example.com'], className: 'nginx', tlsSecretName: 'mlflow-tls' },
      extraEnvVars: { MLFLOW_SERVER_X_FRAME_OPTIONS: EnvValue.fromValue('DENY') },
    });

    server.deployment.podMetadata.addLabel('team', 'ml-platform');
    server.deployment.podMetadata.addAnnotation('cluster-autoscaler.kubernetes.io/safe-to-evict', 'true');
    server.deployment.scheduling.attract(Node.labeled(NodeLabelQuery.is('pool', 'services')));
    server.deployment.scheduling.tolerate(Node.tainted(NodeTaintQuery.is('dedicated', 'services')));
    // And what even cdk8s-plus-28 lacks:
    ApiObject.of(server.deployment).addJsonPatch(JsonPatch.add('/spec/revisionHistoryLimit', 3));
  }
}
