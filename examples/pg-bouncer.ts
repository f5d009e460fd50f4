import { Chart } from 'cdk8s';
import { BitnamiPasswords, BitnamiPostgres, MlflowServer, Persistence, PgBouncer, VolumeArtifacts } from 'cdk8s-mlflow';
import { PersistentVolumeAccessMode } from 'cdk8s-plus-28';
import type { Construct } from 'constructs';

/** Four replicas, and the one that a rolling update adds, share 96 connections to PostgreSQL instead of opening 210. */
export class PooledConnections extends Chart {
  public constructor(scope: Construct, id: string) {
    super(scope, id);

    const postgres = new BitnamiPostgres(this, 'postgres', {
      username: 'mlflow',
      passwords: BitnamiPasswords.fromLiterals({ password: 'mlflow_password' }),
    });
    new MlflowServer(this, 'mlflow', {
      backend: new PgBouncer(this, 'pgbouncer', { backend: postgres }),
      replicas: 4,
      // 5 pods x 2 workers x 3 threads are 30 calls at once: fewer than the 31 connections of either PgBouncer.
      threads: 3,
      artifactRoot: new VolumeArtifacts({
        persistence: Persistence.newClaim({ accessModes: [PersistentVolumeAccessMode.READ_WRITE_MANY] }),
      }),
    });
  }
}
