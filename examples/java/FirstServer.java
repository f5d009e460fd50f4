import io.github.cdk8smlflow.BitnamiPasswordLiterals;
import io.github.cdk8smlflow.BitnamiPasswords;
import io.github.cdk8smlflow.BitnamiPostgres;
import io.github.cdk8smlflow.MlflowServer;
import org.cdk8s.App;
import org.cdk8s.Chart;

public class FirstServer {
    public static void main(String[] args) {
        App app = new App();
        Chart chart = new Chart(app, "mlflow");
        BitnamiPasswordLiterals literals = BitnamiPasswordLiterals.builder()
            .postgresPassword("mlflow_password")
            .build();
        BitnamiPostgres postgres = BitnamiPostgres.Builder.create(chart, "postgres")
            .passwords(BitnamiPasswords.fromLiterals(literals))
            .build();
        MlflowServer.Builder.create(chart, "mlflow").backend(postgres).build();
        app.synth();
    }
}
