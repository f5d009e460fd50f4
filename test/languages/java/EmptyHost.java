import io.github.cdk8smlflow.ExternalPostgres;
import org.cdk8s.App;
import org.cdk8s.Chart;

/** Prints the message of the error that an empty host is; jsii puts the stack below it. */
public class EmptyHost {
    public static void main(String[] args) {
        Chart chart = new Chart(new App(), "mlflow");
        try {
            ExternalPostgres.Builder.create(chart, "postgres").host("").user("mlflow").password("secret").build();
        } catch (RuntimeException error) {
            System.out.println(error.getMessage().split("\n")[0]);
        }
    }
}
