import { Chart } from 'cdk8s';
import { ExternalPostgres, MlflowServer } from 'cdk8s-mlflow';
import type { Construct } from 'constructs';

/** Option 1 of the guide: a database that exists, with the login in plain text. */
export class External extends Chart {
  public constructor(scope: Construct, id: string) {
    super(scope, id);

    const postgres = new ExternalPostgres(this, 'postgres', {
      host: 'your-postgres-host',
      user: 'mlflow_user',
      password: process.env.MLFLOW_DATABASE_PASSWORD ?? 'your_secure_password',
    });
    new MlflowServer(this, 'mlflow', { backend: postgres });
  }
}
