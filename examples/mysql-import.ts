import { Chart, Size } from 'cdk8s';
import {
  ExistingSecretPostgres,
  FileSource,
  MlflowServer,
  MySqlImport,
  MySqlSource,
  MySqlTls,
  WorkingCopy,
} from 'cdk8s-mlflow';
import type { Construct } from 'constructs';

/** The runs of an old server move from MySQL into PostgreSQL, and the new server waits. */
export class MigrationFromMySql extends Chart {
  public constructor(scope: Construct, id: string) {
    super(scope, id);

    const postgres = new ExistingSecretPostgres(this, 'postgres', {
      host: 'your-postgres-host',
      secretName: 'postgres-database-secret',
    });
    new MySqlImport(this, 'mysql-import', {
      backend: postgres,
      source: new MySqlSource({
        host: 'your-mysql-host',
        secretName: 'mysql-login',
        tls: MySqlTls.verifyFull({ ca: FileSource.fromConfigMap('mysql-ca', 'ca.pem') }),
      }),
      artifactLocations: [{ oldPrefix: '/mlflow/artifacts', newPrefix: 'mlflow-artifacts:/' }],
      workingCopy: WorkingCopy.ephemeralVolume({ size: Size.gibibytes(30) }),
    });
    // When the Job is complete, take it out and the replicas up.
    new MlflowServer(this, 'mlflow', { backend: postgres, replicas: 0 });
  }
}
