import { Chart, Cron, Duration, Size } from 'cdk8s';
import {
  AwsIdentity,
  BackupLocation,
  BitnamiPasswords,
  BitnamiPostgres,
  MlflowServer,
  Persistence,
  PostgresBackup,
} from 'cdk8s-mlflow';
import type { Construct } from 'constructs';

/** A dump of the database every night into a bucket, and one every hour onto a volume. */
export class Backups extends Chart {
  public constructor(scope: Construct, id: string) {
    super(scope, id);

    const postgres = new BitnamiPostgres(this, 'postgres', {
      username: 'mlflow',
      passwords: BitnamiPasswords.fromSecretName('postgres-passwords'),
    });
    new MlflowServer(this, 'mlflow', { backend: postgres });

    new PostgresBackup(this, 'nightly', {
      backend: postgres,
      schedule: Cron.schedule({ minute: '30', hour: '2' }),
      timeZone: 'Europe/Berlin',
      target: BackupLocation.s3({
        bucket: 'mlflow-backups',
        prefix: 'production',
        region: 'eu-central-1',
        identity: AwsIdentity.fromRole('arn:aws:iam::123456789012:role/mlflow-backup'),
        // A dump is made here first: on a volume, where the disks of the nodes are too small for it.
        scratch: Persistence.newClaim({ size: Size.gibibytes(20) }),
      }),
      retention: { count: 90, maxAge: Duration.days(90) },
    });
    new PostgresBackup(this, 'hourly', {
      backend: postgres,
      schedule: Cron.hourly(),
      target: BackupLocation.volume(Persistence.newClaim({ size: Size.gibibytes(50) })),
      retention: { count: 24 },
    });
  }
}
