import io.github.cdk8smlflow.IPostgresBackend;
import io.github.cdk8smlflow.MlflowServer;
import io.github.cdk8smlflow.PostgresConnection;
import io.github.cdk8smlflow.PostgresCredentials;
import io.github.cdk8smlflow.PostgresTls;
import org.cdk8s.App;
import org.cdk8s.Chart;
import org.cdk8s.plus28.EnvValue;
import software.constructs.Construct;

public class OwnBackend {
    /** A backend of your own: the cluster of an operator, by the names that the operator publishes. */
    static class ZalandoPostgres extends Construct implements IPostgresBackend {
        private final PostgresConnection connection;

        ZalandoPostgres(Construct scope, String id, String cluster, String role) {
            super(scope, id);
            String secret = role + "." + cluster + ".credentials.postgresql.acid.zalan.do";
            connection = PostgresConnection.Builder.create()
                .host(EnvValue.fromValue(cluster))
                .port(EnvValue.fromValue("5432"))
                .database(EnvValue.fromValue("mlflow"))
                .credentials(PostgresCredentials.fromSecretName(secret))
                .tls(PostgresTls.REQUIRE)
                .build();
        }

        @Override
        public PostgresConnection getConnection() {
            return connection;
        }
    }

    public static void main(String[] args) {
        App app = new App();
        Chart chart = new Chart(app, "own-backend");
        ZalandoPostgres postgres = new ZalandoPostgres(chart, "postgres", "acid-mlflow", "mlflow");
        MlflowServer.Builder.create(chart, "mlflow").backend(postgres).build();
        app.synth();
    }
}
