from cdk8s import Chart, Duration
from cdk8s_mlflow import ExistingSecretPostgres, MlflowServer, PoolingProfile
from constructs import Construct


class BehindFirewall(PoolingProfile):
    """A profile of your own: a subclass with your house's rules in it."""

    def __init__(self, **props) -> None:
        # The firewall forgets connections after ten minutes without traffic.
        super().__init__(**{"pool_size": 20, "max_overflow": 1, "recycle": Duration.minutes(9), **props})


class CustomPooling(Chart):
    """Pooling profiles beyond the presets: written out, derived from a preset, or a class.

    A server each, to compare them: they show the same runs, since they share a database, but each keeps
    artifacts on a volume of its own.
    """

    def __init__(self, scope: Construct, id: str) -> None:
        super().__init__(scope, id)

        backend = ExistingSecretPostgres(
            self, "postgres", host="your-postgres-host", secret_name="postgres-database-secret"
        )
        profiles = {
            "written-out": PoolingProfile(pool_size=15, max_overflow=1),
            "fitting": PoolingProfile.fitting(connections=97, pods=3),
            "derived": PoolingProfile.STANDARD.extend(echo=True),
            "subclass": BehindFirewall(),
        }
        for name, pooling in profiles.items():
            MlflowServer(self, f"mlflow-{name}", backend=backend, pooling=pooling)
