import { Chart } from 'cdk8s';
import { BitnamiPasswords, BitnamiPostgres, MlflowServer } from 'cdk8s-mlflow';
import type { Construct } from 'constructs';

/** Option 2 of the guide: PostgreSQL in the cluster, with the superuser as MLflow's login. */
export class Bitnami extends Chart {
  public constructor(scope: Construct, id: string) {
    super(scope, id);

    const postgres = new BitnamiPostgres(this, 'postgres', {
      passwords: BitnamiPasswords.fromLiterals({ postgresPassword: 'mlflow_password' }),
    });
    new MlflowServer(this, 'mlflow', { backend: postgres });
  }
}
