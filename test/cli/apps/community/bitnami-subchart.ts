import { App, Chart, Size } from 'cdk8s';
import {
  ArtifactAccess,
  AwsIdentity,
  BitnamiPasswords,
  BitnamiPostgres,
  MlflowServer,
  Persistence,
  S3Artifacts,
} from 'cdk8s-mlflow';
import type { Construct } from 'constructs';

/**
 * MLflow, as a release of the chart community-charts/mlflow ran it.
 *
 * Secrets that must exist:
 *   kubectl create secret generic mlflow-postgresql-passwords --namespace mlflow \
 *     --from-literal=postgres-password='<the postgres-password of the database>' \
 *     --from-literal=password='<the password of the database>'
 *   kubectl create secret generic mlflow-s3 --namespace mlflow \
 *     --from-literal=AWS_ACCESS_KEY_ID='<the id of the access key>' \
 *     --from-literal=AWS_SECRET_ACCESS_KEY='<the secret access key>'
 */
export class Mlflow extends Chart {
  public constructor(scope: Construct, id: string) {
    super(scope, id, { namespace: 'mlflow' });

    const postgres = new BitnamiPostgres(this, 'mlflow-postgresql', {
      passwords: BitnamiPasswords.fromSecretName('mlflow-postgresql-passwords'),
      username: 'mlflowuser',
      persistence: Persistence.newClaim({ size: Size.gibibytes(20), storageClassName: 'fast' }),
      servicePort: 5433,
      maxConnections: 150,
    });
    // postgresql: Bitnami's free images get no more fixes since 2025: plan a move to an operator or
    // a managed database with DatabaseMove (docs/moving-in.md).
    // postgresql.primary.initdb.scripts: cdk8s-plus has it: go on from `postgres.primary`, the
    // StatefulSet of the construct.
    // postgresql.image.repository, postgresql.image.tag: Set `image` of BitnamiPostgres, if the
    // data were not written by PostgreSQL 17 (the default,
    // bitnamilegacy/postgresql:17.6.0-debian-12-r4): its major version must be that of the data.
    new MlflowServer(this, 'mlflow', {
      backend: postgres,
      replicas: 2,
      artifactRoot: new S3Artifacts({
        bucket: 'team-models',
        identity: AwsIdentity.fromSecretName('mlflow-s3'),
        access: ArtifactAccess.DIRECT,
      }),
      service: { port: 80 },
    });
  }
}

const app = new App();
new Mlflow(app, 'mlflow');
app.synth();
