import { Chart } from 'cdk8s';
import { ExistingSecretPostgres, MlflowServer } from 'cdk8s-mlflow';
import type { Construct } from 'constructs';

/**
 * Option 3 of the guide: a database that exists, with the login in a Secret that exists:
 *
 *     kubectl create secret generic postgres-database-secret --namespace mlflow \
 *       --from-literal=username=mlflow_user --from-literal=password=your_secure_password
 */
export class ExistingSecret extends Chart {
  public constructor(scope: Construct, id: string) {
    super(scope, id);

    const postgres = new ExistingSecretPostgres(this, 'postgres', {
      host: 'postgresql-instance1.cg034hpkmmjt.eu-central-1.rds.amazonaws.com',
      secretName: 'postgres-database-secret',
    });
    new MlflowServer(this, 'mlflow', { backend: postgres });
  }
}
