import { App, Chart } from 'cdk8s';
import {
  ExistingSecretPostgres,
  MlflowMonitoring,
  MlflowServer,
  PostgresTls,
  PrometheusScrape,
  TlsCertificate,
  VolumeArtifacts,
} from 'cdk8s-mlflow';
import type { Construct } from 'constructs';

/**
 * MLflow, as a release of the chart mlflow of the MLflow project ran it.
 *
 * Secrets that must exist:
 *   kubectl create secret generic mlflow-database --namespace mlflow \
 *     --from-literal=username=mlflow \
 *     --from-literal=password='<the password of the role>'
 */
export class Mlflow extends Chart {
  public constructor(scope: Construct, id: string) {
    super(scope, id, { namespace: 'mlflow' });

    const postgres = new ExistingSecretPostgres(this, 'postgres', {
      host: 'postgres',
      secretName: 'mlflow-database',
      tls: PostgresTls.PREFER,
    });
    // networkPolicy.additionalEgressRules: `isolation: { egress: [{ peers: [NetworkPeer.cidr(…)],
    // ports: […] }] }`: what the database, the store and the login need is open already.
    // serviceMonitor.tlsConfig: `tls: { ca, serverName }` of PrometheusScrape.serviceMonitor().
    const server = new MlflowServer(this, 'mlflow', {
      backend: postgres,
      artifactRoot: new VolumeArtifacts(),
      certificate: TlsCertificate.fromSecretName('server-tls'),
      metrics: true,
      isolation: {},
    });
    new MlflowMonitoring(this, 'mlflow-monitoring', {
      server,
      scrape: PrometheusScrape.serviceMonitor({ tls: {} }),
    });
  }
}

const app = new App();
new Mlflow(app, 'mlflow');
app.synth();
