import { Chart } from 'cdk8s';
import {
  DatabaseBootstrap,
  DatabaseConnectionCheck,
  ExistingSecretPostgres,
  MlflowServer,
  PostgresCredentials,
} from 'cdk8s-mlflow';
import type { Construct } from 'constructs';

/** "Prepare PostgreSQL Database" of the guide, without an administrator at a prompt. */
export class Bootstrap extends Chart {
  public constructor(scope: Construct, id: string) {
    super(scope, id);

    const postgres = new ExistingSecretPostgres(this, 'postgres', {
      host: 'your-postgres-host',
      secretName: 'postgres-database-secret',
    });
    new DatabaseBootstrap(this, 'bootstrap', {
      backend: postgres,
      admin: PostgresCredentials.fromSecretName('postgres-admin-secret'),
    });
    new MlflowServer(this, 'mlflow', {
      backend: postgres,
      databaseConnectionCheck: DatabaseConnectionCheck.initContainer({ databaseMayAppear: true }),
    });
  }
}
