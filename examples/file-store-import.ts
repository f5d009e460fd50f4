import { Chart } from 'cdk8s';
import { ExistingSecretPostgres, FileStoreImport, FileStoreSource, MlflowServer } from 'cdk8s-mlflow';
import type { Construct } from 'constructs';

/** The runs of a folder `mlruns` move into PostgreSQL, and the new server waits. */
export class MigrationFromFileStore extends Chart {
  public constructor(scope: Construct, id: string) {
    super(scope, id);

    const postgres = new ExistingSecretPostgres(this, 'postgres', {
      host: 'your-postgres-host',
      secretName: 'postgres-database-secret',
    });
    new FileStoreImport(this, 'file-store-import', {
      backend: postgres,
      source: FileStoreSource.fromClaim('old-mlflow', 'mlruns'),
      artifactLocations: [{ oldPrefix: '/mlflow/mlruns', newPrefix: 'mlflow-artifacts:/' }],
    });
    // When the Job is complete, take it out and the replicas up.
    new MlflowServer(this, 'mlflow', { backend: postgres, replicas: 0 });
  }
}
