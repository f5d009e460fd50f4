import { App, Chart, Duration, Size } from 'cdk8s';
import {
  Autoscaling,
  AwsIdentity,
  BitnamiPasswords,
  BitnamiPostgres,
  MlflowMonitoring,
  MlflowServer,
  Persistence,
  PrometheusScrape,
  S3Artifacts,
} from 'cdk8s-mlflow';
import type { Construct } from 'constructs';

/**
 * MLflow, as a release of the chart bitnami/mlflow ran it.
 *
 * Secrets that must exist:
 *   kubectl create secret generic mlflow-postgresql-passwords --namespace mlflow \
 *     --from-literal=postgres-password='<the postgres-password of the database>' \
 *     --from-literal=password='<the password of the database>'
 */
export class Mlflow extends Chart {
  public constructor(scope: Construct, id: string) {
    super(scope, id, { namespace: 'mlflow' });

    const postgres = new BitnamiPostgres(this, 'mlflow-postgresql', {
      passwords: BitnamiPasswords.fromSecretName('mlflow-postgresql-passwords'),
      username: 'bn_mlflow',
      database: 'bitnami_mlflow',
      persistence: Persistence.newClaim({ size: Size.gibibytes(8) }),
      maxConnections: 200,
    });
    // postgresql: Bitnami's free images get no more fixes since 2025: plan a move to an operator or
    // a managed database with DatabaseMove (docs/moving-in.md).
    // minio: The library makes no object store in the cluster. Keep the MinIO of the release (its
    // Deployment and its claim, under Helm or by itself): the app uses it at its address. Another
    // bucket is a matter of ArtifactRelocation. Its access key is in the Secret mlflow-minio.
    // tracking.metrics.serviceMonitor.namespace: The monitor is in the server's namespace and finds
    // the pods itself; `labels` of MlflowMonitoring are those by which Prometheus selects it.
    // tracking.autoscaling.vpa.enabled: No counterpart of a VerticalPodAutoscaler: add one as an
    // ApiObject with `targetRef` on `server.deployment`.
    const server = new MlflowServer(this, 'mlflow-tracking', {
      backend: postgres,
      autoscaling: Autoscaling.byResources({ maxReplicas: 3, cpuPercent: 70 }),
      artifactRoot: new S3Artifacts({
        bucket: 'mlflow',
        endpoint: 'http://mlflow-minio',
        identity: AwsIdentity.fromSecretName('mlflow-minio', {
          accessKeyIdKey: 'root-user',
          secretAccessKeyKey: 'root-password',
        }),
      }),
      service: { port: 80 },
      metrics: true,
      isolation: {},
    });
    new MlflowMonitoring(this, 'mlflow-tracking-monitoring', {
      server,
      scrape: PrometheusScrape.serviceMonitor({
        interval: Duration.minutes(1),
        relabelings: [{ action: 'replace', sourceLabels: ['pod'], targetLabel: 'instance' }],
      }),
      labels: { release: 'prometheus' },
    });
  }
}

const app = new App();
new Mlflow(app, 'mlflow');
app.synth();
