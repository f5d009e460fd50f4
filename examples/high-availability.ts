import { Chart } from 'cdk8s';
import { ExistingSecretPostgres, MlflowServer, Persistence, PoolingProfile, VolumeArtifacts } from 'cdk8s-mlflow';
import { PersistentVolumeAccessMode } from 'cdk8s-plus-28';
import type { Construct } from 'constructs';

/** The guide's "High Availability Setup", with the replicas that the guide leaves out. */
export class HighAvailability extends Chart {
  public constructor(scope: Construct, id: string) {
    super(scope, id);

    new MlflowServer(this, 'mlflow', {
      backend: new ExistingSecretPostgres(this, 'postgres', {
        host: 'your-postgres-cluster-endpoint',
        secretName: 'postgres-database-secret',
        maxConnections: 100,
      }),
      replicas: 2,
      // Three pods at the most fit the 100 connections. The guide writes out 20 + 30, which would ask for 486 and fail here.
      pooling: PoolingProfile.HIGH_AVAILABILITY,
      artifactRoot: new VolumeArtifacts({
        persistence: Persistence.newClaim({ accessModes: [PersistentVolumeAccessMode.READ_WRITE_MANY] }),
      }),
    });
  }
}
