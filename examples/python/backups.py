from cdk8s import Chart, Cron, Duration, Size
from cdk8s_mlflow import (
    AwsIdentity,
    BackupLocation,
    BackupRetention,
    BitnamiPasswords,
    BitnamiPostgres,
    MlflowServer,
    Persistence,
    PostgresBackup,
)
from constructs import Construct


class Backups(Chart):
    """A dump of the database every night into a bucket, and one every hour onto a volume."""

    def __init__(self, scope: Construct, id: str) -> None:
        super().__init__(scope, id)

        postgres = BitnamiPostgres(
            self,
            "postgres",
            username="mlflow",
            passwords=BitnamiPasswords.from_secret_name("postgres-passwords"),
        )
        MlflowServer(self, "mlflow", backend=postgres)

        PostgresBackup(
            self,
            "nightly",
            backend=postgres,
            schedule=Cron.schedule(minute="30", hour="2"),
            time_zone="Europe/Berlin",
            target=BackupLocation.s3(
                bucket="mlflow-backups",
                prefix="production",
                region="eu-central-1",
                identity=AwsIdentity.from_role("arn:aws:iam::123456789012:role/mlflow-backup"),
                # A dump is made here first: on a volume, where the disks of the nodes are too small for it.
                scratch=Persistence.new_claim(size=Size.gibibytes(20)),
            ),
            retention=BackupRetention(count=90, max_age=Duration.days(90)),
        )
        PostgresBackup(
            self,
            "hourly",
            backend=postgres,
            schedule=Cron.hourly(),
            target=BackupLocation.volume(Persistence.new_claim(size=Size.gibibytes(50))),
            retention=BackupRetention(count=24),
        )
