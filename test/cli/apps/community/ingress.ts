import { App, Chart } from 'cdk8s';
import {
  ExistingSecretPostgres,
  IngressController,
  MlflowServer,
  VolumeArtifacts,
} from 'cdk8s-mlflow';
import { ServiceType } from 'cdk8s-plus-28';
import type { Construct } from 'constructs';

/**
 * MLflow, as a release of the chart community-charts/mlflow ran it.
 *
 * Secrets that must exist:
 *   kubectl create secret generic mlflow-database --namespace mlflow \
 *     --from-literal=username=mlflow \
 *     --from-literal=password='<the password of the role>'
 */
export class Mlflow extends Chart {
  public constructor(scope: Construct, id: string) {
    super(scope, id, { namespace: 'mlflow' });

    // The chart kept its data in memory, where each restart lost it. Put the host of a PostgreSQL
    // here.
    const postgres = new ExistingSecretPostgres(this, 'postgres', {
      host: 'postgres.example.com',
      secretName: 'mlflow-database',
    });
    // ingress: The app has one TLS Secret for all hosts, mlflow-tls; a certificate for all of them,
    // or an Ingress of your own for mlflow-org-tls.
    new MlflowServer(this, 'mlflow', {
      backend: postgres,
      artifactRoot: new VolumeArtifacts(),
      service: { serviceType: ServiceType.NODE_PORT, annotations: { team: 'ml' } },
      ingress: {
        hosts: ['mlflow.example.com', 'mlflow.example.org'],
        path: '/mlflow',
        className: 'nginx',
        controller: IngressController.ingressNginx(),
        annotations: { 'cert-manager.io/cluster-issuer': 'letsencrypt' },
        tlsSecretName: 'mlflow-tls',
      },
      corsAllowedOrigins: ['https://notebooks.example.com'],
      allowedHosts: ['mlflow.example.net'],
      workers: 3,
      staticPrefix: '/mlflow',
    });
  }
}

const app = new App();
new Mlflow(app, 'mlflow');
app.synth();
