import { Chart } from 'cdk8s';
import {
  ArtifactRelocation,
  AwsIdentity,
  ExistingSecretPostgres,
  MlflowServer,
  Persistence,
  S3Artifacts,
  VolumeArtifacts,
} from 'cdk8s-mlflow';
import type { Construct } from 'constructs';

/** Artifacts move from the volume of a server into a bucket, and the server waits. */
export class ArtifactsToBucket extends Chart {
  public constructor(scope: Construct, id: string) {
    super(scope, id);

    const backend = new ExistingSecretPostgres(this, 'postgres', {
      host: 'your-postgres-host',
      secretName: 'postgres-database-secret',
    });
    const bucket = new S3Artifacts({
      bucket: 'team-models',
      prefix: 'mlflow',
      region: 'eu-central-1',
      identity: AwsIdentity.fromSecretName('s3-credentials'),
    });
    new ArtifactRelocation(this, 'relocation', {
      backend,
      source: new VolumeArtifacts({ persistence: Persistence.existingClaim('mlflow-artifacts') }),
      target: bucket,
    });
    // When the Job is complete, take it out and the replicas up.
    new MlflowServer(this, 'mlflow', { backend, artifactRoot: bucket, replicas: 0 });
  }
}
