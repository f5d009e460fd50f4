import { App, Chart } from 'cdk8s';
import { ExistingSecretPostgres, MlflowServer, PostgresTls, VolumeArtifacts } from 'cdk8s-mlflow';
import { ServiceType } from 'cdk8s-plus-28';
import type { Construct } from 'constructs';

/**
 * MLflow, as a release of the chart mlflow of the MLflow project ran it.
 *
 * Secrets that must exist:
 *   kubectl create secret generic tracking-database --namespace mlflow \
 *     --from-literal=username=mlflow \
 *     --from-literal=password='<the password of the role>'
 */
export class Mlflow extends Chart {
  public constructor(scope: Construct, id: string) {
    super(scope, id, { namespace: 'mlflow' });

    const postgres = new ExistingSecretPostgres(this, 'postgres', {
      host: 'postgres',
      secretName: 'tracking-database',
      tls: PostgresTls.PREFER,
    });
    new MlflowServer(this, 'tracking', {
      backend: postgres,
      artifactRoot: new VolumeArtifacts(),
      service: {
        serviceType: ServiceType.LOAD_BALANCER,
        port: 8080,
        annotations: { 'service.beta.kubernetes.io/aws-load-balancer-type': 'nlb' },
      },
      ingress: {
        hosts: ['mlflow.example.com'],
        path: '/mlflow',
        className: 'traefik',
        tlsSecretName: 'mlflow-tls',
      },
      workers: 2,
      staticPrefix: '/mlflow',
      allowedHosts: ['mlflow.example.com', 'mlflow'],
    });
  }
}

const app = new App();
new Mlflow(app, 'mlflow');
app.synth();
